package limit

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/logctl/logctl/pkg/fault"
)

// A State says whether a breaker allows attempts.
type State int32

// The states of a breaker.
const (
	Closed   State = iota // everything passes
	Open                  // nothing passes
	HalfOpen              // one thing at a time passes, to see how it fares
)

// String returns the name of the state.
func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// A Trip says when a breaker opens: after a number of failures in a row, or when a
// percentage of the last attempts has failed. The zero value never opens it.
type Trip struct {
	Failures int // in a row; 0 where Percent counts
	Percent  int // of the last Of things
	Of       int
}

const tripHint = "as in 10 (failures in a row) or 50%/100 (half of the last hundred)"

// mostOf bounds how many results a breaker remembers.
const mostOf = 1_000_000

// ParseTrip reads N (failures in a row) or P%/N (percent of the last N). "" and
// 0 are never.
func ParseTrip(s string) (Trip, error) {
	share, of, ok := strings.Cut(s, "%/")
	if !ok {
		n, err := strconv.Atoi(s)
		if s != "" && (err != nil || n < 0) {
			return Trip{}, fault.Usagef(tripHint, "%q does not say when a breaker opens", s)
		}
		return Trip{Failures: n}, nil
	}
	p, err1 := strconv.Atoi(share)
	n, err2 := strconv.Atoi(of)
	if err1 != nil || err2 != nil || p < 1 || p > 100 || n < 1 || n > mostOf {
		return Trip{}, fault.Usagef(tripHint, "%q does not say when a breaker opens", s)
	}
	return Trip{Percent: p, Of: n}, nil
}

// String writes the trip as ParseTrip reads it.
func (t Trip) String() string {
	if t.Percent > 0 {
		return fmt.Sprintf("%d%%/%d", t.Percent, t.Of)
	}
	return strconv.Itoa(t.Failures)
}

// Never reports whether the breaker never opens.
func (t Trip) Never() bool { return t.Failures == 0 && t.Percent == 0 }

// DefaultOpenFor is how long a breaker stays open by default.
const DefaultOpenFor = 10 * time.Second

// A Breaker stops attempts at something that keeps failing, so that the caller can do
// something else meanwhile. It opens as its Trip says. After OpenFor it is half open
// and allows one attempt: success closes it, failure opens it for as long again. Its
// zero value is always closed. It may be used by several goroutines.
//
// Times come from the caller's clock, in ns; only their differences matter.
type Breaker struct {
	Trip    Trip
	OpenFor time.Duration // by default DefaultOpenFor

	mu      sync.Mutex
	state   State
	since   int64  // when it was opened, or the probe was sent
	probing bool   // an attempt is under way while half open
	row     int    // failures in a row
	last    []bool // the results of the last Trip.Of attempts, a ring: true for a failure
	next    int    // where the next result goes
	failed  int    // how many of last are failures
	opened  int64
}

// Allow reports whether to make an attempt. While the breaker is half open it allows a
// single one, and the caller reports the result with Done. If Done is not called within
// OpenFor, another attempt is allowed.
func (b *Breaker) Allow(now int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.look(now) {
	case Closed:
		return true
	case HalfOpen:
		if b.probing && now-b.since < int64(b.openFor()) {
			return false
		}
		b.probing, b.since = true, now
		return true
	default:
		return false
	}
}

// Done reports the result of an attempt. While the breaker is open results do not
// count: they are of attempts that began before it opened.
func (b *Breaker) Done(now int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.look(now) {
	case Closed:
		if b.count(!ok) {
			b.open(now)
		}
	case HalfOpen:
		if ok {
			b.reset()
		} else {
			b.open(now)
		}
	case Open:
	}
}

// Break opens the breaker when the caller knows that attempts are useless.
func (b *Breaker) Break(now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open(now)
}

// State returns the state at a time.
func (b *Breaker) State(now int64) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.look(now)
}

// Wait returns how long the breaker will stay open, 0 if it is not open.
func (b *Breaker) Wait(now int64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.look(now) != Open {
		return 0
	}
	return b.openFor() - time.Duration(now-b.since)
}

// Opened returns how often the breaker has opened.
func (b *Breaker) Opened() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

func (b *Breaker) openFor() time.Duration {
	if b.OpenFor > 0 {
		return b.OpenFor
	}
	return DefaultOpenFor
}

// look lets the time pass, and returns the state. A clock that was put back
// does not keep it open for longer than OpenFor.
func (b *Breaker) look(now int64) State {
	b.since = min(b.since, now)
	if b.state == Open && now-b.since >= int64(b.openFor()) {
		b.state, b.probing = HalfOpen, false
	}
	return b.state
}

// count takes note of a result and reports whether it is one too many.
func (b *Breaker) count(failure bool) bool {
	b.row++
	if !failure {
		b.row = 0
	}
	if b.Trip.Percent == 0 {
		return b.Trip.Failures > 0 && b.row >= b.Trip.Failures
	}
	if len(b.last) < b.Trip.Of {
		b.last = append(b.last, failure)
	} else {
		if b.last[b.next] {
			b.failed--
		}
		b.last[b.next] = failure
		b.next = (b.next + 1) % b.Trip.Of
	}
	if failure {
		b.failed++
	}
	return len(b.last) == b.Trip.Of && b.failed*100 >= b.Trip.Percent*b.Trip.Of
}

func (b *Breaker) open(now int64) {
	b.reset()
	b.state, b.since = Open, now
	b.opened++
}

// reset closes it, with nothing remembered.
func (b *Breaker) reset() {
	b.state, b.probing, b.row = Closed, false, 0
	b.last, b.next, b.failed = b.last[:0], 0, 0
}
