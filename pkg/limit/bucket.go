// Package limit keeps things to a rate, stops trying what keeps failing, and
// spaces attempts. It is arithmetic: who calls it has the clock, and does the
// waiting.
package limit

import (
	"sync"
	"time"
)

// A Bucket fills with tokens as a schedule says, one for each record that may
// pass. Its zero value never makes anybody wait. It may be used by several
// goroutines; none waits in it.
//
// It begins with the first call, with one token in it. While nobody takes any,
// no more gather than come in Burst, or one.
//
// Times are those of the caller's clock, ns since any moment. A clock that is
// put back does not stop the flow: time goes on from what it shows then.
type Bucket struct {
	Schedule Schedule
	Burst    time.Duration // by default a second; Endless for all that is due

	mu    sync.Mutex
	begun bool
	start int64   // when the schedule began
	last  int64   // the latest time seen
	taken float64 // tokens that were taken or lost, of those of the schedule
}

// Endless is the Burst of a bucket in which all that is due gathers.
const Endless = time.Duration(1<<63 - 1)

// Take takes n tokens and returns how long to wait until they are there: 0
// where they are. Who waits so long before each thing keeps to the schedule,
// for each waits behind those before it. n may be more than the bucket ever holds.
func (b *Bucket) Take(now, n int64) time.Duration {
	wait, _ := b.TakeWithin(now, n, Endless)
	return wait
}

// TakeWithin is Take for who would wait no longer than most: where that is not
// enough nothing is taken, ok is false, and wait is how long it would have been.
func (b *Bucket) TakeWithin(now, n int64, most time.Duration) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Schedule.Unlimited() {
		return 0, true
	}
	elapsed := b.advance(now)
	after := b.taken + float64(n)
	if missing := b.Schedule.when(after) - elapsed; missing > 0 && after > b.Schedule.due(elapsed) {
		wait = seconds(missing)
	}
	if wait > most {
		return wait, false
	}
	b.taken = after
	return wait, true
}

// Ready returns how many tokens can be taken without waiting.
func (b *Bucket) Ready(now int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Schedule.Unlimited() {
		return 1<<63 - 1
	}
	elapsed := b.advance(now)
	return max(int64(b.Schedule.due(elapsed)-b.taken+rounding), 0)
}

// Next returns how long it is until a token is there.
func (b *Bucket) Next(now int64) time.Duration {
	wait, _ := b.TakeWithin(now, 1, -1)
	return wait
}

// rounding is what a token may lack in sums of floating point.
const rounding = 1e-6

// advance takes note of the time, lets go of the tokens that found no room, and
// returns how many seconds the schedule has run.
func (b *Bucket) advance(now int64) (elapsed float64) {
	switch {
	case !b.begun:
		b.begun, b.start, b.taken = true, now, -1
	case now < b.last:
		b.start -= b.last - now
	}
	b.last = now
	ran := time.Duration(now - b.start)
	elapsed = ran.Seconds()
	burst := b.Burst
	if burst == 0 {
		burst = time.Second
	}
	if ran > burst {
		least := min(b.Schedule.due((ran - burst).Seconds()), b.Schedule.due(elapsed)-1)
		b.taken = max(b.taken, least)
	}
	return elapsed
}

// seconds returns s seconds, as long as a duration may be.
func seconds(s float64) time.Duration {
	if ns := s * 1e9; ns < float64(Endless) {
		return time.Duration(ns) + 1 // rounded up, so that the tokens are there then
	}
	return Endless
}
