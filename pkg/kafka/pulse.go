package kafka

import (
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/stream"
)

// A pulse tells a breaker of connections and requests that fail. It is a hook
// of a client.
type pulse struct{ breaker *limit.Breaker }

// OnBrokerConnect notes that a broker could not be reached.
func (p pulse) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		p.breaker.Done(time.Now().UnixNano(), false)
	}
}

// OnBrokerE2E notes that records could not be sent, or that no answer came.
func (p pulse) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if key == int16(kmsg.Produce) && e2e.Err() != nil {
		p.breaker.Done(time.Now().UnixNano(), false)
	}
}

// retryDelay is how long a source, or a sink with a breaker, waits between attempts: so
// short that it is soon seen that a broker is back, or that a topic is gone.
func retryDelay(attempt int) time.Duration {
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // of delays
	return limit.Backoff{Base: 100 * time.Millisecond, Most: time.Second}.Delay(attempt, chance)
}

// held reports whether there is no use waiting for acknowledgements.
func (s *Sink) held() bool {
	b := s.cfg.Breaker
	return b != nil && b.State(time.Now().UnixNano()) == limit.Open
}

// heldError is stream.ErrHeld, with what is known.
func (s *Sink) heldError() error {
	return fmt.Errorf("topic %q: %w: %s records in flight%s", s.cfg.Topic, stream.ErrHeld,
		human.Count(s.open()), s.lastError())
}

// timedOut gives up what is in flight: for good, or where Exhaust is set for OnFailed.
func (s *Sink) timedOut() {
	if !s.cfg.Exhaust || s.transactional() {
		s.fail(s.lost(kgo.ErrRecordTimeout))
		return
	}
	s.client.UnsafeAbortBufferedRecords() // safe without transactions: numbers of what was sent are not used again
	for s.inflight.Load() > 0 {
		select {
		case <-s.freed:
		case <-s.ctx.Done():
			return
		}
	}
}

// transactional reports whether what is in flight belongs to a transaction.
func (s *Sink) transactional() bool { return s.cfg.in != nil || s.cfg.Txn != "" }

// open returns how many records are in flight.
func (s *Sink) open() int64 { return s.counts.sent.Load() - s.counts.done.Load() }

// InFlight reports whether anything that was written is not settled yet.
func (s *Sink) InFlight() bool { return s.inflight.Load() > 0 }

// GiveUp ends the sink and says how much of what was written was not
// acknowledged.
func (s *Sink) GiveUp() error {
	s.fail(s.lost(kgo.ErrRecordTimeout))
	return s.failure()
}
