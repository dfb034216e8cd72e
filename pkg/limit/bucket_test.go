package limit_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/limit"
)

func schedule(t *testing.T, spec string) limit.Schedule {
	t.Helper()
	s, err := limit.ParseSchedule(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBucketKeepsToItsRate(t *testing.T) {
	const second = int64(time.Second)
	b := limit.Bucket{Schedule: schedule(t, "10/s")}
	for _, step := range []struct {
		now, n int64
		want   time.Duration
	}{
		{5 * second, 1, 0}, // the token that it begins with
		{5 * second, 1, 100 * time.Millisecond},
		{5 * second, 3, 400 * time.Millisecond},   // behind the one before
		{6 * second, 6, 0},                        // six are left of ten
		{6 * second, 25, 2500 * time.Millisecond}, // more than it ever holds
		{60 * second, 10, 0},                      // a second's worth has gathered, no more
		{60 * second, 1, 100 * time.Millisecond},
		{30 * second, 1, 200 * time.Millisecond}, // the clock was put back
		{31 * second, 8, 0},
	} {
		got := b.Take(step.now, step.n)
		if d := got - step.want; d < 0 || d > time.Microsecond {
			t.Errorf("%d tokens at %ds: wait %v, want %v", step.n, step.now/second, got, step.want)
		}
	}
}

func TestBucketOfASlowRateGathersOne(t *testing.T) {
	b := limit.Bucket{Schedule: schedule(t, "1/h")}
	for now := int64(0); now < int64(10*time.Hour); now += int64(2 * time.Hour) {
		if n := b.Ready(now); n != 1 {
			t.Errorf("after %v: %d tokens, want 1", time.Duration(now), n)
		}
		if wait := b.Take(now, 1); wait != 0 {
			t.Errorf("after %v: wait %v, want none", time.Duration(now), wait)
		}
	}
}

func TestBucketTakesNothingFromWhoWouldNotWait(t *testing.T) {
	b := limit.Bucket{Schedule: schedule(t, "10/s")}
	b.Take(0, 1)
	for range 3 {
		wait, ok := b.TakeWithin(0, 5, 100*time.Millisecond)
		if ok || wait < 500*time.Millisecond || wait > 501*time.Millisecond {
			t.Errorf("wait %v, taken %v: want 500ms and nothing taken", wait, ok)
		}
	}
	if wait := b.Next(0); wait < 100*time.Millisecond || wait > 101*time.Millisecond {
		t.Errorf("the next token comes in %v, want 100ms", wait)
	}
	if wait, ok := b.TakeWithin(0, 1, 100*time.Millisecond+time.Microsecond); !ok || wait == 0 {
		t.Errorf("wait %v, taken %v: want it taken, for the end of 100ms", wait, ok)
	}
}

// More than the bucket ever holds passes when it is full, or nobody could ever take it;
// those that follow wait for it.
func TestBucketGivesWhatIsLargerThanItself(t *testing.T) {
	const second = int64(time.Second)
	b := limit.Bucket{Schedule: schedule(t, "10/s")}
	if wait, ok := b.TakeWithin(0, 25, 100*time.Millisecond); ok || wait > time.Second {
		t.Errorf("of an empty one: %v, %v", wait, ok)
	}
	if wait, ok := b.TakeWithin(2*second, 25, 100*time.Millisecond); !ok || wait != 0 {
		t.Errorf("of a full one: %v, %v", wait, ok)
	}
	if wait, ok := b.TakeWithin(2*second, 1, 100*time.Millisecond); ok || wait < 1500*time.Millisecond {
		t.Errorf("the next one: %v, %v", wait, ok)
	}
	if _, ok := b.TakeWithin(4*second, 1, 100*time.Millisecond); !ok {
		t.Error("after two seconds there is nothing again")
	}
}

func TestBucketWithoutALimit(t *testing.T) {
	var b limit.Bucket
	if wait := b.Take(0, 1e9); wait != 0 || b.Ready(0) < 1e9 {
		t.Errorf("the zero bucket makes wait %v, with %d ready", wait, b.Ready(0))
	}
}

// TestBucketOverAnyTime takes at random and compares with counting: up to any
// moment no more has passed than was due, and who always takes what is ready
// gets all of it.
func TestBucketOverAnyTime(t *testing.T) {
	for _, spec := range []string{"7/s", "1000/s", "30/m", "ramp:1..500/20s", "ramp:500..1/20s", "burst:5..200/2s/7s"} {
		for seed := range uint64(20) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			s := schedule(t, spec)
			b := limit.Bucket{Schedule: s, Burst: limit.Endless}
			start := rnd.Int64N(1e18)
			now, passed := start, int64(0)
			for now < start+40e9 {
				if rnd.IntN(2) == 0 {
					n := b.Ready(now)
					if wait := b.Take(now, n); wait != 0 {
						t.Fatalf("%s, seed %d: %d tokens are ready, but not at once: %v", spec, seed, n, wait)
					}
					passed += n
				} else {
					n := 1 + rnd.Int64N(20)
					now += int64(b.Take(now, n))
					passed += n
				}
				due := 1 + s.Due(time.Duration(now-start))
				if passed > due+1 { // one for rounding
					t.Fatalf("%s, seed %d: %d passed in %v, due are %d", spec, seed, passed, time.Duration(now-start), due)
				}
				if n := b.Ready(now); passed+n < due-1 {
					t.Fatalf("%s, seed %d: %d passed and %d are ready, due are %d", spec, seed, passed, n, due)
				}
				now += rnd.Int64N(2e9)
			}
		}
	}
}

func BenchmarkTake(bench *testing.B) {
	s, err := limit.ParseSchedule("ramp:1k..1m/60s")
	if err != nil {
		bench.Fatal(err)
	}
	b := limit.Bucket{Schedule: s}
	bench.ReportAllocs()
	now := int64(0)
	for bench.Loop() {
		now += int64(b.Take(now, 1))
	}
}
