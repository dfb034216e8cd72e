package main

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
	eventually(t, "it says so", func() bool { return strings.Contains(p.errs.String(), "has acknowledged nothing for 5s") })
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

// TestTopicDownWithBreaker: the same, and after two failures nothing is tried any more for
// a moment. Then it goes on by itself, with nothing lost.
func TestTopicDownWithBreaker(t *testing.T) {
	t.Parallel()
	from, to := embed(t), embed(t)
	topic, out := from.topic(t, 2), to.topic(t, 2)
	f := from.feed(t, topic, 2_000)
	p, url := from.serving(t, "consume", "--from", "kafka:"+topic, "--group", topic, "--breaker", "2",
		"--breaker-open", "300ms", "--to", "kafka://"+to.addrs[0]+"/"+out)
	seen := func() *tally {
		all := new(tally)
		all.count(t, []byte(to.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end")))
		return all
	}
	eventually(t, "it writes", func() bool { return len(seen().seen) > 0 })
	to.broker.crash(t)
	opened := regexp.MustCompile(`(?m)^logctl_breaker_opened_total [1-9]`)
	eventually(t, "the breaker is open", func() bool {
		_, body := get(t, url+"/metrics")
		return opened.MatchString(body)
	})
	to.restart(t)
	n := f.end(t)
	eventually(t, "all is written", func() bool { return len(seen().seen) >= n })
	p.interrupt(t)
	if missing, again := seen().sum(n); missing > 0 {
		t.Errorf("of %d records %d are missing, %d are there twice", n, missing, again)
	}
	if !strings.Contains(p.errs.String(), "breaker opened ") {
		t.Errorf("the summary does not tell of the breaker:\n%s", p.errs.String())
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

// TestDeadTopicDown: the topic of dead letters is gone, while a run lasts and when one
// begins. With a spool the others go on, their offsets are committed, and the letters are
// in the topic when it is back, though no record comes any more.
func TestDeadTopicDown(t *testing.T) {
	t.Parallel()
	from, to := embed(t), embed(t)
	topic, dead := from.topic(t, 1), to.topic(t, 1)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--dlq", "kafka://" + to.addrs[0] + "/" + dead,
		"--dlq-spool", filepath.Join(t.TempDir(), "spool"), "--exec", `sed -u 's/.*7}$/{"ack":"fail"}/'`,
	}
	out := new(text)
	p := from.start(t, nil, out, args...)
	ship := func(lo, hi int) {
		from.logctl(t, strings.NewReader(string(numbers(lo, hi))), "produce", "--to", "kafka:"+topic)
	}
	handled := func(n int) func() bool { return func() bool { return strings.Count(out.String(), "\n") == n } }
	ship(0, 100)
	eventually(t, "the first are handled", handled(90))
	to.broker.crash(t)
	ship(100, 200)
	eventually(t, "it goes on without the topic", handled(180))
	p.interrupt(t)
	if !strings.Contains(p.errs.String(), " dead letters wait in ") {
		t.Errorf("nothing is said of those in the spool:\n%s", p.errs.String())
	}
	ship(200, 300)
	out = new(text)
	p = from.start(t, nil, out, args...)
	eventually(t, "it begins without the topic", handled(90))
	to.restart(t)
	inTopic := func() []byte {
		return []byte(to.logctl(t, nil, "consume", "-q", "--from", "kafka:"+dead, "--stop", "end"))
	}
	eventually(t, "the letters are in the topic", func() bool { return bytes.Count(inTopic(), []byte("\n")) == 30 })
	p.interrupt(t)
	last := from.run(t, nil, nil, append(args, "--stop", "end")...)
	if last.status != 0 || last.out != "" {
		t.Errorf("status %d, handled again: %q\n%s", last.status, last.out, last.errs)
	}
	letters := new(tally)
	letters.count(t, inTopic())
	n := 0
	for i, times := range letters.seen {
		if times > 0 {
			n++
		}
		if times > 0 != (i%10 == 7) {
			t.Errorf("record %d is %d times among the dead letters", i, times)
		}
	}
	if n != 30 {
		t.Errorf("%d dead letters, want 30", n)
	}
}
