package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// commit makes what was processed durable. Unless asked for now, it keeps to the
// interval, gathers what has changed of one task after the other, and operators with
// a state go on beside it.
func (r *run) commit(ctx context.Context, now bool) error {
	began := r.Now()
	r.soon = false
	if due := began-r.committed >= int64(r.interval()); !now && (!due || r.underway != nil) {
		return nil
	}
	if !now {
		var err error
		if r.soon, err = r.gatherAhead(); r.soon || err != nil {
			r.Stats.stood(r.Now() - began)
			return err
		}
	}
	if err := r.finish(); err != nil {
		return err
	}
	if err := r.roundOff(); err != nil {
		return err
	}
	c, err := r.cut(now)
	if c != nil || !r.pressed() { // what comes soon after nothing was committed need not wait
		r.committed, r.urgent = began, false
	}
	if err != nil || c == nil {
		return err
	}
	defer func() { r.Stats.stood(r.Now() - began) }()
	beside := r.beside() && !now
	r.begin(ctx, c, beside)
	if beside {
		return nil
	}
	err = r.finish()
	r.committed = max(r.committed, r.Now()-int64(r.CommitEvery)/2) // records waited, and are to come before the next one
	return err
}

// Where some records are to be seen before others, and are seen when they are committed,
// these are the least intervals. The first urgent one meets a transaction of others, and
// whoever reads it has to read all of those, too: they are few where a commit is never
// long ago. From then on a record that has just missed a commit waits for its end, for
// the interval, and for its own.
const (
	calmEvery   = 25 * time.Millisecond
	urgentEvery = 20 * time.Millisecond
)

// interval returns how long after the last commit the next one begins. At least half of
// the time is left to records, however long commits take, and three quarters where none
// of them is urgent.
func (r *run) interval() time.Duration {
	took := time.Duration(r.Stats.CommitNanos.Load())
	switch {
	case !r.pressed():
		return r.CommitEvery
	case r.urgent:
		return min(r.CommitEvery, max(urgentEvery, 2*took))
	default:
		return min(r.CommitEvery, max(calmEvery, 4*took))
	}
}

// pressed reports whether commits are what some records wait for before others.
func (r *run) pressed() bool { return r.Choose != nil && r.Exactly }

// tick returns how often the clock is looked at.
func (r *run) tick() time.Duration { return min(r.CommitEvery, time.Second/4) }

// pressing has a message when a commit is due that some records wait for before others.
// Where there is nothing to commit nobody looks at a clock.
func (r *run) pressing() <-chan time.Time {
	if !r.pressed() || r.underway != nil || !r.lanes.unfinished() && r.out.sent == r.flushed {
		return nil
	}
	left := r.interval() - time.Duration(r.Now()-r.committed)
	r.due.Reset(max(left, time.Millisecond))
	return r.due.C
}

// beside reports whether the operators go on during a commit. Where they keep no
// state it is short, and of a sink that tracks what is finished it is not known
// which rows belong to it.
func (r *run) beside() bool {
	_, tracks := r.Sink.(stream.Tracker)
	return r.Vault != nil && !tracks
}

// commitRead commits a batch before it is processed: at most once.
func (r *run) commitRead(ctx context.Context, j *job) error {
	if j.Origin == nil {
		return nil
	}
	at := make([][]stream.Position, len(r.Sources))
	at[j.source] = []stream.Position{{Source: j.Origin.Source, Partition: j.Origin.Partition, Next: j.Next}}
	return r.commitPositions(ctx, at)
}

// commitPositions commits to every source that remembers positions. A consumer
// group that has moved the partitions elsewhere meanwhile has had its barrier
// before, so that nothing is committed for others.
func (r *run) commitPositions(ctx context.Context, at [][]stream.Position) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	for i, s := range r.Sources {
		if c, ok := s.(stream.Committer); ok && len(at[i]) > 0 {
			if err := c.Commit(ctx, at[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

const commitTimeout = time.Minute // a cluster may be down for a while

// resume has every source go on where the sink's last transaction ended.
func (r *run) resume(ctx context.Context) error {
	if !r.Exactly {
		return nil
	}
	k, ok := r.Sink.(stream.Keeper)
	if !ok {
		return errors.New("exactly once needs a sink that keeps positions")
	}
	at, err := k.Positions(ctx)
	if err != nil {
		return err
	}
	for _, s := range r.Sources {
		sk, ok := s.(stream.Seeker)
		if !ok {
			return errors.New("exactly once needs a source that can begin where a run ended")
		}
		if err := sk.Seek(at); err != nil {
			return err
		}
	}
	return nil
}

// takeOver sees to a partition that comes from another member of the group:
// what that one has committed to the sink since this run began is not written
// again.
func (r *run) takeOver(ctx context.Context, j *job) error {
	if !r.Exactly || j.Origin == nil || !j.Origin.Topic {
		return nil
	}
	from, known := r.begun[j.Origin]
	if !known {
		if err := r.commit(ctx, true); err != nil {
			return err
		}
		at, err := r.Sink.(stream.Keeper).Positions(ctx)
		if err != nil {
			return err
		}
		for _, p := range at {
			if p.Source == j.Origin.Source && p.Partition == j.Origin.Partition {
				from = p.Next
			}
		}
		r.begun[j.Origin] = from
	}
	for i := range j.Recs {
		if rec := &j.Recs[i]; rec.Offset < from {
			rec.Flags = rec.Flags&^record.Bad | record.Dropped
		}
	}
	j.Faults = slices.DeleteFunc(j.Faults, func(f record.Fault) bool { return j.Recs[f.Row].Offset < from })
	return nil
}
