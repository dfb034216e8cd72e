package guard

import (
	"errors"
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

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
	if s.cfg.Fallback {
		s.counts.diverted.Add(int64(len(b.Recs)))
	} else {
		s.counts.dropped.Add(int64(len(b.Recs)))
	}
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

// tick is how often what is waited for is looked at.
const tick = 20 * time.Millisecond
