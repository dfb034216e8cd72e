package guard_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// target is a sink that can be down: what it is given then stays in flight, and
// arrives when it is up again.
type target struct {
	breaker  *limit.Breaker
	down     atomic.Bool
	arrived  []string
	inFlight []string
	gaveUp   bool
	broken   error // what the next Flush says
}

func (s *target) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			s.inFlight = append(s.inFlight, string(rows.Value(i)))
		}
	}
	return nil
}

func (s *target) Flush(context.Context) error {
	now := time.Now().UnixNano()
	if err := s.broken; err != nil {
		s.broken = nil
		return err
	}
	if len(s.inFlight) == 0 {
		return nil
	}
	if s.breaker.State(now) == limit.Open {
		return stream.ErrHeld
	}
	if !s.down.Load() {
		s.arrive()
		return nil
	}
	for s.breaker.State(now) != limit.Open {
		s.breaker.Done(now, false)
	}
	return stream.ErrHeld
}

// arrive is what happens by itself when it is up.
func (s *target) arrive() {
	if !s.down.Load() && len(s.inFlight) > 0 {
		s.arrived, s.inFlight = append(s.arrived, s.inFlight...), nil
		s.breaker.Done(time.Now().UnixNano(), true)
	}
}

func (s *target) InFlight() bool {
	s.arrive()
	return len(s.inFlight) > 0
}

func (s *target) GiveUp() error { s.gaveUp = true; return errors.New("gave up") }

// A fixture is a guarded target.
type fixture struct {
	*guard.Sink
	target *target
	spool  *spool.Spool
	kept   []string
	lost   []string
	origin *record.Origin
	n      int64
}

const openFor = 30 * time.Millisecond

func newFixture(t *testing.T, cfg guard.Config, max int64) *fixture {
	t.Helper()
	dir, err := spool.Open(t.TempDir(), spool.Config{MaxBytes: max})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	b := &limit.Breaker{Trip: limit.Trip{Failures: 3}, OpenFor: openFor}
	f := &fixture{target: &target{breaker: b}, spool: dir, origin: &record.Origin{Source: "in"}}
	cfg.Breaker, cfg.Spool, cfg.Timeout = b, dir, time.Second
	cfg.Kept = func(b *record.Batch) { f.kept = append(f.kept, texts(b)...) }
	cfg.Dropped = func(b *record.Batch) { f.lost = append(f.lost, texts(b)...) }
	f.Sink = guard.New(t.Context(), f.target, cfg)
	return f
}

func texts(b *record.Batch) (all []string) {
	for i := range b.Recs {
		if b.Recs[i].Live() {
			all = append(all, string(b.Value(i)))
		}
	}
	return all
}

// write writes records, numbered from 0 on; every third one is critical.
func (f *fixture) write(t *testing.T, n int) {
	t.Helper()
	if err := f.Write(f.batch(n).All()); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) batch(n int) *record.Batch {
	b := record.NewBatch()
	b.Origin = f.origin
	for range n {
		kind := "other"
		if f.n%3 == 0 {
			kind = "critical"
		}
		b.Add(fmt.Appendf(nil, "%s %d", kind, f.n)).Offset = f.n
		f.n++
	}
	b.Next = f.n
	return b
}

func critical(b *record.Batch, i int) bool { return strings.HasPrefix(string(b.Value(i)), "critical") }

// at is how far a commit may go now.
func (f *fixture) at() int64 {
	return f.Finished(stream.Position{Source: "in", Next: f.n}).Next
}

// TestTurnedIsToldOnce: that the policy is applied, and that it is no more, however often
// the breaker tries in between.
func TestTurnedIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []bool
		f := newFixture(t, guard.Config{OnOpen: guard.Spool, Turned: func(open bool) { said = append(said, open) }}, 0)
		f.write(t, 2)
		f.target.down.Store(true)
		for range 3 {
			f.write(t, 1)
			f.at()
			time.Sleep(openFor + openFor/2) // half open: the next one is an attempt
		}
		if !slices.Equal(said, []bool{true}) {
			t.Errorf("while it is down: %v", said)
		}
		f.target.down.Store(false)
		f.target.arrive()
		f.write(t, 1)
		if !slices.Equal(said, []bool{true, false}) {
			t.Errorf("in all: %v", said)
		}
	})
}

// TestWhatIsInFlightStaysThere: commits do not pass it, and what is spooled
// behind it is sent behind it.
func TestWhatIsInFlightStaysThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Spool}, 0)
		f.write(t, 2)
		if at := f.at(); at != 2 {
			t.Fatalf("finished up to %d, want 2", at)
		}
		f.target.down.Store(true)
		f.write(t, 2) // stays in flight
		if at := f.at(); at != 2 {
			t.Errorf("in flight: finished up to %d, want 2", at)
		}
		f.write(t, 3)
		if at := f.at(); at != 2 || len(f.kept) != 3 || f.spool.Len() != 3 {
			t.Errorf("spooled: finished up to %d, kept %q, %d in the spool", at, f.kept, f.spool.Len())
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		f.target.down.Store(false)
		f.await(t, 7)
		if at := f.at(); at != 7 || f.spool.Len() != 0 {
			t.Errorf("finished up to %d, %d in the spool", at, f.spool.Len())
		}
		if s := f.Summary(); s != "breaker opened 1, spooled 3, replayed 3" {
			t.Error(s)
		}
	})
}

// await is the idle engine, until so many records have arrived, in order.
func (f *fixture) await(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); len(f.target.arrived) < n; time.Sleep(time.Millisecond) {
		f.target.arrive()
		if err := f.Push(); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatalf("arrived %q, in flight %q, %d in the spool", f.target.arrived, f.target.inFlight, f.spool.Len())
		}
	}
	if !slices.IsSortedFunc(f.target.arrived, byNumber) || len(f.target.arrived) != n {
		t.Errorf("arrived %q", f.target.arrived)
	}
}

func byNumber(a, b string) int { return number(a) - number(b) }

func number(s string) int {
	_, digits, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}

// TestCriticalIsKeptTheRestIsDropped, and both are said.
func TestCriticalIsKeptTheRestIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Drop, Critical: critical}, 0)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at() // opens the breaker
		f.write(t, 6)
		if fmt.Sprint(f.kept, f.lost) != "[critical 3 critical 6] [other 1 other 2 other 4 other 5]" {
			t.Errorf("kept %q, lost %q", f.kept, f.lost)
		}
		f.target.down.Store(false)
		f.await(t, 3)
		if s := f.Summary(); s != "breaker opened 1, spooled 2, replayed 2, dropped 4" || f.Dropped() != 4 {
			t.Error(s)
		}
	})
}

// TestBlock: Write waits until the target is back; what is critical is kept
// meanwhile, and sent first.
func TestBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Block, Critical: critical}, 0)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at()
		f.target.down.Store(false)
		f.write(t, 3)
		f.at()
		if fmt.Sprint(f.kept, f.target.arrived) != "[critical 3] [critical 0 critical 3 other 1 other 2]" {
			t.Errorf("kept %q, arrived %q", f.kept, f.target.arrived)
		}

		ctx, cancel := context.WithCancel(t.Context())
		b := &limit.Breaker{Trip: limit.Trip{Failures: 1}}
		down := &target{breaker: b}
		down.down.Store(true)
		s := guard.New(ctx, down, guard.Config{Breaker: b, OnOpen: guard.Block})
		b.Done(time.Now().UnixNano(), false)
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := s.Write(f.batch(1).All()); !errors.Is(err, stream.ErrHeld) {
			t.Errorf("interrupted while records wait: %v", err)
		}
	})
}

// TestWhatBrokeIsNotForgotten: a target that fails for good is not written to again, and
// commits do not pass what it had.
func TestWhatBrokeIsNotForgotten(t *testing.T) {
	f := newFixture(t, guard.Config{OnOpen: guard.Block}, 0)
	f.write(t, 3)
	refused := errors.New("refused")
	f.target.broken = refused
	if p := f.Finished(stream.Position{Source: "in", Next: 3}); p.Next != 0 {
		t.Errorf("finished up to %d", p.Next)
	}
	for what, err := range map[string]error{
		"write": f.Write(f.batch(1).All()), "push": f.Push(), "flush": f.Flush(t.Context()),
	} {
		if !errors.Is(err, refused) {
			t.Errorf("%s: %v, want %v", what, err, refused)
		}
	}
}

// TestFullSpoolWaits: nothing critical is dropped for want of room.
func TestFullSpoolWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Spool}, 400)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at()
		done := make(chan int64)
		go func() {
			for f.n < 100 {
				if err := f.Write(f.batch(1).All()); err != nil {
					t.Error(err)
					break
				}
			}
			done <- f.n
		}()
		select {
		case n := <-done:
			t.Fatalf("%d records fit into a spool of 400 bytes", n)
		case <-time.After(100 * time.Millisecond):
		}
		f.target.down.Store(false)
		<-done
		f.await(t, 100)
	})
}

// TestTTL: what waited for too long is not sent, and is counted; what did not, or
// of which nobody knows, is.
func TestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Spool, TTL: time.Hour}, 0)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at() // opens the breaker
		for _, age := range []time.Duration{2 * time.Hour, time.Minute, 3 * time.Hour} {
			b := f.batch(2)
			b.Arrived = time.Now().Add(-age).UnixNano()
			if err := f.Write(b.All()); err != nil {
				t.Fatal(err)
			}
		}
		f.write(t, 1) // it is not known when
		f.target.down.Store(false)
		f.await(t, 4)
		if got := fmt.Sprint(f.target.arrived); got != "[critical 0 critical 3 other 4 other 7]" {
			t.Error(got)
		}
		if s := f.Summary(); s != "breaker opened 1, spooled 7, replayed 3, expired in the spool 4" {
			t.Error(s)
		}
	})
}

// TestSpoolBytesAreTold: what the spool takes on disk is told, and nothing of a spool that
// is not there.
func TestSpoolBytesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Spool}, 1<<20)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at() // opens the breaker
		f.write(t, 10)
		told := func(s *guard.Sink) (bytes float64, found bool) {
			registry := prometheus.NewRegistry()
			registry.MustRegister(s)
			all, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				if m.GetName() == "logctl_spool_bytes" {
					return m.GetMetric()[0].GetGauge().GetValue(), true
				}
			}
			return 0, false
		}
		if n, _ := told(f.Sink); n == 0 || n != float64(f.spool.Bytes()) {
			t.Errorf("logctl_spool_bytes is %v, the spool has %d", n, f.spool.Bytes())
		}
		if _, found := told(guard.New(t.Context(), f.target, guard.Config{Breaker: f.target.breaker, OnOpen: guard.Block})); found {
			t.Error("bytes of no spool")
		}
	})
}

// TestDrain: the end waits for what is in flight, leaves what is spooled while
// the breaker is open, and gives up after the time-out.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, guard.Config{OnOpen: guard.Spool}, 0)
		f.target.down.Store(true)
		f.write(t, 1)
		f.at()
		f.write(t, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := f.Drain(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended early: %v", err)
		}
		time.AfterFunc(100*time.Millisecond, func() { f.target.down.Store(false) })
		if err := f.Drain(t.Context(), false); err != nil || f.target.InFlight() {
			t.Errorf("%v, in flight %q", err, f.target.inFlight)
		}
		f.target.down.Store(true)
		f.write(t, 1)
		if err := f.Drain(t.Context(), false); err == nil || !f.target.gaveUp {
			t.Errorf("a target that stays down: %v", err)
		}
	})
}

// TestComesAndGoes: whatever goes down and when, every record arrives once,
// in order, or is counted as dropped, and commits never pass what has not.
func TestComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(12) {
			chance := rand.New(rand.NewPCG(seed, 7))
			cfg := guard.Config{OnOpen: []guard.Policy{guard.Spool, guard.Drop}[seed%2], Critical: critical}
			f := newFixture(t, cfg, 0)
			for range 300 {
				switch chance.IntN(12) {
				case 0:
					f.target.down.Store(true)
				case 1, 2:
					f.target.down.Store(false)
				case 3:
					time.Sleep(openFor / 6)
				case 4:
					if err := f.Push(); err != nil {
						t.Fatal(err)
					}
				case 5, 6:
					at := f.at()
					if err := f.Flush(t.Context()); err != nil {
						t.Fatal(err)
					}
					safe := make([]bool, f.n)
					for _, text := range slices.Concat(f.target.arrived, f.kept, f.lost) {
						safe[number(text)] = true
					}
					if n := slices.Index(safe[:at], false); n >= 0 {
						t.Fatalf("seed %d: finished up to %d, and %d is nowhere", seed, at, n)
					}
				case 7:
					f.target.arrive()
				default:
					f.write(t, 1+chance.IntN(5))
				}
			}
			f.target.down.Store(false)
			for end := time.Now().Add(5 * time.Second); f.spool.Len() > 0 || f.target.InFlight(); time.Sleep(time.Millisecond) {
				f.target.arrive()
				if err := f.Push(); err != nil || time.Now().After(end) {
					t.Fatalf("seed %d: %v, %d in the spool", seed, err, f.spool.Len())
				}
			}
			if !slices.IsSortedFunc(slices.DeleteFunc(slices.Clone(f.target.arrived), isOther), byNumber) {
				t.Errorf("seed %d: critical records in another order: %q", seed, f.target.arrived)
			}
			all := slices.Concat(f.target.arrived, f.lost)
			slices.SortFunc(all, byNumber)
			if int64(len(slices.Compact(slices.Clone(all)))) != f.n || int64(len(all)) != f.n {
				t.Errorf("seed %d: %d records, %d arrived, %d dropped", seed, f.n, len(f.target.arrived), len(f.lost))
			}
		}
	})
}

func isOther(s string) bool { return strings.HasPrefix(s, "other") }
