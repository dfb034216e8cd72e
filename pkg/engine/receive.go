package engine

import (
	"context"
	"errors"
	"time"

	"github.com/logctl/logctl/pkg/stream"
)

// receive takes over what has arrived, without waiting.
func (r *run) receive(ctx context.Context) error {
	for {
		select {
		case j := <-r.arrivals:
			if err := r.take(ctx, j); err != nil {
				return err
			}
		case l := <-r.loads:
			if err := r.start(l); err != nil {
				return err
			}
		case err := <-r.cuts:
			if err := r.finished(err); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
			return nil
		}
	}
}

// idle waits for something to arrive. Before, tasks that are over are finished, what
// is held back is passed on,
// and committed where someone waits for that.
func (r *run) idle(ctx context.Context, clock <-chan time.Time) error {
	if err := r.finishOver(); err != nil {
		return err
	}
	if r.prompt {
		r.prompt = false
		if err := r.commit(ctx, true); err != nil {
			return err
		}
		r.prompt = r.lanes.unfinished()
	}
	for r.soon {
		if err := r.commit(ctx, false); err != nil {
			return err
		}
	}
	if err := r.passOn(); err != nil {
		return err
	}
	return r.wait(ctx, clock)()
}

// wait returns what is to be done about what comes next. Questions are answered
// meanwhile.
func (r *run) wait(ctx context.Context, clock <-chan time.Time) func() error {
	r.Ask.rest(r)
	defer r.Ask.work()
	select {
	case j := <-r.arrivals:
		return func() error { return r.take(ctx, j) }
	case l := <-r.loads:
		return func() error { return r.start(l) }
	case err := <-r.cuts:
		return func() error { return r.finished(err) }
	case <-r.progress():
		return func() error { return nil }
	case <-r.pressing():
		return func() error { return r.commit(ctx, false) }
	case <-clock:
		return func() error { return r.onClock(ctx) }
	case <-ctx.Done():
		return func() error { return context.Cause(ctx) }
	}
}

// passOn passes on what is held back. While a commit is under way nothing is, and
// the sink is not to be touched.
func (r *run) passOn() error {
	if r.underway != nil {
		return nil
	}
	if err := r.out.push(); err != nil {
		return err
	}
	for _, to := range []stream.Sink{r.Sink, r.Dead} {
		if p, ok := to.(stream.Pusher); ok {
			if err := p.Push(); err != nil {
				return err
			}
		}
	}
	return nil
}

// take adds an arrival to its lane.
func (r *run) take(ctx context.Context, j *job) error {
	if j.end {
		return r.sourceEnded(j)
	}
	if j.err != nil {
		return j.err
	}
	if j.Barrier != nil {
		err := r.yield(ctx, j)
		clear(r.begun) // what comes back may have been another member's meanwhile
		r.left(j.Leaving)
		j.Barrier(err)
		j.Release()
		return err
	}
	l := r.laneOf(j)
	if j.Lost {
		r.lanes.add(l, j, r.Now())
		r.lost(l)
		return nil
	}
	if t := r.attach(l); t != nil {
		r.load(r.lanes.ctx, t)
	}
	if err := r.takeOver(ctx, j); err != nil {
		return err
	}
	if err := r.account(j); err != nil {
		return err
	}
	r.prompt = r.prompt || j.Prompt
	if r.AtMostOnce {
		if err := r.commitRead(ctx, j); err != nil {
			return err
		}
	}
	r.lanes.add(l, j, r.Now()) // one without records is read into again
	return nil
}

func (r *run) sourceEnded(j *job) error {
	r.lanes.end(j.source)
	if j.err == nil {
		return nil
	}
	_, group := r.Sources[j.source].(stream.Committer)
	if group || errors.Is(j.err, stream.ErrTooMany) {
		r.noFinish = true
		return j.err
	}
	r.failed = errors.Join(r.failed, j.err)
	if r.OnFailed != nil {
		r.OnFailed(j.err)
	}
	return nil
}

// account counts what a batch brings.
func (r *run) account(j *job) error {
	r.Stats.read(j)
	if r.Plan != nil {
		r.Stats.notice(r.Plan, j.Batch)
	}
	if len(j.Faults) == 0 || r.Stats.bad != "" && !r.Strict {
		return nil
	}
	f := j.Faults[0]
	r.Stats.bad = Place(j.Batch, f.Row) + ": " + f.Reason
	if r.Strict {
		r.Stats.add(j, f.Row+1, -1)
		return errors.New(r.Stats.bad)
	}
	return nil
}
