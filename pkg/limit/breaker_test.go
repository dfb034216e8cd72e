package limit_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/limit"
)

func TestParseTrip(t *testing.T) {
	for s, want := range map[string]limit.Trip{
		"": {}, "0": {}, "10": {Failures: 10}, "50%/100": {Percent: 50, Of: 100}, "100%/1": {Percent: 100, Of: 1},
	} {
		got, err := limit.ParseTrip(s)
		if err != nil || got != want || got.Never() != (s == "" || s == "0") {
			t.Errorf("%q: %+v %v", s, got, err)
		}
		if again, err := limit.ParseTrip(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is read as %+v %v", s, got, again, err)
		}
	}
	for _, s := range []string{"x", "-1", "50%", "%/3", "0%/10", "101%/10", "50%/0", "50%/-1", "50%/2000000", "1.5"} {
		if _, err := limit.ParseTrip(s); fault.Status(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "50%/100") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestBreaker plays a story: what is asked and said at which second, and the
// state that follows.
func TestBreaker(t *testing.T) {
	const second = int64(time.Second)
	type step struct {
		at   int64
		does string // ok, failed: an attempt went so; ask: allowed, refused
		want limit.State
	}
	for name, c := range map[string]struct {
		trip  string
		steps []step
	}{
		"three in a row": {"3", []step{
			{0, "failed", limit.Closed},
			{0, "failed", limit.Closed},
			{0, "ok", limit.Closed},
			{1, "failed", limit.Closed},
			{1, "failed", limit.Closed},
			{1, "failed", limit.Open},
			{2, "refused", limit.Open},
			{3, "ok", limit.Open}, // of an attempt begun before
			{11, "allowed", limit.HalfOpen},
			{11, "refused", limit.HalfOpen},
			{12, "failed", limit.Open},
			{21, "refused", limit.Open},
			{22, "allowed", limit.HalfOpen},
			{23, "ok", limit.Closed},
			{23, "allowed", limit.Closed},
			{24, "failed", limit.Closed},
			{24, "failed", limit.Closed}, // counted anew
		}},
		"the probe is lost": {"1", []step{
			{0, "failed", limit.Open},
			{10, "allowed", limit.HalfOpen},
			{19, "refused", limit.HalfOpen},
			{20, "allowed", limit.HalfOpen},
			{20, "refused", limit.HalfOpen},
		}},
		"the clock is put back": {"1", []step{
			{100, "failed", limit.Open}, {50, "refused", limit.Open}, {60, "allowed", limit.HalfOpen},
		}},
		"half of the last four": {"50%/4", []step{
			{0, "failed", limit.Closed},
			{0, "failed", limit.Closed},
			{0, "ok", limit.Closed}, // not four yet
			{0, "ok", limit.Open},
			{10, "allowed", limit.HalfOpen},
			{10, "ok", limit.Closed},
			{11, "ok", limit.Closed},
			{11, "ok", limit.Closed},
			{11, "ok", limit.Closed},
			{11, "failed", limit.Closed},
			{11, "ok", limit.Closed},
			{11, "failed", limit.Open},
		}},
		"never": {"", []step{{0, "failed", limit.Closed}, {0, "failed", limit.Closed}, {0, "allowed", limit.Closed}}},
	} {
		t.Run(name, func(t *testing.T) {
			trip, err := limit.ParseTrip(c.trip)
			if err != nil {
				t.Fatal(err)
			}
			b := limit.Breaker{Trip: trip}
			for i, s := range c.steps {
				now := s.at * second
				switch s.does {
				case "ok", "failed":
					b.Done(now, s.does == "ok")
				default:
					if got := b.Allow(now); got != (s.does == "allowed") {
						t.Errorf("step %d: allowed %v, want it %s", i, got, s.does)
					}
				}
				if got := b.State(now); got != s.want {
					t.Fatalf("step %d, %+v: %v", i, s, got)
				}
				if open := b.Wait(now) > 0; open != (s.want == limit.Open) {
					t.Errorf("step %d: it is %v and will be open for %v", i, s.want, b.Wait(now))
				}
			}
		})
	}
}

// TestBreakerCountsAsANaiveOne compares the share of failures with one counted
// anew over the whole history.
func TestBreakerCountsAsANaiveOne(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		trip := limit.Trip{Percent: 1 + chance.IntN(100), Of: 1 + chance.IntN(20)}
		b := limit.Breaker{Trip: trip}
		var history []bool
		for range 100 {
			ok := chance.IntN(3) > 0
			history = append(history, ok)
			b.Done(0, ok)
			want := limit.Closed
			if n := len(history); n >= trip.Of {
				failed := 0
				for _, ok := range history[n-trip.Of:] {
					if !ok {
						failed++
					}
				}
				if failed*100 >= trip.Percent*trip.Of {
					want = limit.Open
				}
			}
			if got := b.State(0); got != want {
				t.Fatalf("%v after %v: %v, want %v", trip, history, got, want)
			}
			if want == limit.Open {
				break
			}
		}
	}
}

func TestBackoff(t *testing.T) {
	b, err := limit.ParseBackoff("100ms..10s")
	if err != nil || b != limit.DefaultBackoff {
		t.Fatalf("%v %v", b, err)
	}
	chance, same := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	seen := map[time.Duration]bool{}
	for attempt := range 80 {
		whole := min(100*time.Millisecond<<min(max(attempt-1, 0), 20), 10*time.Second)
		d := b.Delay(attempt, chance)
		if d < whole/2 || d > whole {
			t.Errorf("attempt %d: %v, want it between %v and %v", attempt, d, whole/2, whole)
		}
		if other := (limit.Backoff{}).Delay(attempt, same); other != d {
			t.Errorf("attempt %d: %v and %v from equal sources", attempt, d, other)
		}
		seen[d] = true
	}
	if len(seen) < 70 {
		t.Errorf("80 delays are %d different ones", len(seen))
	}
	if b, err := limit.ParseBackoff("1s"); err != nil || b != (limit.Backoff{Base: time.Second, Most: time.Second}) {
		t.Errorf("1s: %v %v", b, err)
	}
	for _, s := range []string{"", "0", "x", "10s..1s", "..1s", "1s..", "1s..2s..3s", "-1s"} {
		if _, err := limit.ParseBackoff(s); fault.Status(err) != fault.Usage {
			t.Errorf("%q: %v", s, err)
		}
	}
}
