package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestKilledWithHandlers: a consume with handlers, of whose records one in a
// hundred is refused, is killed at random moments while records keep coming.
// Every record is in the table or among the dead letters, none in both: no commit
// has passed one that failed, and none whose output was not there.
func TestKilledWithHandlers(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dead := e.topic(t, 6), e.topic(t, 1)
	db := filepath.Join(t.TempDir(), "out.db")
	f := e.feed(t, topic, 5_000)
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--to", "sqlite:" + db + "#t", "--dlq", "kafka:" + dead,
		"--workers", "3", "--exec", `sed -u 's/.*13}$/{"ack":"fail","error":"thirteen"}/'`,
	}
	for range crashes(t) {
		p := e.start(t, nil, nil, args...)
		time.Sleep(randomMoment())
		p.crash(t)
	}
	n := f.end(t)
	e.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	letters := new(tally)
	letters.count(t, []byte(e.logctl(t, nil, "consume", "--from", "kafka:"+dead, "--stop", "end")))
	refused := 0
	for i, times := range letters.seen {
		if times > 0 && i%100 != 13 {
			t.Errorf("record %d is a dead letter", i)
		}
		if times > 0 {
			refused++
		}
	}
	want := (n + 86) / 100
	got := sqliteRow(t, db, "SELECT count(*), count(DISTINCT n), sum(n % 100 = 13), 0 FROM t")
	t.Logf("%d records, %d in the table, %d refused", n, got[0], refused)
	if refused != want || got[1] != int64(n-want) || got[0] != got[1] || got[2] != 0 {
		t.Errorf("rows, distinct, refused among them: %v, dead letters %d; want %d and %d of %d records",
			got[:3], refused, n-want, want, n)
	}
}

// TestKilledInBackoff: a record that always fails is in the retry topic when its
// consume is killed, each time. The count of its attempts goes on: it becomes a
// dead letter after as many as are allowed, not more.
func TestKilledInBackoff(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, later, dead := e.topic(t, 1), e.topic(t, 1), e.topic(t, 1)
	e.logctl(t, strings.NewReader("{\"n\":1}\n{\"n\":2}\n"), "produce", "--to", "kafka:"+topic)
	attempts := filepath.Join(t.TempDir(), "attempts")
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--dlq", "kafka:" + dead, "--retry-topic", later,
		"--retry", "3", "--backoff", "10s..10s", "--exec-per-record",
		"--exec", "read x; case $x in *1*) echo $x >>" + attempts + "; exit 75;; esac; echo $x",
	}
	lines := func(topic string) int {
		return strings.Count(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end"), "\n")
	}
	for i := range 3 {
		p := e.start(t, nil, nil, args...)
		eventually(t, "it waits in the retry topic", func() bool { return lines(later) > i })
		// One killed before is an attempt that nobody knows of.
		eventually(t, "all but that is committed", func() bool {
			lag := e.logctl(t, nil, "group", "lag", topic)
			return strings.Count(lag, `"lag":0,`) == 1 && strings.Count(lag, `"lag":1,`) == 1
		})
		p.crash(t)
	}
	p := e.start(t, nil, nil, args...)
	eventually(t, "it is a dead letter", func() bool { return lines(dead) > 0 })
	p.interrupt(t)
	letter := e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+dead, "--stop", "end", "--template", "%h")
	for _, want := range []string{
		"logctl-attempts=4,", "logctl-source=" + topic + ",", "logctl-offset=0,", "logctl-class=RETRY,",
	} {
		if !strings.Contains(letter, want) {
			t.Errorf("want %s in %s", want, letter)
		}
	}
	text, err := os.ReadFile(attempts)
	if n := strings.Count(string(text), "\n"); err != nil || n < 4 || n > 4+3 { // one that nobody knows of is made again
		t.Errorf("%d attempts were made, want 4; %v", n, err)
	}
}

// TestSlowHandlers: two members whose handlers take longer over what was read
// than the session time-out is. The first is not put out of the group; when the
// second one comes it gets its share soon, and next to nothing is done twice.
func TestSlowHandlers(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 2)
	const n = 240
	e.logctl(t, strings.NewReader(string(numbers(0, n))), "produce", "--to", "kafka:"+topic, "--partitioner", "round-robin")
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--session-timeout", "6s",
		"--exec", "while read x; do sleep 0.2; echo $x; done",
	}
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	first := e.start(t, nil, appendTo(t, paths[0]), args...)
	eventually(t, "the first one has been slow for longer than its session lasts", func() bool {
		return len(tallyFiles(t, paths[0]).seen) > 0 && strings.Count(string(read(t, paths[0])), "\n") >= 35
	})
	second := e.start(t, nil, appendTo(t, paths[1]), args...)
	joined := time.Now()
	readsOn(t, paths[1])
	if took := time.Since(joined); took > 30*time.Second {
		t.Errorf("the second member waited for %v", took)
	}
	eventually(t, "all is handled", func() bool { missing, _ := tallyFiles(t, paths...).sum(n); return missing == 0 })
	first.interrupt(t)
	second.interrupt(t)
	_, again := tallyFiles(t, paths...).sum(n)
	t.Logf("%d records were handled by the second one, %d twice", strings.Count(string(read(t, paths[1])), "\n"), again)
	if again > 8 {
		t.Errorf("%d records were handled twice", again)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSlowHandlersAreNotEvicted: handlers take longer for a record than a silent member of
// the group has. Members are not silent meanwhile: none is given the
// records of another, neither while it works nor when a second one joins.
func TestSlowHandlersAreNotEvicted(t *testing.T) {
	t.Parallel()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	c := client{home: t.TempDir(), addrs: broker.ListenAddrs()}
	topic, out := c.topic(t, 4), new(text)
	c.logctl(t, bytes.NewReader(numbers(0, 8)), "produce", "--to", "kafka:"+topic, "--partitioner", "round-robin")
	args := []string{
		"consume", "--from", "kafka:" + topic, "--group", topic, "--session-timeout", "6s", "--instance-id", "-",
		"--exec", "while read -r x; do sleep 9; echo \"$x\"; done", "--workers", "2",
	}
	first := c.start(t, nil, out, args...)
	eventually(t, "the first has begun", func() bool { return strings.Contains(out.String(), "\n") })
	second := c.start(t, nil, out, args...)
	seen := new(tally)
	eventually(t, "all were handled", func() bool {
		seen = new(tally)
		seen.count(t, []byte(out.String()))
		missing, _ := seen.sum(8)
		return missing == 0
	})
	first.interrupt(t)
	second.interrupt(t)
	seen = new(tally)
	seen.count(t, []byte(out.String()))
	if missing, again := seen.sum(8); missing+again > 0 {
		t.Errorf("%d missing, %d handled again", missing, again)
	}
	if lag := c.logctl(t, nil, "group", "lag", topic); !strings.Contains(lag, `"lag":0`) || strings.Contains(lag, `"lag":1`) {
		t.Errorf("not all is committed: %s", lag)
	}
}
