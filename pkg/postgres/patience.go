package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
)

const (
	pause = time.Second      // between attempts
	again = 10 * time.Second // between two notes that the server is down
)

// patiently does something again, over a new connection, for as long as it fails
// for reasons that pass and Busy does not give up.
func (s *Sink) patiently(ctx context.Context, doing string, do func(context.Context) error) error {
	waits := s.patience()
	return s.again(ctx, &waits, func(ctx context.Context) error {
		err := s.connected(ctx)
		if err == nil {
			err = do(ctx)
		}
		if err != nil {
			err = s.failed(doing, err)
		}
		return err
	})
}

// again does something, over a new connection each time, until it succeeds or the
// patience is at its end.
func (s *server) again(ctx context.Context, waits *patience, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if err == nil {
			waits.done(true)
			return nil
		}
		_ = s.close() // what was under way is undone
		if err := waits.out(ctx, err); err != nil {
			return err
		}
	}
}

// A patience waits for a server that is down.
type patience struct {
	busy    func(error) error // see SinkOptions.Busy
	breaker *limit.Breaker    // see SinkOptions.Breaker
	within  time.Duration     // see SinkOptions.Within
	since   time.Time         // the first attempt failed
	told    time.Time
}

func (s *Sink) patience() patience {
	return patience{busy: s.opt.Busy, breaker: s.opt.Breaker, within: s.opt.Within}
}

// done tells the breaker how an attempt went, and reports whether it is open now.
func (p *patience) done(ok bool) bool {
	if p.breaker == nil {
		return false
	}
	now := time.Now().UnixNano()
	p.breaker.Done(now, ok)
	return p.breaker.State(now) == limit.Open
}

// out waits before the next attempt, or returns why there is none.
func (p *patience) out(ctx context.Context, err error) error {
	if p.busy == nil || !passes(err) || ctx.Err() != nil {
		return fault.Hint(err, hintFor(err))
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
	if p.within > 0 && time.Since(p.since) >= p.within {
		return fault.Hint(fmt.Errorf("%w; waited for %s", err, human.Span(p.within)), hintFor(err))
	}
	if open := p.done(false); open || time.Since(p.told) >= again {
		p.told = time.Now()
		if err := p.busy(err); err != nil {
			return err
		}
	}
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return err
	}
}

// hintFor says what to do about an error of the server.
func hintFor(err error) string {
	switch stateOf(err) {
	case "42501":
		return "grant the user the right to, or have another make the tables"
	case uniqueViolation:
		return "another unique index of the table refuses the row; --unique says what makes a row unique"
	}
	return ""
}
