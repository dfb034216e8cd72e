//go:build kafka

package main

import (
	"database/sql"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testPipeKilled: an at-least-once consume in a pipe is killed and started
// again while records keep coming; what the reader has put into a file lacks
// none.
func testPipeKilled(t *testing.T, a *apache) {
	topic := a.topic(t, 6)
	f := a.feed(t, topic, 10_000)
	path := filepath.Join(t.TempDir(), "read")
	file := appendTo(t, path)
	args := []string{"consume", "--from", "kafka:" + topic, "--group", topic}
	for range 10 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p := a.start(t, nil, w, args...)
		_ = w.Close() // the process has its own
		read := make(chan error, 1)
		go func() { _, err := io.Copy(file, r); read <- err }()
		time.Sleep(randomMoment())
		p.crash(t)
		if err := <-read; err != nil {
			t.Fatal(err)
		}
	}
	n := f.end(t)
	killed := tallyFiles(t, path)
	a.start(t, nil, file, append(args, "--stop", "end")...).end(t)
	missing, again := tallyFiles(t, path).sum(n)
	t.Logf("%d records, %d read by killed processes, %d came again", n, len(killed.seen), again)
	if missing > 0 || len(killed.seen) == 0 {
		t.Errorf("of %d records %d are missing", n, missing)
	}
}

// randomMoment is how long a process lives: some do not get to read, most do.
func randomMoment() time.Duration { return time.Duration(20+rand.IntN(1600)) * time.Millisecond }

// testExactlyOnce: consume into SQLite is killed at random moments while
// records keep coming and a node is down for a third of the time. Every record
// is in the table, once.
func testExactlyOnce(t *testing.T, a *apache) {
	topic := a.topic(t, 6)
	db := filepath.Join(t.TempDir(), "out.db")
	f := a.feed(t, topic, 10_000)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--delivery", "exactly-once", "--to", "sqlite:" + db + "#t",
	}
	crashes := number(t, "LOGCTL_CRASHES", 15)
	node, up := 1+rand.IntN(3), make(chan struct{})
	moved, rows := 0, int64(0)
	for i := range crashes {
		if i == crashes/3 && a.dir != "" {
			a.kill(t, node)
		}
		if i == 2*crashes/3 && a.dir != "" {
			go func() { a.restart(t, node); close(up) }()
		}
		p := a.start(t, nil, nil, args...)
		time.Sleep(randomMoment())
		p.crash(t)
		if now := sqliteRow(t, db, "SELECT count(*) FROM t")[0]; now > rows {
			moved, rows = moved+1, now
		}
	}
	if a.dir != "" {
		<-up
	}
	n := f.end(t)
	a.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	got := sqliteRow(t, db, "SELECT count(*), count(DISTINCT n), min(n), max(n) FROM t")
	t.Logf("%d records, %d crashes: %d of the processes committed something, %d rows in all", n, crashes, moved, rows)
	if total := int64(n); got[0] != total || got[1] != total || got[2] != 0 || got[3] != total-1 {
		t.Errorf("rows, distinct, least and greatest are %v; want %d records once each", got, n)
	}
	if moved == 0 {
		t.Error("no process lived long enough to prove anything")
	}
}

// sqliteRow returns the numbers of one row; zeros where there is no table yet.
func sqliteRow(t *testing.T, path, statement string) (row [4]int64) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return row
	}
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if tables := fetch(t, db, "SELECT 1 FROM sqlite_master WHERE name = 't'"); len(tables) == 0 {
		return row
	}
	for i, v := range fetch(t, db, statement)[0] {
		row[i], _ = v.(int64)
	}
	return row
}

// testNodesKilled: two of three nodes are killed in turn while records are
// produced. What produce says was acknowledged is what a reader finds, once.
func testNodesKilled(t *testing.T, a *apache) {
	a.mine(t)
	topic := a.topic(t, 6)
	f := a.feed(t, topic, 20_000)
	for _, node := range []int{2, 3} {
		time.Sleep(time.Second)
		a.kill(t, node)
		time.Sleep(2 * time.Second)
		a.restart(t, node)
	}
	n := f.end(t)
	got := new(tally)
	got.count(t, []byte(a.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end")))
	missing, again := got.sum(n)
	t.Logf("%d records acknowledged and read, %d missing, %d twice", n, missing, again)
	if missing > 0 || again > 0 || len(got.seen) != n {
		t.Errorf("%d records acknowledged, %d read, %d missing, %d twice", n, len(got.seen), missing, again)
	}
}

// testOutage: all nodes are down for a while in the middle of everything;
// producer and consumer go on by themselves.
func testOutage(t *testing.T, a *apache) {
	a.mine(t)
	topic := a.topic(t, 6)
	path := filepath.Join(t.TempDir(), "read")
	f := a.feed(t, topic, 5_000)
	m := a.member(t, path, "--from", "kafka:"+topic, "--group", topic)
	eventually(t, "it reads", func() bool { return len(tallyFiles(t, path).seen) > 0 })
	for node := range 3 {
		a.kill(t, node+1)
	}
	before := len(tallyFiles(t, path).seen)
	time.Sleep(3 * time.Second)
	began := time.Now()
	a.restart(t, 1, 2, 3)
	eventually(t, "it reads on", func() bool { return len(tallyFiles(t, path).seen) > before })
	t.Logf("reading goes on %v after the first node was started again", time.Since(began).Round(100*time.Millisecond))
	awaitAll(t, f.end(t), path)
	m.interrupt(t)
}
