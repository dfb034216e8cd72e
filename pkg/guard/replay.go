package guard

import (
	"io"

	"github.com/logctl/logctl/pkg/record"
)

// waiting reports whether the spool holds records that the target has not
// taken, or has not settled.
func (s *Sink) waiting() bool { return s.spooledNow() > 0 }

// replay sends what the spool holds, in order, once everything before it is
// settled, and acknowledges it; with one, a single frame of it. An error that
// is stream.ErrHeld says that the breaker has opened, again; then the rest is sent
// the next time, behind what is in flight.
func (s *Sink) replay(one bool) error {
	if !s.waiting() {
		return nil
	}
	if err := s.acknowledge(); err != nil {
		return err
	}
	for unsettled := 0; s.waiting(); {
		b, err := s.nextSpooled()
		if err == io.EOF {
			return s.acknowledge()
		}
		if err != nil {
			return err
		}
		to := &s.counts.expired
		if !s.expired(b) {
			if err := s.target.Write(b.All()); err != nil {
				return err
			}
			to = &s.counts.replayed
		}
		s.ahead, s.sent = nil, b.Next
		to.Add(int64(len(b.Recs)))
		unsettled += len(b.Data)
		b.Release()
		if one || unsettled > replayPart {
			if err := s.acknowledge(); err != nil || one {
				return err
			}
			unsettled = 0
		}
	}
	return nil
}

// expired reports whether what is in b came too long ago to be sent.
func (s *Sink) expired(b *record.Batch) bool {
	return s.cfg.TTL > 0 && b.Arrived > 0 && now()-b.Arrived > int64(s.cfg.TTL)
}

// replayPart is after how many bytes what was sent is acknowledged.
const replayPart = 8 << 20

// nextSpooled returns what the spool has next.
func (s *Sink) nextSpooled() (*record.Batch, error) {
	if s.ahead != nil {
		return s.ahead, nil
	}
	b := record.NewBatch() // not of the pool: the target may hold all of that
	if err := s.cfg.Spool.Next(b); err != nil {
		return nil, err
	}
	s.ahead = b
	return b, nil
}

// acknowledge has the spool forget what was sent, once it is settled.
func (s *Sink) acknowledge() error {
	if err := s.settle(); err != nil {
		return err
	}
	if s.sent == 0 {
		return nil
	}
	return s.cfg.Spool.Ack(s.sent)
}
