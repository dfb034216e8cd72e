package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// embed starts an embedded broker in a process of its own and returns a client
// of it. The broker may be killed, and started again with restart.
func embed(t *testing.T) *embedded {
	t.Helper()
	e := &embedded{client: client{home: t.TempDir(), addrs: []string{ownAddr(t)}}, data: t.TempDir()}
	e.restart(t)
	return e
}

var ports atomic.Int32 // how many were handed out

// ownAddr returns an address that stays a broker's own while that is down: its port is
// none of those that the system gives to whoever wants any.
func ownAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+(97*os.Getpid()+int(ports.Add(1)))%10_000)
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("a thousand ports are taken")
	return ""
}

// An embedded is an embedded broker with its data, and a client of it.
type embedded struct {
	client
	data   string
	broker *process
}

// restart starts the broker over its data, where it was before.
func (e *embedded) restart(t *testing.T) {
	t.Helper()
	out := new(text)
	e.broker = e.start(t, nil, out, "broker", "--quiet", "--data", e.data, "--fsync", "--addr", e.addrs[0])
	eventually(t, "the broker prints its address", func() bool { return strings.HasSuffix(out.String(), "\n") })
	e.addrs = []string{strings.TrimSpace(out.String())}
}

// crashes is how often a process is killed to prove that it survives.
func crashes(t *testing.T) int { return number(t, "TEST_CRASHES", 5) }

func TestKilledIntoTable(t *testing.T) {
	t.Parallel()
	tableKilled(t, &embed(t).client, crashes(t), func(int) {})
}

func TestKilledIntoPipe(t *testing.T) {
	t.Parallel()
	pipeKilled(t, &embed(t).client, crashes(t))
}

// TestBrokerKilled: the broker is killed and started again under a producer and
// a consumer. What produce says was acknowledged is read, by one that lived
// through it and by one that begins afterwards. (What was stored and not yet
// acknowledged may be there twice: a killed kfake forgets the sequence numbers
// of its producers.)
func TestBrokerKilled(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 3)
	f := e.feed(t, topic, 5_000)
	path := filepath.Join(t.TempDir(), "read")
	p := e.start(t, nil, appendTo(t, path), "consume", "--from", "kafka:"+topic, "--group", topic)
	for range 3 {
		readsOn(t, path)
		time.Sleep(randomMoment() / 2)
		e.broker.crash(t)
		time.Sleep(time.Second / 2)
		e.restart(t)
	}
	n := f.end(t)
	eventually(t, "all records are read", func() bool { missing, _ := tallyFiles(t, path).sum(n); return missing == 0 })
	p.interrupt(t)
	after := new(tally)
	after.count(t, []byte(e.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end")))
	missing, again := after.sum(n)
	_, reread := tallyFiles(t, path).sum(n)
	t.Logf("%d records, %d kept twice, %d read again by the consumer that lived through it", n, again, reread)
	if missing > 0 {
		t.Errorf("of %d acknowledged records %d are missing", n, missing)
	}
}

// readsOn waits until a file grows.
func readsOn(t *testing.T, path string) {
	t.Helper()
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	eventually(t, "it reads on", func() bool { return size() > before })
}

// TestTerminated: a consume that is asked to end commits what the pipe has
// taken: the next one repeats nothing and leaves nothing out.
func TestTerminated(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 3)
	f := e.feed(t, topic, 5_000)
	path := filepath.Join(t.TempDir(), "read")
	file := appendTo(t, path)
	for range 4 {
		p := e.start(t, nil, file, "consume", "--from", "kafka:"+topic, "--group", topic)
		readsOn(t, path)
		time.Sleep(randomMoment() / 8)
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		p.end(t)
	}
	n := f.end(t)
	e.start(t, nil, file, "consume", "--from", "kafka:"+topic, "--group", topic, "--stop", "end").end(t)
	if missing, again := tallyFiles(t, path).sum(n); missing > 0 || again > 0 {
		t.Errorf("of %d records %d are missing, %d came again", n, missing, again)
	}
}

// TestBrokerGone: produce gives up after its time-out and says who did not
// answer, and how much is missing.
func TestBrokerGone(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	r, w := io.Pipe()
	p := e.start(t, r, nil, "produce", "--to", "kafka:"+topic, "--timeout", "4s")
	if _, err := w.Write(numbers(0, 100)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first are there", func() bool {
		return strings.Count(e.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end"), "\n") == 100
	})
	e.broker.crash(t)
	if _, err := w.Write(numbers(100, 150)); err != nil {
		t.Fatal(err)
	}
	_ = w.Close() // of a pipe in memory
	if err := p.Wait(); err == nil {
		t.Error("produce ended well without a broker")
	}
	for _, want := range []string{"logctl: ", e.addrs[0], "did not acknowledge 50 records within 4s", "--timeout"} {
		if !strings.Contains(p.errs.String(), want) {
			t.Errorf("want %q in:\n%s", want, p.errs.String())
		}
	}
}

// pipeKilled: an at-least-once consume in a pipe is killed and started again
// while records keep coming; what the reader has put into a file lacks none.
func pipeKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	topic := c.topic(t, 6)
	f := c.feed(t, topic, 10_000)
	path := filepath.Join(t.TempDir(), "read")
	file := appendTo(t, path)
	args := []string{"consume", "--from", "kafka:" + topic, "--group", topic}
	for i := range crashes {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p := c.start(t, nil, w, args...)
		_ = w.Close() // the process has its own
		read := make(chan error, 1)
		go func() { _, err := io.Copy(file, r); read <- err }()
		if i%2 == 1 {
			readsOn(t, path)
		}
		time.Sleep(randomMoment())
		p.crash(t)
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte("\n")); err != nil { // behind a line that is torn
			t.Fatal(err)
		}
	}
	n := f.end(t)
	killed := tallyFiles(t, path)
	c.start(t, nil, file, append(args, "--stop", "end")...).end(t)
	missing, again := tallyFiles(t, path).sum(n)
	t.Logf("%d records, %d read by %d killed processes, %d came again", n, len(killed.seen), crashes, again)
	if missing > 0 || len(killed.seen) == 0 {
		t.Errorf("of %d records %d are missing", n, missing)
	}
}

// tableKilled: see killed; into SQLite. during is called before each start.
func tableKilled(t *testing.T, c *client, crashes int, during func(i int)) {
	t.Helper()
	db := filepath.Join(t.TempDir(), "out.db")
	killed(t, c, crashes, database{
		to: "sqlite:" + db + "#t", during: during,
		row: func(statement string) [4]int64 { return sqliteRow(t, db, statement) },
	})
}

// A database is one with a table t that consume writes to.
type database struct {
	to     string
	row    func(statement string) [4]int64 // zeros where there is no table yet
	during func(i int)
}

// killed: consume into a database is killed at random moments while records keep
// coming; every second process not before it has committed something. Every
// record is in the table, once.
func killed(t *testing.T, c *client, crashes int, db database) {
	t.Helper()
	topic := c.topic(t, 6)
	f := c.feed(t, topic, 10_000)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--delivery", "exactly-once", "--to", db.to,
	}
	count := func() int64 { return db.row("SELECT count(*) FROM t")[0] }
	rows := int64(0)
	for i := range crashes {
		db.during(i)
		p := c.start(t, nil, nil, args...)
		if i%2 == 1 {
			eventually(t, "it commits", func() bool { return count() > rows })
		}
		time.Sleep(randomMoment())
		p.crash(t)
		rows = count()
	}
	n := f.end(t)
	began := time.Now()
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	got := db.row("SELECT count(*), count(DISTINCT n), min(n), max(n) FROM t")
	t.Logf("%d records, %d rows by %d processes that were killed, the rest in %v", n, rows, crashes,
		time.Since(began).Round(time.Millisecond))
	if total := int64(n); got[0] != total || got[1] != total || got[2] != 0 || got[3] != total-1 {
		t.Errorf("rows, distinct, least and greatest are %v; want %d records once each", got, n)
	}
}

// randomMoment is how long a process lives: some do not get to read, most do.
func randomMoment() time.Duration { return time.Duration(20+rand.IntN(1000)) * time.Millisecond }
