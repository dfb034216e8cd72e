package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPostgres runs against a private server, where TEST_POSTGRES is set.
func TestPostgres(t *testing.T) {
	if os.Getenv("TEST_POSTGRES") == "" {
		t.Skip("make postgres-test runs it")
	}
	t.Parallel()
	s := startPostgres(t)
	t.Run("same as sqlite", s.sameAsSQLite)
	t.Run("upsert", s.upsert)
	t.Run("window", s.window)
	t.Run("session history", s.sessionHistory)
	t.Run("refused", s.refused)
	t.Run("routed", s.routed)
	t.Run("killed", s.killed)
	t.Run("window killed", s.windowKilled)
	t.Run("fenced", s.fenced)
	t.Run("dedup", s.dedup)
	t.Run("reconciled", s.reconciled)
	t.Run("dedup members", s.dedupMembers)
	t.Run("down with much to write", s.downLarge)
	t.Run("reconciled down", s.reconciledDown) // from here on the server is stopped now and then
	t.Run("server killed", s.serverKilled)
	t.Run("down", s.down)
}

const password = "geheim 5%"

// A postgresServer is a private server of PostgreSQL.
type postgresServer struct {
	bin, dir string
	port     int
}

// startPostgres starts a server on a port of its own, as the user postgres where
// this is root.
func startPostgres(t *testing.T) *postgresServer {
	t.Helper()
	s := &postgresServer{bin: postgresPrograms(t)}
	dir, err := os.MkdirTemp("", "logctl-postgres-") //nolint:usetesting // another user has to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.dir = filepath.Join(dir, "data")
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		giveAway(t, dir, secret)
	}
	s.as(t, "initdb", "-D", s.dir, "-A", "scram-sha-256", "-U", "me", "--pwfile", secret, "-N", "-E", "UTF8", "--locale", "C")
	_, port, _ := net.SplitHostPort(ownAddr(t))
	if s.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	s.psql(t, "postgres", "CREATE DATABASE d")
	return s
}

// postgresPrograms finds where the programs of a server are.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian keeps them out of PATH
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "pg_ctl")); err == nil {
			return dir
		}
	}
	t.Fatal("PostgreSQL is not installed (apt-get install postgresql)")
	return ""
}

// giveAway gives files to the user postgres: a server does not run as root.
func giveAway(t *testing.T, paths ...string) {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if err := os.Chown(path, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
}

// as runs a program of the server as the one whose server it is.
func (s *postgresServer) as(t *testing.T, program string, args ...string) {
	t.Helper()
	args = append([]string{filepath.Join(s.bin, program)}, args...)
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

func (s *postgresServer) start(t *testing.T) {
	t.Helper()
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -k %s -c fsync=off", s.port, s.dir)
	s.as(t, "pg_ctl", "-D", s.dir, "-w", "-l", filepath.Join(s.dir, "log"), "-o", options, "start")
}

func (s *postgresServer) stop(t *testing.T) {
	t.Helper()
	s.as(t, "pg_ctl", "-D", s.dir, "-m", "immediate", "-w", "stop")
}

// psql returns what the server's own client prints for a statement.
func (s *postgresServer) psql(t *testing.T, database, statement string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
		"-p", strconv.Itoa(s.port), "-U", "me", "-c", statement, database)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	out, err := cmd.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, e.Stderr)
		}
		t.Fatalf("%s: %v", statement, err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// to names a table of the server.
func (s *postgresServer) to(table string) string {
	return fmt.Sprintf("postgres://me:geheim%%205%%25@127.0.0.1:%d/d#%s", s.port, table)
}

// sameAsSQLite: equal input makes equal rows, fields that are no columns included.
func (s *postgresServer) sameAsSQLite(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	in := filepath.Join(t.TempDir(), "in")
	text := `{"level":"a\tb\\c\nd","n":1,"f":1.5,"ok":true,"tags":["a",{"b":null}],"none":null}` + "\n" +
		`{"level":"é\"","n":9223372036854775807,"f":-0.25,"ok":false,"tags":{},"none":"now"}` + "\n" +
		`{"new":{"deep":[1,2]},"LEVEL":"upper","_offset":7,"xmin":1}` + "\n{}\n"
	for i := range 3000 {
		text += fmt.Sprintf("{\"level\":\"l%d\",\"n\":%d,\"ok\":%t,\"more\":%d}\n", i%7, i, i%2 == 0, i)
	}
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lite := "sqlite:" + filepath.Join(t.TempDir(), "db") + "#same"
	for range 2 { // the second replaces the rows of the first
		c.logctl(t, nil, "consume", in, "--to", lite)
		c.logctl(t, nil, "consume", in, "--to", s.to("same"))
	}
	want := objects(t, c.logctl(t, nil, "consume", lite))
	got := objects(t, s.psql(t, "d", `SELECT to_jsonb(same) - '{_topic,_partition,_offset,_extra}'::text[] || coalesce(_extra, '{}')
		FROM same ORDER BY same._offset`))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-sqlite +postgres\n%s", d)
	}
}

// objects parses lines of JSON, less what is null.
func objects(t *testing.T, lines string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		o := map[string]any{}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for k, v := range o {
			if v == nil {
				delete(o, k)
			}
		}
		all = append(all, o)
	}
	return all
}

// upsert: the last record of a key is the row, within one batch and over runs; null
// is a key like another.
func (s *postgresServer) upsert(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	for _, in := range []string{
		`{"id":"a","n":1}` + "\n" + `{"id":"b","n":1}` + "\n" + `{"id":"a","n":2}` + "\n" + `{"n":1}`,
		`{"id":"b","n":3}` + "\n" + `{"id":null,"n":4}` + "\n" + `{"id":"","n":5}`,
	} {
		c.logctl(t, strings.NewReader(in), "consume", "--from", "-", "--unique", "id", "--to", s.to("upsert"))
	}
	got := s.psql(t, "d", "SELECT coalesce(id, 'null'), n FROM upsert ORDER BY 2")
	if want := "a|2\nb|3\nnull|4\n|5"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// window: rows of windows replace those with their bounds and keys.
func (s *postgresServer) window(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	in := `{"ts":"2026-01-01T00:00:10Z","k":"a"}` + "\n" + `{"ts":"2026-01-01T00:00:20Z","k":"b"}` + "\n" +
		`{"ts":"2026-01-01T00:01:10Z","k":"a"}` + "\n"
	for range 2 {
		c.logctl(t, strings.NewReader(in), "window", "--from", "-", "--size", "1m", "--by", "k", "--to", s.to("minutes"))
	}
	got := s.psql(t, "d", "SELECT k, count(*), sum(count) FROM minutes GROUP BY k ORDER BY k")
	if want := "a|2|2\nb|1|1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// sessionHistory: see sessionHistory.
func (s *postgresServer) sessionHistory(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	sessionHistory(t, c, s.to("sessions"), func() string {
		return s.psql(t, "d", `SELECT to_jsonb(sessions) - '{_topic,_partition,_offset,_extra}'::text[] || coalesce(_extra, '{}')
			FROM sessions`)
	})
}

// refused: what is wrong is said with what to do, and without the password.
func (s *postgresServer) refused(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	s.psql(t, "d", "CREATE TABLE strange (a date)")
	url := func(password, database string) string {
		return fmt.Sprintf("postgres://me:%s@127.0.0.1:%d/%s#t", password, s.port, database)
	}
	for to, want := range map[string]string{
		url("wrong-secret", "d"):                    "hint: the password comes from PGPASSWORD",
		url("geheim%205%25", "no"):                  `database "no" does not exist`,
		"postgres://me:wrong-secret@127.0.0.1:1/d":  "127.0.0.1:1 database d: dial tcp",
		"postgres://me:wrong-secret%@127.0.0.1:1/d": "cannot be read",
		"postgres:d#t":                              "is a URL",
		url("x", "d?sslmode=require"):               "it speaks no TLS",
		s.to("public.t"):                            "a schema stands in the URL",
		s.to("strange"):                             "it was not made by logctl: it has no column _topic",
		s.to("_logctl_x"):                           "are taken",
	} {
		r := c.run(t, strings.NewReader("{}\n"), nil, "consume", "--from", "-", "--to", to)
		if r.status == 0 || !strings.Contains(r.errs, want) || strings.Contains(r.errs, "wrong-secret") ||
			strings.Contains(r.errs, "geheim") {
			t.Errorf("%s: status %d, want %q in\n%s", to, r.status, want, r.errs)
		}
	}
}

// routed: a destination shows no password, in errors neither.
func (s *postgresServer) routed(t *testing.T) {
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := fmt.Sprintf("rules:\n  - {name: all, match: n >= 0, to: %q}\n", s.to("routed"))
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := c.run(t, strings.NewReader("{}\n"), nil, "route", "--rules", rules, "--from", "-")
	if r.status != 2 || strings.Contains(r.errs, "geheim") || !strings.Contains(r.errs, "has a password in its URL") {
		t.Errorf("status %d\n%s", r.status, r.errs)
	}
}

// killed: see killed.
func (s *postgresServer) killed(t *testing.T) {
	killed(t, &embed(t).client, number(t, "TEST_CRASHES", 10), database{
		to: s.to("t"), row: func(statement string) [4]int64 { return s.row(t, statement) }, during: func(int) {},
	})
}

// windowKilled: see windowKilled; the groups have to be taken to their partitions.
func (s *postgresServer) windowKilled(t *testing.T) {
	s.psql(t, "d", "DROP TABLE t")
	windowKilled(t, &embed(t).client, number(t, "TEST_CRASHES", 10), 3, database{
		to: s.to("t"), row: func(statement string) [4]int64 { return s.row(t, statement) },
	})
}

// row returns the numbers of one row; zeros where there is no table t yet.
func (s *postgresServer) row(t *testing.T, statement string) (row [4]int64) {
	t.Helper()
	if s.psql(t, "d", "SELECT to_regclass('t') IS NULL") == "t" {
		return row
	}
	for i, v := range strings.Split(s.psql(t, "d", statement), "|") {
		row[i], _ = strconv.ParseInt(v, 10, 64)
	}
	return row
}

// fenced: of two that read the same into one table, one gives up and says why, and
// no record is there twice.
func (s *postgresServer) fenced(t *testing.T) {
	e := embed(t)
	topic := e.topic(t, 1)
	ship := func(lo, hi int) {
		e.logctl(t, strings.NewReader(string(numbers(lo, hi))), "produce", "--to", "kafka:"+topic)
	}
	ship(0, 100)
	count := func() string { return s.psql(t, "d", "SELECT count(*), count(DISTINCT n) FROM fenced") }
	begin := func(group string) *process {
		return e.start(t, nil, nil, "consume", "--from", "kafka:"+topic, "--group", group, "--delivery", "exactly-once",
			"--to", s.to("fenced"))
	}
	a := begin("a")
	eventually(t, "the first writes", func() bool {
		return s.psql(t, "d", "SELECT to_regclass('fenced') IS NOT NULL") == "t" && count() == "100|100"
	})
	b := begin("b")
	gone := make(chan string, 2)
	for _, p := range []*process{a, b} {
		go func() { _ = p.Wait(); gone <- p.errs.String() }()
	}
	said, n := "", 100
	eventually(t, "one gives up", func() bool {
		ship(n, n+100)
		n += 100
		select {
		case said = <-gone:
			return true
		default:
			return false
		}
	})
	if !strings.Contains(said, "another writer has moved on") {
		t.Errorf("it said\n%s", said)
	}
	eventually(t, "the other writes all", func() bool { return count() == fmt.Sprintf("%d|%d", n, n) })
	_, _ = a.Process.Kill(), b.Process.Kill() // one is gone
	<-gone
}

// down: the server is stopped while records come, and started again. Consume says
// that it waits, and for how long it does not try; and every record is there once.
func (s *postgresServer) down(t *testing.T) {
	e := embed(t)
	topic := e.topic(t, 3)
	f := e.feed(t, topic, 5_000)
	p := e.start(t, nil, nil, "consume", "--from", "kafka:"+topic, "--group", topic, "--delivery", "exactly-once",
		"--to", s.to("down"), "--breaker", "2", "--breaker-open", "500ms")
	count := func() string { return s.psql(t, "d", "SELECT count(*), count(DISTINCT n) FROM down") }
	eventually(t, "it writes", func() bool {
		return s.psql(t, "d", "SELECT to_regclass('down') IS NOT NULL") == "t" && count() != "0|0"
	})
	s.stop(t)
	eventually(t, "it says what it waits for", func() bool {
		return strings.Contains(p.errs.String(), "; the breaker is open, the next attempt is in 500ms")
	})
	s.start(t)
	n := f.end(t)
	eventually(t, "all is written", func() bool { return count() == fmt.Sprintf("%d|%d", n, n) })
	p.interrupt(t)
	if strings.Contains(p.errs.String(), "geheim") {
		t.Errorf("the password is shown:\n%s", p.errs.String())
	}
}
