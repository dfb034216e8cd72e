// Package guard keeps a pipeline going while the sink behind it is down: a
// circuit breaker stops trying, and what comes meanwhile waits, goes into a
// spool on disk to be sent later in order, or is dropped and counted.
package guard

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// A Target is a sink that tells a breaker how it fares, and does not wait while
// that is open: see stream.ErrHeld. What it was given before stays in flight.
type Target interface {
	stream.Sink
	stream.Flusher
	Flight
}

// Flight is what a target says of what it was given and has not settled.
type Flight interface {
	// InFlight reports whether anything that was written is not settled yet.
	InFlight() bool
	// GiveUp ends the target and says what is lost.
	GiveUp() error
}

// A Policy says what becomes of records while the breaker is open.
type Policy string

// The policies.
const (
	Block Policy = "block" // they wait, and so does all that comes behind them
	Drop  Policy = "drop"  // they are dropped, and counted
	Spool Policy = "spool" // they go into the spool
)

// Config says how a target is guarded.
type Config struct {
	Breaker  *limit.Breaker // the one that the target tells
	Spool    *spool.Spool   // nil for none; then there is no policy Spool and nothing is critical
	TTL      time.Duration  // what has been in the spool for longer is dropped and not sent; 0: nothing is
	OnOpen   Policy
	Critical func(b *record.Batch, i int) bool // goes into the spool whatever the policy; nil: nothing does
	Timeout  time.Duration                     // how long the end waits for what is in flight

	// Kept and Dropped are told of records, all live, that are in the spool to
	// stay, and that are nowhere. Both may be nil.
	Kept, Dropped func(*record.Batch)
}

// A Sink is a guarded target. It implements stream.Tracker: what is in flight
// when the breaker opens stays there, and commits do not pass it; what comes
// afterwards is finished as soon as it is in the spool. What the spool holds is
// sent before anything that comes later, once all that was in flight before it
// is settled; after a crash some of it may be sent again.
//
// The target is given copies, so that what is in flight while it is down does
// not hold the batches that others are to be read into. A Sink is for one
// goroutine, except the counts.
type Sink struct {
	cfg    Config
	target Target
	ctx    context.Context
	pool   *record.Pool
	open   map[partition]int64 // offset of the first record that was written since all was settled
	lost   error               // what the target failed with

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

type counts struct{ spooled, replayed, expired, dropped atomic.Int64 }

// inFlight is how many batches the target may hold.
const inFlight = 64

// New guards a target. When ctx is done nothing waits for the breaker any more.
func New(ctx context.Context, target Target, cfg Config) *Sink {
	return &Sink{
		cfg: cfg, target: target, ctx: ctx, pool: record.NewPool(inFlight, 0), open: map[partition]int64{},
	}
}

func now() int64 { return time.Now().UnixNano() }

// Write sends rows on, or does with them what is to be done while the breaker
// is open.
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
	return s.divert(rows)
}

// ready sends what the spool holds, as far as the breaker lets it, and reports
// whether rows may follow. While the breaker is half open only one thing may,
// be it of the spool or, with intake, what comes in.
func (s *Sink) ready(intake bool) (bool, error) {
	switch s.cfg.Breaker.State(now()) {
	case limit.Closed:
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

// tick is how often what is waited for is looked at.
const tick = 20 * time.Millisecond

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

// divert does with rows what is to be done while the breaker is open.
func (s *Sink) divert(rows record.Rows) error {
	rest := rows
	if s.cfg.Critical != nil || s.cfg.OnOpen == Spool {
		if err := s.keep(picked(rows, func(i int) bool { return s.keeps(rows.Batch, i) })); err != nil {
			return err
		}
		rest = picked(rows, func(i int) bool { return !s.keeps(rows.Batch, i) }).All()
	}
	switch {
	case len(rest.Recs) == 0:
		return nil
	case s.cfg.OnOpen == Drop:
		s.drop(picked(rest, func(int) bool { return true }))
		return nil
	}
	for {
		if err := s.wait(); err != nil {
			return err
		}
		ready, err := s.ready(true)
		if err != nil {
			return err
		}
		if ready {
			if err := s.send(rest, nil); !errors.Is(err, stream.ErrHeld) {
				return err
			}
		}
	}
}

// keeps reports whether a record goes into the spool.
func (s *Sink) keeps(b *record.Batch, i int) bool {
	return s.cfg.OnOpen == Spool || s.cfg.Critical(b, i)
}

// picked returns a copy of the live ones of rows for which pick is true.
func picked(rows record.Rows, pick func(i int) bool) *record.Batch {
	b := record.NewBatch()
	b.CopyRows(rows, pick)
	return b
}

// keep puts records into the spool, waiting for room in it.
func (s *Sink) keep(b *record.Batch) error {
	for len(b.Recs) > 0 {
		err := s.cfg.Spool.Write(b.All())
		if err == nil {
			break
		}
		if !errors.Is(err, spool.ErrFull) {
			return err
		}
		if werr := s.wait(); werr != nil {
			return errors.Join(err, werr)
		}
		if _, err := s.ready(false); err != nil {
			return err
		}
	}
	if err := s.cfg.Spool.Flush(s.ctx); err != nil {
		return err
	}
	s.counts.spooled.Add(int64(len(b.Recs)))
	if s.cfg.Kept != nil {
		s.cfg.Kept(b)
	}
	return nil
}

func (s *Sink) drop(b *record.Batch) {
	s.counts.dropped.Add(int64(len(b.Recs)))
	if s.cfg.Dropped != nil {
		s.cfg.Dropped(b)
	}
}

// wait waits a moment for the breaker. When the run is interrupted what waits
// is not sent, and its source is not told that it was.
func (s *Sink) wait() error {
	timer := time.NewTimer(tick)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.ctx.Done():
		return fmt.Errorf("interrupted while records wait: %w", stream.ErrHeld)
	}
}

// Push sends what the spool holds, when nothing else is to be done.
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

// Finished settles what can be settled, and returns p up to what cannot.
func (s *Sink) Finished(p stream.Position) stream.Position {
	if len(s.open) > 0 {
		_ = s.settle() // Flush says what is wrong
	}
	if first, ok := s.open[partition{p.Source, p.Partition}]; ok {
		p.Next = min(p.Next, first)
	}
	return p
}

// Flush returns when what can be settled is: Finished says what that is.
func (s *Sink) Flush(context.Context) error {
	if err := s.settle(); !errors.Is(err, stream.ErrHeld) {
		return err
	}
	return nil
}

// Leave has nothing to give up: what was written is on its way.
func (s *Sink) Leave([]*record.Origin) {}

// Drain returns when nothing is in flight any more. What waits in the spool is
// sent where the breaker allows it, and else stays there for the next run. It
// gives up when nothing has moved for the time-out.
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
