package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestKilledAtMostOnce(t *testing.T) {
	t.Parallel()
	mostOnceKilled(t, &embed(t).client, crashes(t))
}

func TestKilledInTransaction(t *testing.T) {
	t.Parallel()
	txnKilled(t, &embed(t).client, crashes(t))
}

func TestKilledBetweenTopics(t *testing.T) {
	t.Parallel()
	topicKilled(t, &embed(t).client, crashes(t))
}

// topicKilled: an exactly-once consume from one topic into another is killed at
// random moments while records keep coming, every second time not before something
// was committed. Who reads what is committed has every record, once.
func topicKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	from, to := c.topic(t, 6), c.topic(t, 3)
	f := c.feed(t, from, 10_000)
	args := []string{
		"consume", "--from", "kafka:" + from, "--group", from, "--delivery", "exactly-once", "--to", "kafka:" + to,
	}
	committed := func() *tally {
		got := new(tally)
		got.count(t, []byte(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+to, "--stop", "end")))
		return got
	}
	killed := new(tally)
	for i := range crashes {
		p := c.start(t, nil, nil, args...)
		if i%2 == 1 {
			eventually(t, "it commits", func() bool { return len(committed().seen) > len(killed.seen) })
		}
		time.Sleep(randomMoment())
		p.crash(t)
		killed = committed()
	}
	n := f.end(t)
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	missing, again := committed().sum(n)
	t.Logf("%d records, the last of %d killed processes had come to %d", n, crashes, len(killed.seen))
	if missing > 0 || again > 0 {
		t.Errorf("of %d records %d are missing, %d are there twice", n, missing, again)
	}
}

// mostOnceKilled: an at-most-once consume is killed and started again while
// records keep coming. What it had in hand is lost; nothing comes twice.
func mostOnceKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	topic := c.topic(t, 3)
	f := c.feed(t, topic, 10_000)
	path := filepath.Join(t.TempDir(), "read")
	file := appendTo(t, path)
	args := []string{"consume", "--from", "kafka:" + topic, "--group", topic, "--delivery", "at-most-once"}
	for range crashes {
		p := c.start(t, nil, file, args...)
		time.Sleep(randomMoment())
		p.crash(t)
		if _, err := file.WriteString("\n"); err != nil { // behind a line that is torn
			t.Fatal(err)
		}
	}
	n := f.end(t)
	c.start(t, nil, file, append(args, "--stop", "end")...).end(t)
	got := tallyFiles(t, path)
	missing, again := got.sum(n)
	t.Logf("%d records, %d lost by %d killed processes, %d came again", n, missing, crashes, again)
	if again > 0 || len(got.seen) == 0 || missing == n {
		t.Errorf("of %d records %d came again, %d are missing", n, again, missing)
	}
}

// txnKilled: produce is killed in the middle of its transactions, and the next
// one goes on behind what is committed. Who reads what is committed sees each
// record once, in order, and never a part of a transaction that was given up.
func txnKilled(t *testing.T, c *client, crashes int) {
	t.Helper()
	topic := c.topic(t, 1)
	args := []string{"produce", "--to", "kafka:" + topic, "--txn", topic}
	committed := 0
	for range crashes {
		r, w := io.Pipe()
		p := c.start(t, r, nil, args...)
		go func(from int) { // until the process is gone
			for n := from; ; n += 100 {
				if _, err := w.Write(numbers(n, n+100)); err != nil {
					return
				}
				time.Sleep(2 * time.Millisecond) // a pace at which all can be read again after each
			}
		}(committed)
		time.Sleep(randomMoment())
		_ = p.Process.Kill() // Wait tells
		_ = r.Close()        // or Wait waits for the copying
		_ = p.Wait()
		committed = committedPrefix(t, c, topic, committed)
	}
	c.logctl(t, strings.NewReader(string(numbers(committed, committed+1000))), args...)
	total := committedPrefix(t, c, topic, committed)
	all := c.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end", "--isolation", "read_uncommitted")
	t.Logf("%d records committed by %d killed processes, %d more given up", committed, crashes,
		strings.Count(all, "\n")-total)
	if total != committed+1000 {
		t.Errorf("%d records committed, want %d", total, committed+1000)
	}
}

// committedPrefix ends a transaction that is open, as the next producer of its
// name does, and returns how many numbered records are committed: all from 0 on,
// each once, and none less than before.
func committedPrefix(t *testing.T, c *client, topic string, before int) int {
	t.Helper()
	next, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.addrs[0], ",")...), kgo.TransactionalID(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if _, _, err := next.ProducerID(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := c.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end")
	n := strings.Count(got, "\n")
	if want := string(numbers(0, n)); got != want {
		t.Fatalf("%d records are committed, and not those from 0 on, each once: %s", n, firstDifference(got, want))
	}
	if n < before {
		t.Fatalf("%d records are committed, there were %d", n, before)
	}
	return n
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %s, want %s", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}
