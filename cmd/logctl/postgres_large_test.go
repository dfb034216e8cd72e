package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/postgres"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/table"
)

// dedup: the same records are dropped as with a table of SQLite, by a process that is
// killed and one that comes later.
func (s *postgresServer) dedup(t *testing.T) {
	e := embed(t)
	topic := e.topic(t, 1)
	lite := "sqlite:" + filepath.Join(t.TempDir(), "db") + "#seen"
	rnd := rand.New(rand.NewPCG(1, 2))
	at := 0
	for run := range 3 {
		var text strings.Builder
		for range 2000 {
			at += rnd.IntN(3)
			fmt.Fprintf(&text, `{"time":"2026-11-24T10:%02d:%02dZ","value":{"id":%d,"at":%d}}`+"\n", at/60%60, at%60, rnd.IntN(300), at)
		}
		e.logctl(t, strings.NewReader(text.String()), "produce", "-q", "--to", "kafka:"+topic, "--envelope", "--keep-time")
		for i, to := range []string{lite, s.to("seen")} {
			args := []string{
				"consume", "--from", "kafka:" + topic, "--group", fmt.Sprint(topic, i), "--delivery", "exactly-once",
				"--dedup", "id", "--dedup-ttl", "2m", "--to", to,
			}
			if run == 1 {
				p := e.start(t, nil, nil, args...)
				p.killed(t)
			}
			e.logctl(t, nil, append(args, "--stop", "end")...)
		}
	}
	want := objects(t, e.logctl(t, nil, "consume", lite))
	got := objects(t, s.psql(t, "d", `SELECT to_jsonb(seen) - '{_topic,_partition,_offset,_extra}'::text[]
		FROM seen ORDER BY seen._offset`))
	if d := cmp.Diff(want, got); d != "" || len(want) == 0 || len(want) == 6000 {
		t.Errorf("%d rows; -sqlite +postgres\n%s", len(want), d)
	}
}

// dedupMembers: what comes in partitions of different members counts once.
func (s *postgresServer) dedupMembers(t *testing.T) {
	e := embed(t)
	topic := e.topic(t, 2)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--delivery", "exactly-once",
		"--dedup", "n", "--dedup-ttl", "1h", "--to", s.to("members"),
	}
	a, b := e.start(t, nil, nil, args...), e.start(t, nil, nil, args...)
	const n = 3000
	for range 2 {
		e.logctl(t, strings.NewReader(string(numbers(0, n))), "produce", "-q", "--to", "kafka:"+topic)
	}
	eventually(t, "both have written", func() bool {
		return s.psql(t, "d", "SELECT to_regclass('members') IS NOT NULL") == "t" &&
			s.psql(t, "d", "SELECT coalesce(sum(next), 0) FROM _logctl_positions WHERE sink = 'members'") == fmt.Sprint(2*n)
	})
	a.interrupt(t)
	b.interrupt(t)
	if got := s.psql(t, "d", "SELECT count(*), count(DISTINCT n) FROM members"); got != fmt.Sprintf("%d|%d", n, n) {
		t.Errorf("rows and distinct: %s, want %d", got, n)
	}
}

// downLarge: a transaction that is larger than what is kept in memory survives a
// server that goes down before its end.
func (s *postgresServer) downLarge(t *testing.T) {
	waiting := make(chan error, 100)
	url, _, _ := strings.Cut(s.to(""), "#")
	spill := stdio.NewSpill(t.TempDir())
	defer spill.Close()
	sink, err := postgres.OpenSink(t.Context(), url, "large", postgres.SinkOptions{
		Options: table.Options{Busy: func(err error) error { waiting <- err; return nil }}, Spill: spill,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	const rows, size = 90, 1 << 20
	long := strings.Repeat("x", size)
	for i := range rows {
		b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
		b.Add(fmt.Appendf(nil, `{"n":%d,"long":"%s"}`, i, long)).Offset = int64(i)
		if err := sink.Write(b.All()); err != nil {
			t.Fatal(err)
		}
	}
	s.stop(t)
	done := make(chan error, 1)
	go func() { done <- sink.Flush(t.Context()) }()
	if err := <-waiting; !strings.Contains(err.Error(), `table "large"`) {
		t.Errorf("it waits for %v", err)
	}
	s.start(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got := s.psql(t, "d", "SELECT count(*), count(DISTINCT n), sum(length(long)) FROM large")
	if want := fmt.Sprintf("%d|%d|%d", rows, rows, rows*size); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// reconciled: what a table lacks is found by place and by key as in one of SQLite, and
// repaired.
func (s *postgresServer) reconciled(t *testing.T) {
	e := embed(t)
	topic := e.topic(t, 2)
	e.logctl(t, strings.NewReader(string(numbers(0, 1000))), "produce", "-q", "--to", "kafka:"+topic)
	for name, args := range map[string][]string{"places": nil, "keys": {"--unique", "n"}} {
		consume := append([]string{
			"consume", "-q", "--from", "kafka:" + topic, "--group", topic + name, "--delivery", "exactly-once",
			"--to", s.to(name),
		}, args...)
		e.logctl(t, nil, append(consume, "--stop", "end")...)
		s.psql(t, "d", "DELETE FROM "+name+" WHERE n % 10 = 3")
		reconcile := []string{"consume", "reconcile", "--from", "kafka:" + topic, "--sink", s.to(name)}
		for _, step := range []struct {
			args   []string
			status int
			want   string
		}{
			{nil, 1, "records 1,000, rows 900, missing 100, duplicate 0, surplus 0"},
			{[]string{"--repair"}, 0, "after the repair: records 1,000, rows 1,000, missing 0, duplicate 0, surplus 0"},
			{[]string{"--key", "n"}, 0, "records 1,000, rows 1,000, missing 0, duplicate 0, surplus 0"},
		} {
			r := e.run(t, nil, nil, append(reconcile, step.args...)...)
			if r.status != step.status || !strings.Contains(r.errs, step.want) {
				t.Errorf("%s %q: status %d, want %d and %q in\n%s", name, step.args, r.status, step.status, step.want, r.errs)
			}
		}
		// A foreign hand makes rows twice and loses one.
		by := name + " by " + strings.Join(args[min(len(args), 1):], "")
		s.psql(t, "d", fmt.Sprintf(`DROP INDEX %q; INSERT INTO %s SELECT * FROM %[2]s WHERE n < 5; DELETE FROM %[2]s WHERE n = 9`, by, name))
		repair := append(reconcile, "--key", "n", "--repair")
		if name == "places" {
			repair = append(reconcile, "--repair")
		}
		r := e.run(t, nil, nil, repair...)
		parts := strings.Split(r.errs, "`")
		if r.status != 1 || len(parts) != 3 {
			t.Fatalf("%s with rows there twice: status %d\n%s", name, r.status, r.errs)
		}
		s.psql(t, "d", parts[1])
		e.logctl(t, nil, repair...)
	}
	// A field that is no column of the table.
	late := `{"n":1000,"late":"x"}` + "\n" + `{"n":1001,"late":"y"}` + "\n"
	e.logctl(t, strings.NewReader(late), "produce", "-q", "--to", "kafka:"+topic)
	e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--group", topic+"places", "--delivery", "exactly-once",
		"--to", s.to("places"), "--stop", "end")
	s.psql(t, "d", "DELETE FROM places WHERE n = 1001")
	r := e.run(t, nil, nil, "consume", "reconcile", "--from", "kafka:"+topic, "--sink", s.to("places"), "--key", "late")
	if want := "missing 1, duplicate 0, surplus 0, without a name 2,000"; r.status != 1 || !strings.Contains(r.errs, want) {
		t.Errorf("status %d, want %q in\n%s", r.status, want, r.errs)
	}
}
