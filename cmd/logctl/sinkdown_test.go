package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTopicDown: the cluster that consume writes to is gone for a while. Reading
// pauses, the lag grows and is told of, nothing is given up, and it goes on by
// itself.
func TestTopicDown(t *testing.T) {
	t.Parallel()
	from, to := embed(t), embed(t)
	topic, out := from.topic(t, 3), to.topic(t, 3)
	f := from.feed(t, topic, 20_000)
	p := from.start(t, nil, nil, "consume", "--from", "kafka:"+topic, "--group", topic, "--warn-lag", "1000",
		"--to", "kafka://"+to.addrs[0]+"/"+out, "--dlq", filepath.Join(t.TempDir(), "dead"))
	count := func() int {
		return strings.Count(to.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end"), "\n")
	}
	eventually(t, "it writes", func() bool { return count() > 0 })
	to.broker.crash(t)
	time.Sleep(time.Duration(number(t, "LOGCTL_SINK_DOWN", 7)) * time.Second)
	to.restart(t)
	n := f.end(t)
	eventually(t, "all is written", func() bool { return count() >= n })
	p.interrupt(t)
	seen := new(tally)
	seen.count(t, []byte(to.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end")))
	missing, again := seen.sum(n)
	t.Logf("%d records, %d twice (the embedded broker forgets producers when it is killed)", n, again)
	if missing > 0 {
		t.Errorf("of %d records %d are missing", n, missing)
	}
	for _, want := range []string{"has acknowledged nothing for 5s", "; waiting for it", "bad 0"} {
		if !strings.Contains(p.errs.String(), want) {
			t.Errorf("want %q in:\n%s", want, p.errs.String())
		}
	}
}

// TestTableLocked: another process keeps the database for longer than SQLite's own
// patience. Consume waits for it.
func TestTableLocked(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	ship := func(lo, hi int) {
		e.logctl(t, strings.NewReader(string(numbers(lo, hi))), "produce", "--to", "kafka:"+topic)
	}
	ship(0, 1000)
	path := filepath.Join(t.TempDir(), "out.db")
	p := e.start(t, nil, nil, "consume", "--from", "kafka:"+topic, "--group", topic, "--delivery", "exactly-once",
		"--to", "sqlite:"+path+"#t")
	holds := func(n int64) func() bool {
		return func() bool {
			got := sqliteRow(t, path, "SELECT count(*), count(DISTINCT n), 0, 0 FROM t")
			return got[0] == n && got[1] == n
		}
	}
	eventually(t, "it writes", holds(1000))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	do := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	do("BEGIN IMMEDIATE")
	ship(1000, 2000)
	eventually(t, "it says what it waits for", func() bool { return strings.Contains(p.errs.String(), "; waiting for it") })
	do("COMMIT")
	_ = db.Close()
	eventually(t, "all is written", holds(2000))
	p.interrupt(t)
}
