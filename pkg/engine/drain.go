package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/logctl/logctl/pkg/stream"
)

// settle processes all that waits, in the best order that is left, and commits.
func (r *run) settle(ctx context.Context) error {
	for {
		t, rows, err := r.next((*task).pickAny)
		switch {
		case err != nil:
			return err
		case t == nil:
			return r.commit(ctx, true)
		}
		if err := r.process(t, rows); err != nil {
			return err
		}
	}
}

// yield deals with all that came before a barrier. A sink that tracks what is
// finished may take long over it: then what other readers go on with is left to
// them.
func (r *run) yield(ctx context.Context, j *job) error {
	t, ok := r.Sink.(stream.Tracker)
	if !ok {
		return r.settle(ctx)
	}
	t.Leave(j.Leaving)
	err := r.commit(ctx, true)
	r.lanes.leave(j.Leaving)
	return err
}

// drain waits until the sink has finished what it was given, and commits
// meanwhile.
func (r *run) drain(ctx context.Context) error {
	t, ok := r.Sink.(stream.Tracker)
	if !ok {
		return nil
	}
	if err := r.out.push(); err != nil {
		return err
	}
	again := r.noFinish && !slices.ContainsFunc(r.Sources, func(s stream.Source) bool {
		_, remembers := s.(stream.Committer)
		return !remembers
	})
	for {
		part, cancel := context.WithTimeout(ctx, r.CommitEvery)
		err := t.Drain(part, again)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := r.commit(ctx, false); err != nil {
			return err
		}
	}
}

// drainBarriers releases who waits behind a barrier that will not be reached.
func (r *run) drainBarriers(err error) {
	if err == nil {
		err = errEnded
	}
	go r.readers.stop()
	for j := range r.arrivals {
		if !j.end && j.Barrier != nil {
			j.Barrier(err)
		}
	}
}

var errEnded = errors.New("the run has ended")
