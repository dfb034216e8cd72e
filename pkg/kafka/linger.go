package kafka

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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
// wait for more than longLinger. A lingering is a hook of one client.
type lingering struct {
	since int64       // ns; what was written since then may be waiting
	n     int64       // records written since then
	far   atomic.Bool // the last answer was long in coming
}

// OnBrokerE2E looks how long an answer is in coming. Of each broker five requests are
// under way at most: over a long link small ones would take the places of full ones.
func (l *lingering) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == int16(kmsg.Produce) && e.Err() == nil {
		l.far.Store(e.ReadWait+e.TimeToRead >= farAway)
	}
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
	return busy && !l.far.Load()
}

// nudge has the client send what waits. It does not wait for that.
func (s *Sink) nudge() {
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	_ = s.client.Flush(over) // that it is over is no failure
}
