// Package guard keeps a pipeline running while its sink is down. A circuit breaker
// stops attempts; records that come meanwhile wait, or go into a spool on disk and are
// sent later in order, or are dropped and counted.
package guard

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Sink is a guarded target. It is a stream.Tracker: records that are in flight when
// the breaker opens stay in flight, and commits do not pass them; records that go into
// the spool are finished when they are there. When everything that was in flight is
// settled, the spool is sent, before anything that comes later. After a crash some of
// it may be sent again.
//
// The target gets copies, because records in flight would otherwise hold the batches
// that the source needs to read on. A Sink is for one goroutine, except the counts.
type Sink struct {
	cfg    Config
	target Target
	ctx    context.Context
	pool   *record.Pool
	open   map[partition]int64 // offset of the first record that was written since all was settled
	lost   error               // what the target failed with
	turned bool                // the policy is applied to what comes

	// Of the spool: what was read and not taken by the target, and the number
	// behind what it took.
	ahead *record.Batch
	sent  int64

	counts counts
}

type partition struct {
	source string
	number int32
}

type counts struct{ spooled, replayed, expired, dropped, diverted atomic.Int64 }

// inFlight is how many batches the target may hold.
const inFlight = 64

// New guards a target. After ctx is done, records do not wait for the breaker.
func New(ctx context.Context, target Target, cfg Config) *Sink {
	return &Sink{
		cfg: cfg, target: target, ctx: ctx, pool: record.NewPool(inFlight, 0), open: map[partition]int64{},
	}
}

func now() int64 { return time.Now().UnixNano() }

// Write sends rows to the target or, while the breaker is open, applies the policy to
// them.
func (s *Sink) Write(rows record.Rows) error {
	if s.lost != nil {
		return s.lost
	}
	ready, err := s.ready(true)
	if err == nil && ready {
		if err = s.send(rows, nil); !errors.Is(err, stream.ErrHeld) {
			return err
		}
		err = nil
	}
	if err != nil {
		return err
	}
	s.turn(true)
	return s.divert(rows)
}

// turn notes whether the policy is applied, and tells of it once.
func (s *Sink) turn(open bool) {
	if s.turned == open {
		return
	}
	s.turned = open
	if s.cfg.Turned != nil {
		s.cfg.Turned(open)
	}
}

// ready sends what the spool holds, as far as the breaker lets it, and reports
// whether rows may follow. While the breaker is half open only one thing may,
// be it of the spool or, with intake, what comes in.
func (s *Sink) ready(intake bool) (bool, error) {
	switch s.cfg.Breaker.State(now()) {
	case limit.Closed:
		s.turn(false)
		err := s.replay(false)
		if errors.Is(err, stream.ErrHeld) {
			return false, nil
		}
		return err == nil, err
	case limit.HalfOpen:
		waits := s.waiting()
		if s.target.InFlight() || !waits && !intake || !s.cfg.Breaker.Allow(now()) {
			return false, nil
		}
		if !waits {
			return true, nil
		}
		if err := s.replay(true); err != nil && !errors.Is(err, stream.ErrHeld) {
			return false, err
		}
		return false, nil
	default:
		return false, nil
	}
}

// send gives the target a copy of those of rows for which keep is true.
func (s *Sink) send(rows record.Rows, keep func(i int) bool) error {
	b, err := s.batch()
	if err != nil {
		return err
	}
	defer b.Release()
	b.CopyRows(rows, keep)
	if err := s.target.Write(b.All()); err != nil {
		return err
	}
	if rows.Origin != nil && rows.Lo < rows.Hi {
		key := partition{rows.Origin.Source, rows.Origin.Partition}
		if _, ok := s.open[key]; !ok {
			s.open[key] = rows.Recs[rows.Lo].Offset
		}
	}
	return nil
}

// batch returns an empty batch, when the target holds fewer than it may.
func (s *Sink) batch() (*record.Batch, error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), tick)
		b, err := s.pool.Get(ctx)
		cancel()
		if err == nil {
			return b, nil
		}
		// The target notices by being waited for that nothing comes back.
		if err := s.settle(); err != nil {
			return nil, err
		}
	}
}

// settle waits until all that the target was given is settled, or there is no
// use waiting.
func (s *Sink) settle() error {
	if s.lost != nil {
		return s.lost
	}
	err := s.target.Flush(context.Background()) // the breaker, or the target's time-out, bounds it
	switch {
	case err == nil:
		clear(s.open)
	case !errors.Is(err, stream.ErrHeld):
		s.lost = err
	}
	return err
}

// Push sends what the spool holds. The engine calls it when it has nothing else to do.
func (s *Sink) Push() error {
	if s.lost != nil {
		return s.lost
	}
	if _, err := s.ready(false); err != nil {
		return err
	}
	if p, ok := s.target.(stream.Pusher); ok {
		return p.Push()
	}
	return nil
}

// Finished waits for what can be settled, and returns p, lowered to the first record
// that cannot.
func (s *Sink) Finished(p stream.Position) stream.Position {
	if len(s.open) > 0 {
		_ = s.settle() // Flush says what is wrong
	}
	if first, ok := s.open[partition{p.Source, p.Partition}]; ok {
		p.Next = min(p.Next, first)
	}
	return p
}

// Flush returns when everything is settled that can be; Finished says how far that is.
func (s *Sink) Flush(context.Context) error {
	if err := s.settle(); !errors.Is(err, stream.ErrHeld) {
		return err
	}
	return nil
}

// Leave does nothing: what was written is on its way.
func (s *Sink) Leave([]*record.Origin) {}

// Drain returns when nothing is in flight. The spool is sent if the breaker allows it;
// otherwise it stays for the next run. It gives up after Config.Timeout.
func (s *Sink) Drain(ctx context.Context, _ bool) error {
	for end := time.Now().Add(s.cfg.Timeout); ; {
		_, err := s.ready(false)
		if err == nil {
			err = s.settle()
		}
		switch {
		case err == nil && (!s.waiting() || s.cfg.Breaker.State(now()) == limit.Open):
			return nil
		case err != nil && !errors.Is(err, stream.ErrHeld):
			return err
		case time.Now().After(end):
			return s.target.GiveUp()
		}
		select {
		case <-time.After(tick):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
