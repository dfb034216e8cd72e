//go:build kafka

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of the files apache*_test.go run command lines, each a process of
// its own, against a real Apache Kafka that scripts/kafka/cluster.sh starts:
//
//	go test -tags kafka -run Apache ./cmd/logctl
//
// LOGCTL_KAFKA names the brokers of a running cluster for those tests that need
// nothing but a cluster. LOGCTL_CRASHES says how often a process is killed to
// prove that it survives.

// TestApache needs one cluster of three nodes for all of its parts.
func TestApache(t *testing.T) {
	a := startApache(t, 3, "")
	t.Run("Identity", func(t *testing.T) { testIdentity(t, a) })
	t.Run("Window", func(t *testing.T) { testWindow(t, a) })
	t.Run("Groups", func(t *testing.T) { testGroups(t, a) })
	t.Run("Scale", func(t *testing.T) { testScale(t, a) })
	t.Run("Pipe", func(t *testing.T) { testPipeKilled(t, a) })
	t.Run("ExactlyOnce", func(t *testing.T) { testExactlyOnce(t, a) })
	t.Run("NodesKilled", func(t *testing.T) { testNodesKilled(t, a) })
	t.Run("Outage", func(t *testing.T) { testOutage(t, a) })
}

// An apache is a cluster, and the environment of the commands that use it.
type apache struct {
	dir   string   // of the cluster; "" for the one of LOGCTL_KAFKA
	addrs []string // of the listeners: plaintext and, where asked for, SASL_PLAINTEXT, SSL
	home  string   // of the commands
}

const clusterScript = "../../scripts/kafka/cluster.sh"

// startApache returns a cluster that lives as long as the test. With auth it
// has listeners with SASL and TLS.
func startApache(t *testing.T, nodes int, auth string) *apache {
	t.Helper()
	a := &apache{home: t.TempDir()}
	if brokers := os.Getenv("LOGCTL_KAFKA"); brokers != "" && auth == "" {
		a.addrs = []string{brokers}
		return a
	}
	began := time.Now()
	a.dir = t.TempDir()
	t.Cleanup(func() {
		if err := a.script("stop", a.dir); err != nil {
			t.Error(err)
		}
	})
	out, err := exec.CommandContext(t.Context(), clusterScript, "start", strconv.Itoa(nodes), a.dir, auth).Output()
	if err != nil {
		t.Fatalf("starting Apache Kafka: %v", err)
	}
	a.addrs = strings.Fields(string(out))
	t.Logf("%d nodes up in %v", nodes, time.Since(began).Round(100*time.Millisecond))
	return a
}

// script runs the script of the cluster, also while a test is being cleaned up.
func (a *apache) script(args ...string) error {
	out, err := exec.CommandContext(context.Background(), clusterScript, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cluster.sh %v: %w\n%s", args, err, out)
	}
	return nil
}

func (a *apache) kill(t *testing.T, node int) {
	t.Helper()
	if err := a.script("kill", a.dir, strconv.Itoa(node)); err != nil {
		t.Error(err)
	}
}

// restart starts killed nodes again and returns when they answer.
func (a *apache) restart(t *testing.T, nodes ...int) {
	t.Helper()
	var up sync.WaitGroup
	for _, n := range nodes {
		up.Go(func() {
			if err := a.script("restart", a.dir, strconv.Itoa(n)); err != nil {
				t.Error(err)
			}
		})
	}
	up.Wait()
}

// mine skips a test that kills nodes where they are not ours.
func (a *apache) mine(t *testing.T) {
	t.Helper()
	if a.dir == "" {
		t.Skip("the nodes of LOGCTL_KAFKA are not ours to kill")
	}
}

// topic creates a topic for a test.
func (a *apache) topic(t *testing.T, partitions int) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	a.logctl(t, nil, "topic", "create", name, "--partitions", strconv.Itoa(partitions))
	return name
}

// command returns a command line that has not been started. More settings of
// its environment come first.
func (a *apache) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "logctl", args...) // this program again: see TestMain
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + a.home, "XDG_CONFIG_HOME=" + filepath.Join(a.home, "config"),
		"XDG_STATE_HOME=" + filepath.Join(a.home, "state"), "LOGCTL_BROKERS=" + a.addrs[0],
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
func (a *apache) run(t *testing.T, stdin io.Reader, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := a.command(ctx, env, args...)
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
func (a *apache) logctl(t *testing.T, stdin io.Reader, args ...string) string {
	t.Helper()
	r := a.run(t, stdin, nil, args...)
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
func (a *apache) start(t *testing.T, stdin io.Reader, out io.Writer, args ...string) *process {
	t.Helper()
	p := &process{Cmd: a.command(t.Context(), nil, args...), args: args}
	p.Stdin, p.Stdout, p.Stderr = stdin, out, &p.errs
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// crash kills a process that must be running still.
func (p *process) crash(t *testing.T) {
	t.Helper()
	err := errors.Join(p.Process.Kill(), p.Wait())
	if p.ProcessState == nil || p.ProcessState.ExitCode() != -1 {
		t.Fatalf("logctl %q ended before it was killed: %v\n%s", p.args, err, p.errs.String())
	}
}

// end waits for the end of a process, which must be a good one.
func (p *process) end(t *testing.T) {
	t.Helper()
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
	sent chan int
}

// feed starts to ship about so many records a second, round-robin over the
// partitions of a topic.
func (a *apache) feed(t *testing.T, topic string, rate int) *feed {
	t.Helper()
	r, w := io.Pipe()
	f := &feed{quit: make(chan struct{}), sent: make(chan int, 1)}
	f.process = a.start(t, r, nil, "produce", "--to", "kafka:"+topic, "--partitioner", "round-robin",
		"--timeout", "2m", "--report")
	go f.write(w, rate)
	return f
}

func (f *feed) write(w io.WriteCloser, rate int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	n := 0
	for {
		select {
		case <-tick.C:
			if _, err := w.Write(numbers(n, n+rate/100)); err != nil {
				f.sent <- n // the process says why
				return
			}
			n += rate / 100
		case <-f.quit:
			_ = w.Close() // of a pipe in memory
			f.sent <- n
			return
		}
	}
}

// end returns how many records there were, when all are acknowledged.
func (f *feed) end(t *testing.T) int {
	t.Helper()
	close(f.quit)
	n := <-f.sent
	f.process.end(t)
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
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in a minute it did not come to this: %s", what)
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

func sortedLines(s string) []string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	slices.Sort(lines)
	return lines
}
