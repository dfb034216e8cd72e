package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lock has a session of its own hold a lock on a table, until the server goes down.
func (s *postgresServer) lock(t *testing.T, table, mode string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "psql"), "-XAtq", "-h", "127.0.0.1", "-p",
		strconv.Itoa(s.port), "-U", "me", "-c", "BEGIN; LOCK TABLE "+table+" IN "+mode+" MODE; SELECT pg_sleep(600)", "d")
	cmd.Env = append(cmd.Environ(), "PGPASSWORD="+password)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the server is its end
	eventually(t, "the table is locked", func() bool {
		return s.psql(t, "d", "SELECT count(*) FROM pg_locks WHERE relation = '"+table+"'::regclass AND mode <> 'AccessShareLock'") == "1"
	})
}

// waits reports whether logctl waits for a lock.
func (s *postgresServer) waits(t *testing.T) bool {
	t.Helper()
	return s.psql(t, "d", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logctl' AND wait_event_type = 'Lock'") == "1"
}

// reconciledDown: the server goes down while reconcile reads the table, or writes what
// it lacks. It says so, goes on when the server is back, and finds and mends the same.
func (s *postgresServer) reconciledDown(t *testing.T) {
	const n = 3000
	e := embed(t)
	topic := e.topic(t, 2)
	e.logctl(t, strings.NewReader(string(numbers(0, n))), "produce", "-q", "--to", "kafka:"+topic)
	e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--to", s.to("lacks"), "--stop", "end")
	s.psql(t, "d", "DELETE FROM lacks WHERE n % 10 = 3")
	for _, step := range []struct {
		mode string // of a lock that holds it up at the right place
		want []string
	}{
		{"ACCESS EXCLUSIVE", []string{`reading table "lacks"`, "; waiting for it", "missing 300, duplicate 0, surplus 0\n"}},
		{"SHARE", []string{`writing to table "lacks"`, "; waiting for it", "after the repair: records 3,000, rows 3,000, missing 0"}},
	} {
		args := []string{"consume", "reconcile", "--from", "kafka:" + topic, "--sink", s.to("lacks"), "--repair"}
		if step.mode != "SHARE" {
			args = args[:len(args)-1]
		}
		s.lock(t, "lacks", step.mode)
		p := e.start(t, nil, nil, args...)
		eventually(t, "it is held up", func() bool { return s.waits(t) })
		s.stop(t)
		eventually(t, "it says what it waits for", func() bool { return strings.Contains(p.errs.String(), "; waiting for it") })
		s.start(t)
		_ = p.Wait() // that something is missing is a status, too
		for _, want := range step.want {
			if !strings.Contains(p.errs.String(), want) {
				t.Errorf("%q: want %q in\n%s", args, want, p.errs.String())
			}
		}
	}
	if got := s.psql(t, "d", "SELECT count(*), count(DISTINCT n) FROM lacks"); got != fmt.Sprintf("%d|%d", n, n) {
		t.Errorf("rows and distinct: %s, want %d", got, n)
	}
}

// serverKilled: server and consume are killed in turn, and together, while records of
// two classes come. Every record is there once.
func (s *postgresServer) serverKilled(t *testing.T) {
	e := embed(t)
	critical, low := e.topic(t, 2), e.topic(t, 3)
	feeds := map[string]*feed{critical: e.feed(t, critical, 100), low: e.feed(t, low, 5_000)}
	args := []string{
		"consume", "--from", "kafka:" + critical + "," + low, "--priority", "strict", "--group", low,
		"--delivery", "exactly-once", "--to", s.to("classes"),
	}
	rows := func() string {
		if s.psql(t, "d", "SELECT to_regclass('classes') IS NULL") == "t" {
			return ""
		}
		return s.psql(t, "d", "SELECT count(*) FROM classes")
	}
	for range number(t, "TEST_CRASHES", 3) {
		before := rows()
		p := e.start(t, nil, nil, args...)
		eventually(t, "it writes", func() bool { return rows() != before })
		time.Sleep(randomMoment() / 4)
		s.stop(t)
		time.Sleep(randomMoment() / 4)
		s.start(t)
		before = rows()
		eventually(t, "it writes again", func() bool { return rows() != before })
		s.stop(t)
		p.crash(t)
		s.start(t)
	}
	for topic, f := range feeds {
		n := f.end(t)
		e.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
		got := s.psql(t, "d", "SELECT count(*), count(DISTINCT n) FROM classes WHERE _topic = '"+topic+"'")
		if got != fmt.Sprintf("%d|%d", n, n) {
			t.Errorf("rows and distinct of a class: %s, want %d", got, n)
		}
	}
}
