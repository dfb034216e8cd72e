package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// commit makes what was processed durable, in the order that loses nothing:
// first the output and the dead letters, then the positions behind them.
// Unless asked for now, it keeps to the interval.
func (r *run) commit(ctx context.Context, now bool) error {
	if due := r.Now()-r.committed >= int64(r.CommitEvery); !due && !now {
		return nil
	}
	r.committed = r.Now()
	if err := r.out.push(); err != nil {
		return err
	}
	moved := r.lanes.moved()
	if r.unburied != nil {
		return r.unburied
	}
	all := slices.Concat(moved...)
	if len(all) == 0 && r.out.sent == r.flushed && !now {
		return nil
	}
	start := r.Now()
	if err := r.save(); err != nil {
		return err
	}
	if k, ok := r.Sink.(stream.Keeper); ok && r.Exactly {
		k.Keep(all)
	}
	// A sink may refuse records and hand them to the dead letters while it is
	// flushed. One that keeps the positions comes last instead.
	order := []any{r.Sink, r.Dead, r.Vault}
	if r.Exactly {
		order = []any{r.Dead, r.Sink}
		if any(r.Vault) != any(r.Sink) {
			order = []any{r.Dead, r.Vault, r.Sink}
		}
	}
	for _, s := range r.Sides {
		order = slices.Insert(order, 0, any(s))
	}
	err := r.answering(func() error {
		if err := flush(ctx, order); err != nil || r.AtMostOnce {
			return err
		}
		return r.commitPositions(ctx, moved)
	})
	if err != nil {
		return err
	}
	r.flushed = r.out.sent
	r.Stats.CommitNanos.Store(r.Now() - start)
	return nil
}

func flush(ctx context.Context, order []any) error {
	for _, s := range order {
		if f, ok := s.(stream.Flusher); ok {
			if err := f.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// answering does work that does not concern the operators, and answers questions
// to them meanwhile: they need not wait until a commit has gone through.
func (r *run) answering(work func() error) error {
	if r.Ask == nil {
		return work()
	}
	done := make(chan error, 1)
	go func() { done <- work() }()
	for {
		select {
		case err := <-done:
			return err
		case ask := <-r.Ask.questions():
			ask(r.view())
		}
	}
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
