package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A client runs command lines, each a process of its own, against a cluster.
type client struct {
	home  string   // of the commands
	addrs []string // of the cluster; the first is the default
}

// topic creates a topic for a test.
func (c *client) topic(t *testing.T, partitions int) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	c.logctl(t, nil, "topic", "create", name, "--partitions", strconv.Itoa(partitions))
	return name
}

// command returns a command line that has not been started. More settings of
// its environment come first.
func (c *client) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "logctl", args...) // this program again: see TestMain
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "XDG_CONFIG_HOME=" + filepath.Join(c.home, "config"),
		"XDG_STATE_HOME=" + filepath.Join(c.home, "state"), "LOGCTL_BROKERS=" + c.addrs[0],
		"LOGCTL_DRAIN=2m", // on a busy machine
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// A result is what became of a command line.
type result struct {
	out, errs string
	status    int
	took      time.Duration
}

// run runs a command line to its end.
func (c *client) run(t *testing.T, stdin io.Reader, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), endless)
	defer cancel()
	cmd := c.command(ctx, env, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it writes where it is
	cmd.WaitDelay = 10 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	began := time.Now()
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && (!exited || ctx.Err() != nil) {
		t.Fatalf("logctl %q: %v\n%s", args, err, errs.String())
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

// logctl runs a command line that must succeed and returns what it prints.
func (c *client) logctl(t *testing.T, stdin io.Reader, args ...string) string {
	t.Helper()
	r := c.run(t, stdin, nil, args...)
	for n := 0; n < 5 && strings.Contains(r.errs, "no answer from kafka at"); n++ { // a busy broker is no absent one
		if s, ok := stdin.(io.Seeker); ok {
			_, _ = s.Seek(0, io.SeekStart) // of text in memory
		}
		r = c.run(t, stdin, nil, args...)
	}
	if r.status != 0 {
		t.Fatalf("logctl %q: status %d\n%s", args, r.status, r.errs)
	}
	return r.out
}

// A process is a command line that runs beside the test.
type process struct {
	*exec.Cmd
	args []string
	errs text
}

// A text is what a process has written so far.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// start starts a command line. stdin and out may be nil.
func (c *client) start(t *testing.T, stdin io.Reader, out io.Writer, args ...string) *process {
	t.Helper()
	p := &process{Cmd: c.command(t.Context(), nil, args...), args: args}
	p.begin(t, stdin, out)
	return p
}

func (p *process) begin(t *testing.T, stdin io.Reader, out io.Writer) {
	t.Helper()
	p.Stdin, p.Stdout, p.Stderr = stdin, out, &p.errs
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill() // the context does so by a goroutine, which the end of the program may overtake
		if said := p.errs.String(); t.Failed() && said != "" {
			t.Logf("logctl %q said:\n%s", p.args, said)
		}
	})
}

// crash kills a process that must be running still.
func (p *process) crash(t *testing.T) {
	t.Helper()
	err := errors.Join(p.Process.Kill(), p.Wait())
	if p.ProcessState == nil || p.ProcessState.ExitCode() != -1 {
		t.Fatalf("logctl %q ended before it was killed: %v\n%s", p.args, err, p.errs.String())
	}
}

// endless is after how long a process that should have ended is asked where it is:
// Go programs write what each goroutine does on SIGQUIT, and end. Nothing else is waited
// for longer: it bounds what hangs, and not what is slow.
const endless = 3 * time.Minute

// end waits for the end of a process, which must be a good one.
func (p *process) end(t *testing.T) {
	t.Helper()
	ask := time.AfterFunc(endless, func() { _ = p.Process.Signal(syscall.SIGQUIT) })
	defer ask.Stop()
	if err := p.Wait(); err != nil {
		t.Fatalf("logctl %q: %v\n%s", p.args, err, p.errs.String())
	}
}

// interrupt ends a process as Ctrl-C does.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.end(t)
}

// A feed ships numbered records, {"n":0} and so on, until it is told to end.
type feed struct {
	*process
	quit chan struct{}
	done chan struct{}
	sent atomic.Int64
}

// feed starts to ship about so many records a second, round-robin over the
// partitions of a topic.
func (c *client) feed(t *testing.T, topic string, rate int) *feed {
	t.Helper()
	r, w := io.Pipe()
	f := &feed{quit: make(chan struct{}), done: make(chan struct{})}
	f.process = c.start(t, r, nil, "produce", "--to", "kafka:"+topic, "--partitioner", "round-robin",
		"--timeout", "2m", "--report")
	go f.write(w, rate)
	return f
}

func (f *feed) write(w io.WriteCloser, rate int) {
	defer close(f.done)
	defer func() { _ = w.Close() }() // of a pipe in memory
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n += rate / 100 {
		f.sent.Store(int64(n))
		select {
		case <-tick.C:
		case <-f.quit:
			return
		}
		if _, err := w.Write(numbers(n, n+rate/100)); err != nil {
			return // the process says why
		}
	}
}

// end returns how many records there were, when all are acknowledged.
func (f *feed) end(t *testing.T) int {
	t.Helper()
	close(f.quit)
	<-f.done
	f.process.end(t)
	n := int(f.sent.Load())
	if acked := ackedOf(t, f.errs.String()); acked != n {
		t.Errorf("%d records sent, %d acknowledged: %s", n, acked, f.errs.String())
	}
	return n
}

var ackedCount = regexp.MustCompile(`acked ([0-9,]+)`)

// ackedOf reads the report of produce.
func ackedOf(t *testing.T, report string) int {
	t.Helper()
	m := ackedCount.FindStringSubmatch(report)
	if m == nil {
		t.Fatalf("no report: %s", report)
	}
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// numbers returns the records from lo up to hi, a line each.
func numbers(lo, hi int) []byte {
	var b []byte
	for n := lo; n < hi; n++ {
		b = fmt.Appendf(b, "{\"n\":%d}\n", n)
	}
	return b
}

var numbered = regexp.MustCompile(`\{"n":(\d+)\}`)

// A tally says how often each record was seen.
type tally struct{ seen []int }

// count adds the whole records in some text. The last line of a process that
// was killed may be torn.
func (c *tally) count(t *testing.T, text []byte) {
	t.Helper()
	for _, m := range numbered.FindAllSubmatch(text, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(c.seen) {
			c.seen = append(c.seen, make([]int, n+1-len(c.seen))...)
		}
		c.seen[n]++
	}
}

// sum returns how many of n records are missing, and how many came again.
func (c *tally) sum(n int) (missing, again int) {
	for i := range max(n, len(c.seen)) {
		switch {
		case i >= len(c.seen) || c.seen[i] == 0:
			missing++
		default:
			again += c.seen[i] - 1
		}
	}
	return missing, again
}

// tallyFiles counts what processes have written.
func tallyFiles(t *testing.T, paths ...string) *tally {
	t.Helper()
	c := new(tally)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c.count(t, text)
	}
	return c
}

// appendTo opens a file that processes write to, one after the other.
func appendTo(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // a process has written to it
	return f
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(endless); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in %v it did not come to this: %s", endless, what)
		}
	}
}

// number reads a setting of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
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
