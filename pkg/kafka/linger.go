package kafka

import (
	"context"
	"time"
)

// How long a batch waits for more records where nothing is said: short while much
// comes, when it fills soon anyway, and long while little does, when each record
// would else be a request of its own.
const (
	shortLinger = 10 * time.Millisecond
	longLinger  = 50 * time.Millisecond
	busyRate    = 1000 // records a second from which on it is much
)

// A lingering decides when batches need not wait any longer. The client lets none
// wait for more than longLinger.
type lingering struct {
	since int64 // ns; what was written since then may be waiting
	n     int64 // records written since then
}

// wrote takes in that n records were written and says whether what waits is to go
// now.
func (l *lingering) wrote(now, n int64) bool {
	l.n += n
	waited := time.Duration(now - l.since)
	busy := float64(l.n) >= busyRate*waited.Seconds()
	if waited < shortLinger || !busy && waited < longLinger {
		return false
	}
	l.since, l.n = now, 0
	return busy
}

// nudge has the client send what waits. It does not wait for that.
func (s *Sink) nudge() {
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	_ = s.client.Flush(over) // that it is over is no failure
}
