// Package limit has the arithmetic of rate limits, circuit breakers and pauses between
// attempts. The caller has the clock and does the waiting.
package limit

import (
	"sync"
	"time"
)

// A Bucket fills with tokens according to a schedule; each record that passes takes
// one. Its zero value never makes a caller wait. It may be used by several goroutines;
// none of its methods blocks.
//
// The bucket starts with the first call and holds one token then. Unused tokens
// accumulate up to the number that comes within Burst, at least one.
//
// Times come from the caller's clock, in ns since any moment. If the clock is set back,
// time continues from what it shows then.
type Bucket struct {
	Schedule Schedule
	Burst    time.Duration // by default a second; Endless for all that is due

	mu    sync.Mutex
	begun bool
	start int64   // when the schedule began
	last  int64   // the latest time seen
	taken float64 // tokens that were taken or lost, of those of the schedule
}

// Endless is the Burst of a bucket in which unused tokens accumulate without a limit.
const Endless = time.Duration(1<<63 - 1)

// Take takes n tokens and returns how long to wait until they are there, 0 if they are
// there now. A caller that waits so long keeps to the schedule, because each wait
// includes those before it. n may be more than the bucket ever holds.
func (b *Bucket) Take(now, n int64) time.Duration {
	wait, _ := b.TakeWithin(now, n, Endless)
	return wait
}

// TakeWithin is Take for a caller that waits for most at the longest. If that is not
// enough, it takes nothing and returns false, and wait is how long it would have been.
// Where n is more than the bucket ever holds, one that is full is enough: who comes
// later waits for the rest.
func (b *Bucket) TakeWithin(now, n int64, most time.Duration) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Schedule.Unlimited() {
		return 0, true
	}
	elapsed := b.advance(now)
	after := b.taken + float64(n)
	wait = b.wait(elapsed, after)
	if over := float64(n) - b.full(elapsed); wait > most && over > 0 {
		wait = b.wait(elapsed, after-over)
	}
	if wait > most {
		return wait, false
	}
	b.taken = after
	return wait, true
}

// wait returns how long it takes until so many tokens of the schedule are there.
func (b *Bucket) wait(elapsed, tokens float64) time.Duration {
	if missing := b.Schedule.when(tokens) - elapsed; missing > 0 && tokens > b.Schedule.due(elapsed) {
		return seconds(missing)
	}
	return 0
}

// full returns how many tokens the bucket holds when it is full.
func (b *Bucket) full(elapsed float64) float64 {
	return max(b.Schedule.due(elapsed+b.burst().Seconds())-b.Schedule.due(elapsed), 1)
}

func (b *Bucket) burst() time.Duration {
	if b.Burst == 0 {
		return time.Second
	}
	return b.Burst
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

// Next returns how long it takes until a token is there.
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
	if burst := b.burst(); ran > burst {
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
