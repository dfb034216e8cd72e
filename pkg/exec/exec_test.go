package exec_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
	"github.com/logctl/logctl/pkg/stream"
)

// TestMain is also the handlers of these tests: TEST_HANDLER names one.
func TestMain(m *testing.M) {
	if name := os.Getenv("TEST_HANDLER"); name != "" {
		handlers[name](os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// handler returns the command that runs one of handlers.
func handler(name string) string { return "TEST_HANDLER=" + name + " exec " + os.Args[0] }

// each returns a handler that answers every line at once.
func each(answer func(line string) string) func(io.Reader, io.Writer) {
	return func(in io.Reader, out io.Writer) {
		lines := bufio.NewReader(in)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprintln(out, answer(strings.TrimSuffix(line, "\n")))
		}
	}
}

var handlers = map[string]func(io.Reader, io.Writer){
	"cat": each(func(line string) string { return line }),
	"ack": each(func(string) string { return `{"ack":"ok"}` }),
	// refuses the bad, asks twice for what is flaky, dies of the deadly, hangs at the hanging.
	"poison": func(in io.Reader, out io.Writer) {
		seen := map[string]int{}
		each(func(line string) string {
			switch {
			case strings.Contains(line, "bad"):
				return `{"error":"no such thing as ` + line + `","ack":"fail","class":"wrong"}`
			case strings.Contains(line, "flaky") && seen[line] < 2:
				seen[line]++
				return `{"ack":"retry","error":"busy"}`
			case strings.Contains(line, "deadly"):
				os.Exit(3)
			case strings.Contains(line, "hanging"):
				time.Sleep(time.Hour)
			}
			return line
		})(in, out)
	},
	"noisy": func(in io.Reader, out io.Writer) {
		each(func(line string) string {
			for range 1000 {
				fmt.Fprintln(os.Stderr, "something is wrong with", line)
			}
			return line
		})(in, out)
	},
	"talker": each(func(line string) string { return line + "\nand another thing" }),
	"endless": func(in io.Reader, out io.Writer) {
		for _, _ = in.Read(make([]byte, 1)); ; {
			fmt.Fprint(out, "no end of this line ")
		}
	},
	"hundredth": hundredth,
	"gatherer": func(in io.Reader, out io.Writer) { // as those whose stdio gathers what they write
		all, _ := io.ReadAll(in)
		_, _ = out.Write(all)
	},
	"slow": each(func(line string) string { time.Sleep(20 * time.Millisecond); return line }),
	"meet": each(meet),
}

// meet answers when eight handlers have had a line, each of which names a directory.
func meet(line string) string {
	here, err := os.Create(filepath.Join(line, strconv.Itoa(os.Getpid())))
	if err != nil {
		return err.Error()
	}
	_ = here.Close()
	for ; ; time.Sleep(time.Millisecond) {
		if all, err := os.ReadDir(line); err != nil || len(all) >= 8 {
			return line
		}
	}
}

// one is a command for one record.
const one = `read x; case $x in bad) exit 1;; flaky) exit 75;; hanging) sleep 100;; esac
	echo "$LOGCTL_SOURCE/$LOGCTL_OFFSET $x"`

// got is a sink that keeps the values it is given, and letters.
type got struct {
	mu     sync.Mutex
	values []string
	states []letter.State
	fail   error
}

func (g *got) Write(rows record.Rows) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := rows.Lo; i < rows.Hi; i++ {
		g.values = append(g.values, string(rows.Value(i)))
		if s, ok := letter.Read(rows.Batch, i); ok {
			g.states = append(g.states, s)
		}
	}
	return g.fail
}

func (g *got) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.values)
}

// quick is a policy whose tests do not last.
func quick(most int) retry.Policy {
	return retry.Policy{Most: most, Backoff: limit.Backoff{Base: time.Millisecond, Most: 2 * time.Millisecond}}
}

var origins sync.Map // of partitions

// batch returns records of a partition, numbered from base; "key:value" has a key.
func batch(part int32, base int64, values ...string) *record.Batch {
	origin, _ := origins.LoadOrStore(part, &record.Origin{Source: "t", Topic: true, Partition: part})
	b := record.NewBatch()
	b.Origin = origin.(*record.Origin)
	for i, v := range values {
		rec := b.Add([]byte(v))
		rec.Offset = base + int64(i)
	}
	for i, v := range values {
		if key, _, ok := strings.Cut(v, ":"); ok {
			b.Recs[i].Flags |= record.HasKey
			b.Recs[i].Key = record.AppendSpan(b, key)
		}
	}
	return b
}

func numbered(prefix string, n int) (values []string) {
	for i := range n {
		values = append(values, prefix+strconv.Itoa(i))
	}
	return values
}

// give writes batches and waits until everything is finished.
func give(t *testing.T, s *exec.Sink, batches ...*record.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := s.Write(b.All()); err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
	finish(t, s)
}

func finish(t *testing.T, s *exec.Sink) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := s.Drain(ctx, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats.Waiting.Load(); n != 0 {
		t.Errorf("%d records are said to wait when all is finished", n)
	}
}

func open(t *testing.T, opt exec.Options) *exec.Sink {
	t.Helper()
	if opt.Out == nil {
		opt.Out = new(got)
	}
	s := exec.Open(opt)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestHandlerThatStays(t *testing.T) {
	out := new(got)
	s := open(t, exec.Options{Command: handler("cat"), Out: out})
	values := numbered("line ", 50_000)
	give(t, s, batch(0, 0, values[:20_000]...), batch(0, 20_000, values[20_000:]...))
	if !slices.Equal(out.all(), values) {
		t.Errorf("%d values came back, not the %d that were given, in their order", len(out.all()), len(values))
	}
	if n := s.Stats.Started.Load(); n != 1 {
		t.Errorf("%d handlers were started", n)
	}
	if at := s.Finished(stream.Position{Source: "t", Next: 50_000}); at.Next != 50_000 {
		t.Errorf("finished up to %d", at.Next)
	}
}

func TestAnswersControl(t *testing.T) {
	out, dead := new(got), new(got)
	s := open(t, exec.Options{Command: handler("poison"), Out: out, Dead: dead, Policy: quick(5)})
	give(t, s, batch(0, 100, "a", "k:flaky", "bad one", "k:behind", "b"))
	want := []string{"a", "b", "k:behind", "k:flaky"}
	values := out.all()
	if i, j := slices.Index(values, "k:flaky"), slices.Index(values, "k:behind"); i > j {
		t.Errorf("got %q: one that waits must not be overtaken by those of its key", values)
	}
	slices.Sort(values)
	if !slices.Equal(values, want) {
		t.Errorf("got %q, want %q", values, want)
	}
	if len(dead.states) != 1 {
		t.Fatalf("dead letters: %+v", dead.states)
	}
	st := dead.states[0]
	if st.ID() != "t/0@102" || st.Class != "WRONG" || st.Kind != retry.Permanent || st.Attempts != 1 {
		t.Errorf("got %+v", st)
	}
	if n := s.Stats.Retried.Load(); n < 2 || n > 3 { // a handler that is started again asks again
		t.Errorf("%d attempts were made again, want 2", n)
	}
}

// TestSurvival has handlers misbehave in every way: all records but the guilty
// ones are handled, and those are dead letters that say why.
func TestSurvival(t *testing.T) {
	for _, c := range []struct {
		name, guilty, class string
		opt                 exec.Options
		attempts            int
	}{
		{"crash", "deadly", retry.Crash, exec.Options{Command: handler("poison")}, 3},
		{"hang", "hanging", retry.Timeout, exec.Options{Command: handler("poison"), Timeout: time.Second}, 3},
		{"exit status", "bad", retry.Refused, exec.Options{Command: one, PerRecord: true}, 1},
		{"status 75", "flaky", retry.Asked, exec.Options{Command: one, PerRecord: true}, 3},
		{"a process hangs", "hanging", retry.Timeout, exec.Options{
			Command: one, PerRecord: true, Timeout: 2 * time.Second,
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, dead := new(got), new(got)
			c.opt.Out, c.opt.Dead, c.opt.Policy = out, dead, quick(2)
			s := open(t, c.opt)
			values := numbered("line ", 30)
			values[10] = c.guilty
			give(t, s, batch(0, 0, values...))
			if n := len(out.all()); n != 29 {
				t.Errorf("%d records came through, want 29: %q", n, out.all())
			}
			if len(dead.states) != 1 || dead.values[0] != c.guilty {
				t.Fatalf("dead letters %q", dead.values)
			}
			if st := dead.states[0]; st.Class != c.class || st.Attempts != c.attempts || st.ID() != "t/0@10" {
				t.Errorf("got %+v, want class %s after %d attempts", st, c.class, c.attempts)
			}
		})
	}
}

func TestFloodOfStderr(t *testing.T) {
	var complaints bytes.Buffer
	out := new(got)
	s := open(t, exec.Options{Command: handler("noisy"), Out: out, Stderr: &complaints})
	give(t, s, batch(0, 0, numbered("n", 20)...))
	_ = s.Close()
	if n := strings.Count(complaints.String(), "\n"); n < 1 || n > 200 || len(out.all()) != 20 {
		t.Errorf("%d lines were passed on, %d records came through", n, len(out.all()))
	}
}

func TestHandlerThatTalksTooMuch(t *testing.T) {
	for _, name := range []string{"talker", "endless"} {
		var said []string
		out, dead := new(got), new(got)
		s := open(t, exec.Options{
			Command: handler(name), Out: out, Dead: dead, Policy: quick(1), MaxLine: 10_000,
			Note: func(s string) { said = append(said, s) },
		})
		give(t, s, batch(0, 0, "x"))
		_ = s.Close()
		if len(out.values)+len(dead.values) != 1 || !strings.Contains(strings.Join(said, "\n"), "it wrote a line") {
			t.Errorf("%s: out %q, dead %q, said %q", name, out.values, dead.values, said)
		}
	}
}

// TestHandlerThatGathers has one that answers nothing before the end of its
// input, as programs do whose output is not a terminal: it sees that end when
// its time is up. Before, it is said once what it is waited for.
func TestHandlerThatGathers(t *testing.T) {
	out := new(got)
	said := make(chan string, 100)
	s := open(t, exec.Options{
		Command: handler("gatherer"), Out: out, Timeout: 2 * time.Second, Note: func(text string) { said <- text },
	})
	b := batch(0, 0, numbered("n", 100)...)
	if err := s.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); len(out.all()) < 100 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if len(out.all()) != 100 {
		t.Errorf("%d records came back", len(out.all()))
	}
	_ = s.Close()
	close(said)
	n := 0
	for text := range said {
		n += strings.Count(text, "with 100 records in hand: it has to write a line for each")
	}
	if n != 1 {
		t.Errorf("it is said %d times what the handler is waited for", n)
	}
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	unknown := open(t, exec.Options{Command: "no-such-command-here"})
	_ = unknown.Write(batch(0, 0, "x").All())
	if err := unknown.Drain(t.Context(), false); err == nil || !strings.Contains(err.Error(), "no-such-command-here") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutDeadLettersTheRunEnds(t *testing.T) {
	s := open(t, exec.Options{Command: handler("poison"), Policy: quick(2)})
	_ = s.Write(batch(0, 0, "a", "bad").All())
	err := s.Drain(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), "t/0@1: ") {
		t.Errorf("got %v", err)
	}
	if at := s.Finished(stream.Position{Source: "t", Next: 2}); at.Next != 1 {
		t.Errorf("finished up to %d, want 1: the failed record is not passed", at.Next)
	}
}

// TestOrderOfKeys has many keys whose records fail at random: those of a key come
// out in their order, each exactly once, whatever the number of workers.
func TestOrderOfKeys(t *testing.T) {
	for _, workers := range []int{1, 3} {
		out := new(got)
		s := open(t, exec.Options{Command: handler("poison"), Workers: workers, Out: out, Policy: quick(9), Dead: new(got)})
		var batches []*record.Batch
		for n := range 40 {
			var values []string
			for i := range 50 {
				what := "fine"
				if (n*50+i)%13 == 0 {
					what = "flaky"
				}
				values = append(values, fmt.Sprintf("k%d:%s %05d", (n+i)%7, what, n*50+i))
			}
			batches = append(batches, batch(0, int64(n*50), values...))
		}
		give(t, s, batches...)
		last := map[string]string{}
		for _, v := range out.all() {
			key, n := v[:2], v[len(v)-5:]
			if n <= last[key] {
				t.Fatalf("%d workers: %s after %s of key %s", workers, n, last[key], key)
			}
			last[key] = n
		}
		if n := len(out.all()); n != 2000 {
			t.Errorf("%d workers: %d records, want 2000", workers, n)
		}
	}
}

// TestWaitingHoldsUpOnlyItsKey has a record wait for an hour: all others are
// handled, and the position stays before it.
func TestWaitingHoldsUpOnlyItsKey(t *testing.T) {
	out := new(got)
	p := retry.Policy{Most: 10, Backoff: limit.Backoff{Base: time.Hour, Most: time.Hour}}
	s := open(t, exec.Options{Command: handler("poison"), Out: out, Policy: p})
	values := numbered("n:", 100)
	values[7] = "k:flaky"
	values[8] = "k:behind"
	if err := s.Write(batch(0, 0, values...).All()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); len(out.all()) < 98 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if n := len(out.all()); n != 98 {
		t.Fatalf("%d records came through, want 98", n)
	}
	if at := s.Finished(stream.Position{Source: "t", Next: 100}); at.Next != 7 {
		t.Errorf("finished up to %d, want 7", at.Next)
	}
	// Interrupted, it is left to be read again.
	if err := s.Drain(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if at := s.Finished(stream.Position{Source: "t", Next: 100}); at.Next != 7 {
		t.Errorf("after an interrupt finished up to %d, want 7", at.Next)
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	out := new(got)
	p := retry.Policy{Most: 10, Backoff: limit.Backoff{Base: time.Hour, Most: time.Hour}}
	s := open(t, exec.Options{Command: handler("slow"), Out: out, Policy: p})
	gone, stays := batch(1, 0, numbered("gone", 200)...), batch(2, 0, numbered("stays", 20)...)
	for _, b := range []*record.Batch{gone, stays} {
		if err := s.Write(b.All()); err != nil {
			t.Fatal(err)
		}
	}
	for len(out.all()) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Leave([]*record.Origin{gone.Origin})
	at := s.Finished(stream.Position{Source: "t", Partition: 1, Next: 200})
	if at.Next < 1 || at.Next > 200 {
		t.Errorf("finished up to %d", at.Next)
	}
	before := 0
	for _, v := range out.all() {
		if strings.HasPrefix(v, "gone") {
			before++
		}
	}
	finish(t, s)
	n := 0
	for _, v := range out.all() {
		if strings.HasPrefix(v, "gone") {
			n++
		}
	}
	if n != before || int64(n) != at.Next || len(out.all()) != n+20 {
		t.Errorf("%d of the partition that left came out, %d before it left; finished up to %d; %d in all",
			n, before, at.Next, len(out.all()))
	}
	// It comes back where it was left.
	again := batch(1, at.Next, numbered("gone", int(200-at.Next))...)
	if at := s.Finished(stream.Position{Source: "t", Partition: 1, Next: 5}); at.Next != 5 {
		t.Errorf("got %d, want 5", at.Next)
	}
	give(t, s, again)
	if at := s.Finished(stream.Position{Source: "t", Partition: 1, Next: 200}); at.Next != 200 {
		t.Errorf("finished up to %d, want 200", at.Next)
	}
}

func TestRetryTopic(t *testing.T) {
	out, later := new(got), new(got)
	p := retry.Policy{Most: 3, Backoff: limit.Backoff{Base: time.Hour, Most: time.Hour}}
	s := open(t, exec.Options{Command: handler("poison"), Out: out, Later: later, RetryTopic: "retry", Policy: p})
	give(t, s, batch(0, 40, "a", "flaky"))
	if len(later.states) != 1 || later.states[0].Attempts != 1 || later.states[0].Due < time.Now().UnixNano() {
		t.Fatalf("in the retry topic: %+v", later.states)
	}
	// It comes back, when it is due, and its count goes on.
	st := later.states[0]
	st.Due = time.Now().Add(50 * time.Millisecond).UnixNano()
	back := record.NewBatch()
	back.Origin = &record.Origin{Source: "retry", Topic: true}
	letter.Append(back, batch(0, 41, "flaky"), 0, &st)
	give(t, s, back)
	if len(later.states) != 2 || later.states[1].Attempts != 2 || later.states[1].ID() != "t/0@41" {
		t.Fatalf("in the retry topic: %+v", later.states)
	}
	if time.Now().UnixNano() < st.Due {
		t.Error("it was tried before it was due")
	}
}

// TestHandlerThatEndsByItselfIsSaid has a handler end before it is given anything, when
// all input has come: the run waits, and says for what.
func TestHandlerThatEndsByItselfIsSaid(t *testing.T) {
	said := make(chan string, 100)
	s := open(t, exec.Options{
		Command: "exit 3", Dead: new(got), Policy: quick(1), Note: func(text string) { said <- text },
	})
	if err := s.Write(batch(0, 0, "a", "b").All()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var ending sync.WaitGroup
	ending.Go(func() { _ = s.Drain(ctx, false) })
	defer ending.Wait()
	defer cancel()
	want := "the handler ended (exit status 3) without having been given anything"
	late := time.After(time.Minute)
	for text := ""; !strings.Contains(text, want); {
		select {
		case text = <-said:
		case <-late:
			t.Fatalf("it is not said that %s", want)
		}
	}
}

// TestHandlerThatNeverStaysEndsTheRun: where no handler has ever answered anything, and
// one after the other ends by itself, the command is wrong. Nothing is finished then.
func TestHandlerThatNeverStaysEndsTheRun(t *testing.T) {
	t.Parallel()
	dead := new(got)
	// On a slow machine one may be given a record before it is seen to have ended.
	s := open(t, exec.Options{Command: "exit 3", Dead: dead, Policy: quick(1000)})
	if err := s.Write(batch(0, 0, "a", "b").All()); err != nil {
		t.Fatal(err)
	}
	err := s.Drain(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), `"exit 3": the handler ended (exit status 3), as `) {
		t.Errorf("the run ends with %v", err)
	}
	at := s.Finished(stream.Position{Source: "t", Next: 2})
	if n := s.Stats.Started.Load(); at.Next != 0 || len(dead.all()) != 0 || n < 5 {
		t.Errorf("finished is what is before %d, dead letters %q, %d handlers", at.Next, dead.all(), n)
	}
}

// TestHandlerThatHasWorkedIsWaitedFor: what it depends on may be down.
func TestHandlerThatHasWorkedIsWaitedFor(t *testing.T) {
	t.Parallel()
	out, starts := new(got), filepath.Join(t.TempDir(), "starts")
	s := open(t, exec.Options{Out: out, Policy: quick(1000), Command: fmt.Sprintf(`echo >>%q; case $(wc -l <%[1]q) in
		1) read x; echo "$x"; exit;; [2-7]) exit 3;; esac
		exec cat`, starts)})
	give(t, s, batch(0, 0, "a", "b", "c"))
	if want := []string{"a", "b", "c"}; !slices.Equal(out.all(), want) || s.Stats.Started.Load() != 8 {
		t.Errorf("got %q of %d handlers", out.all(), s.Stats.Started.Load())
	}
}

func TestEnvelopesAndLineEnds(t *testing.T) {
	out, dead := new(got), new(got)
	s := open(t, exec.Options{Command: handler("cat"), Out: out, Dead: dead})
	give(t, s, batch(0, 0, "{\"a\":\n1}", "two\nlines", "x"))
	if want := []string{`{"a": 1}`, "x"}; !slices.Equal(out.all(), want) || len(dead.states) != 1 {
		t.Errorf("got %q, dead %q", out.all(), dead.values)
	}
	out = new(got)
	s = open(t, exec.Options{Command: handler("cat"), Out: out, Envelope: true})
	give(t, s, batch(3, 7, "k:two\nlines"))
	want := `{"topic":"t","partition":3,"offset":7,"key":"k","time":null,"headers":[],"value":"k:two\nlines"}`
	if len(out.all()) != 1 || out.all()[0] != want {
		t.Errorf("got %q", out.all())
	}
}

func TestSinkThatFailsEndsTheRun(t *testing.T) {
	full := errors.New("no space left")
	s := open(t, exec.Options{Command: handler("cat"), Out: &got{fail: full}})
	_ = s.Write(batch(0, 0, "x").All())
	if err := s.Drain(t.Context(), false); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

// TestManyWorkersShareSlowWork has eight workers, each of which waits for the others.
func TestManyWorkersShareSlowWork(t *testing.T) {
	out, dead := new(got), new(got)
	s := open(t, exec.Options{
		Command: handler("meet"), Out: out, Dead: dead, Workers: 8, Order: exec.Unordered, Timeout: 30 * time.Second,
	})
	give(t, s, batch(0, 0, slices.Repeat([]string{t.TempDir()}, 80)...))
	if len(out.all()) != 80 {
		t.Errorf("of 80 records eight workers handled %d; dead letters %q", len(out.all()), dead.values)
	}
}

func BenchmarkCat(b *testing.B) {
	line := strings.Repeat("x", 199)
	values := make([]string, 1000)
	for i := range values {
		values[i] = line
	}
	src := batch(0, 0, values...)
	s := exec.Open(exec.Options{Command: "exec cat", Out: discard{}})
	defer s.Close()
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		for range 20 {
			if err := s.Write(src.All()); err != nil {
				b.Fatal(err)
			}
		}
		for s.Unfinished() > 100_000 {
			time.Sleep(50 * time.Microsecond)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)*20_000/b.Elapsed().Seconds(), "records/s")
}

type discard struct{}

func (discard) Write(record.Rows) error { return nil }

// TestBreaker has what a handler depends on go away for a while: nothing becomes a
// dead letter for it, and things go on by themselves.
func TestBreaker(t *testing.T) {
	t.Parallel()
	for _, each := range []bool{false, true} {
		dir := t.TempDir()
		command := `while read x; do if [ -e ` + dir + `/up ]; then echo $x; else echo '{"ack":"retry"}'; fi; done`
		if each {
			command = `read x; [ -e ` + dir + `/up ] || exit 75; echo $x`
		}
		out, dead := new(got), new(got)
		var said []string
		s := open(t, exec.Options{
			Command: command, PerRecord: each, Out: out, Dead: dead, Policy: quick(4), Workers: 2,
			Breaker: &limit.Breaker{Trip: limit.Trip{Failures: 3}, OpenFor: 60 * time.Millisecond},
			Note:    func(s string) { said = append(said, s) },
		})
		if err := s.Write(batch(0, 0, numbered("n", 40)...).All()); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); s.Stats.Retried.Load() < 10 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if err := os.WriteFile(dir+"/up", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		finish(t, s)
		_ = s.Close()
		if len(out.all()) != 40 || len(dead.all()) > 0 {
			t.Errorf("%d came through, %d are dead letters: %q", len(out.all()), len(dead.all()), said)
		}
	}
}
