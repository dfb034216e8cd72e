package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// produceDown starts a produce into a topic of one partition, writes ten records,
// and stops the broker when they are there.
func produceDown(t *testing.T, e *embedded, args ...string) (*process, *os.File, string) {
	t.Helper()
	topic := e.topic(t, 1)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	p := e.start(t, r, nil, append([]string{
		"produce", "--to", "kafka:" + topic, "--breaker", "2", "--breaker-open", "500ms", "--timeout", "2s",
	}, args...)...)
	_ = r.Close() // the process has its own
	if _, err := w.Write(numbers(0, 10)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first are there", func() bool {
		return strings.Count(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end"), "\n") == 10
	})
	e.broker.interrupt(t)
	return p, w, topic
}

// TestSpoolIsFull: when the disk of the spool is full the producer says so, and
// takes nothing more.
func TestSpoolIsFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	t.Parallel()
	e := embed(t)
	dir := filepath.Join(t.TempDir(), "spool")
	p, w, _ := produceDown(t, e, "--spool", dir)
	if err := os.Symlink("/dev/full", filepath.Join(dir, "00000000000000000000.spool")); err != nil {
		t.Fatal(err)
	}
	for n := 10; ; n += 10 { // the first of them are in flight when the breaker opens
		if _, err := w.Write(numbers(n, n+10)); err != nil {
			break // it has ended
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := p.Wait(); err == nil {
		t.Error("it ended well")
	}
	if want := "writing to spool \"" + dir + "\": "; !strings.Contains(p.errs.String(), want) ||
		!strings.Contains(p.errs.String(), "no space left on device") {
		t.Errorf("want %q in:\n%s", want, p.errs.String())
	}
}

// TestSpoolOutlivesItsProcess: a producer is killed while it spools; the next
// one sends what is in the spool before anything else, in order.
func TestSpoolOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	e := embed(t)
	dir := filepath.Join(t.TempDir(), "spool")
	p, w, topic := produceDown(t, e, "--spool", dir)
	spooled := func() (size int64) {
		names, _ := filepath.Glob(filepath.Join(dir, "*.spool"))
		for _, name := range names {
			if info, err := os.Stat(name); err == nil {
				size += info.Size()
			}
		}
		return size
	}
	n := 10
	for ; spooled() == 0; n += 10 {
		if _, err := w.Write(numbers(n, n+10)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, err := w.Write(numbers(n, n+10)); err != nil {
		t.Fatal(err)
	}
	last := []byte(fmt.Sprintf(`{"n":%d}`, n+9))
	eventually(t, "the last are spooled", func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "*.spool"))
		return slices.ContainsFunc(names, func(name string) bool { return bytes.Contains(read(t, name), last) })
	})
	p.crash(t)
	e.restart(t)
	r := e.run(t, strings.NewReader(string(numbers(n+10, n+20))), nil, "produce", "--to", "kafka:"+topic, "--spool", dir)
	if r.status != 0 || !strings.Contains(r.errs, "of an earlier run wait in the spool: they are sent first") {
		t.Fatalf("status %d: %s", r.status, r.errs)
	}
	read := e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")
	waited := regexp.MustCompile(`(\d+) records of an earlier run`).FindStringSubmatch(r.errs)[1]
	k := counted(r.errs, "replayed")
	if want := string(numbers(n+10-k, n+20)); !strings.HasSuffix(read, want) || waited != strconv.Itoa(k) {
		t.Errorf("%s waited, %d were replayed; read\n%s", waited, k, read)
	}
	if spooled() > 0 {
		t.Error("the spool is not empty")
	}
}

// TestSpoolBeforeTheBroker: the cluster is down when a producer begins. With a spool
// it takes records all the same, and they are sent in order when it is there, by this
// run or the next one.
func TestSpoolBeforeTheBroker(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	e.broker.interrupt(t)
	args := []string{
		"produce", "--to", "kafka:" + topic, "--spool", filepath.Join(t.TempDir(), "spool"), "--breaker-open", "200ms",
	}
	r := e.run(t, strings.NewReader(string(numbers(0, 10))), nil, args...)
	if r.status != 0 || counted(r.errs, "waiting in the spool") != 10 || !strings.Contains(r.errs, "connecting to kafka at") {
		t.Fatalf("status %d: %s", r.status, r.errs)
	}
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := e.start(t, in, nil, append(args, "--report")...)
	_ = in.Close() // the process has its own
	eventually(t, "it waits for the cluster", func() bool { return strings.Contains(p.errs.String(), "it is tried again") })
	if _, err := w.Write(numbers(10, 20)); err != nil {
		t.Fatal(err)
	}
	e.restart(t)
	read := func() string { return e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end") }
	eventually(t, "what waited is sent", func() bool { return read() == string(numbers(0, 20)) })
	if _, err := w.Write(numbers(20, 30)); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	p.end(t)
	if got := read(); got != string(numbers(0, 30)) || !strings.Contains(p.errs.String(), "acked 30") {
		t.Errorf("read %q after %s", got, p.errs.String())
	}
}

// TestSpoolIsCutOff: what is missing of a spool is said and counted, and what is left of
// it is sent.
func TestSpoolIsCutOff(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic := e.topic(t, 1)
	e.broker.interrupt(t)
	dir := filepath.Join(t.TempDir(), "spool")
	args := []string{"produce", "--to", "kafka:" + topic, "--spool", dir, "--breaker-open", "200ms"}
	for from := 0; from < 20; from += 10 {
		e.run(t, strings.NewReader(string(numbers(from, from+10))), nil, args...)
	}
	path := filepath.Join(dir, "00000000000000000000.spool")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-5); err != nil {
		t.Fatal(err)
	}
	e.restart(t)
	r := e.run(t, strings.NewReader(string(numbers(20, 30))), nil, args...)
	if r.status != 0 || counted(r.errs, "missing in the spool") != 10 || !strings.Contains(r.errs, "10 records that were in it are missing") {
		t.Fatalf("status %d: %s", r.status, r.errs)
	}
	want := string(numbers(0, 10)) + string(numbers(20, 30))
	if got := e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end"); got != want {
		t.Errorf("read %q", got)
	}
}

// TestGatewayWhileTheBrokerIsDown: posted records are refused with 503 and a
// time to come back, until they are taken again; where there is a spool they are
// taken all the time. What was answered 202 is in the topic, in the end.
func TestGatewayWhileTheBrokerIsDown(t *testing.T) {
	for name, args := range map[string][]string{
		"refused": {"--on-open", "block"},
		"dropped": {"--on-open", "drop"},
		"spooled": {"--spool", filepath.Join(t.TempDir(), "spool")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := embed(t)
			topic := e.topic(t, 1)
			p := e.start(t, nil, nil, append([]string{
				"produce", "--to", "kafka:" + topic, "--from", "http::0", "--breaker", "2", "--breaker-open", "500ms",
			}, args...)...)
			posts := startPosts(t, p)
			eventually(t, "records are taken", func() bool { return posts.count(202) > 100 })
			e.broker.interrupt(t)
			taken := posts.count(202)
			eventually(t, "records are spooled, or refused", func() bool {
				return name == "spooled" && posts.count(202) > taken+1000 || posts.count(503) > 0
			})
			refused := posts.count(503)
			e.restart(t)
			taken = posts.count(202)
			eventually(t, "records are taken again", func() bool { return posts.count(202) > taken+100 })
			stored := posts.end()
			p.interrupt(t)
			t.Logf("%d stored, %d refused meanwhile; %s", len(stored), refused, p.errs.String())
			if (refused > 0) != (name != "spooled") {
				t.Errorf("%d requests were answered 503 while the broker was down", refused)
			}
			if name == "spooled" { // what still waits is sent by the next run
				e.logctl(t, strings.NewReader(""), "produce", "--to", "kafka:"+topic, args[0], args[1])
			}
			read := new(tally)
			read.count(t, []byte(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
			for _, n := range stored {
				if n >= len(read.seen) || read.seen[n] != 1 {
					t.Fatalf("record %d was answered 202 and is not in the topic once", n)
				}
			}
		})
	}
}

// posts are clients that post a record each.
type posts struct {
	quit   chan struct{}
	group  sync.WaitGroup
	next   atomic.Int64
	mu     sync.Mutex
	codes  map[int]int
	stored []int
}

// startPosts starts a client of a gateway every other millisecond.
func startPosts(t *testing.T, p *process) *posts {
	t.Helper()
	address := regexp.MustCompile(`http://\S+`)
	eventually(t, "it listens", func() bool { return address.MatchString(p.errs.String()) })
	url := address.FindString(p.errs.String())
	c := &posts{quit: make(chan struct{}), codes: map[int]int{}}
	c.group.Go(func() {
		for {
			select {
			case <-c.quit:
				return
			case <-time.After(2 * time.Millisecond):
			}
			c.group.Go(func() { c.post(t, url) })
		}
	})
	return c
}

func (c *posts) post(t *testing.T, url string) {
	n := int(c.next.Add(1))
	// The number comes last: tally wants the record to be nothing else.
	resp, err := http.Post(url, "application/json", strings.NewReader(fmt.Sprintf(`{"id":1,"ts":1,"r":{"n":%d}}`, n)))
	if err != nil {
		t.Error(err)
		return
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		t.Error("503 without a Retry-After")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.codes[resp.StatusCode]++; resp.StatusCode == http.StatusAccepted {
		c.stored = append(c.stored, n)
	}
}

func (c *posts) count(code int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.codes[code]
}

// end returns the numbers that were answered 202.
func (c *posts) end() []int {
	close(c.quit)
	c.group.Wait()
	return c.stored
}
