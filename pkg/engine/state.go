package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// loaded is the word that a task's state is there, or why not.
type loaded struct {
	*task
	at  clock
	err error
}

// loadFirst loads the state of the one task of a run without New, before
// anything is read.
func (r *run) loadFirst(ctx, reading context.Context) error {
	for _, t := range r.tasks {
		r.load(reading, t)
		if t.ready {
			continue
		}
		r.Ask.rest(r)
		var l loaded
		select {
		case l = <-r.loads:
		case <-ctx.Done():
		}
		r.Ask.work()
		if l.task == nil {
			return nil // interrupted: nothing was read, nothing is saved
		}
		if err := r.start(l); err != nil {
			return err
		}
	}
	return nil
}

// load begins to load a task's state. The word comes over r.loads, unless nothing is
// read any more by then.
func (r *run) load(ctx context.Context, t *task) {
	op, ok := t.op.(stream.Stateful)
	if !ok || r.Vault == nil {
		t.ready = true
		return
	}
	r.Stats.Restoring.Add(1)
	began := time.Now()
	r.loading.Go(func() {
		l := loaded{task: t, at: clock{watermark: record.NoTime, times: map[place]seen{}, marks: marks{}}}
		n := restored{to: r.Stats}
		l.err = r.Vault.Load(ctx, t.id, func(key, value []byte) error {
			if n.count(len(key)+len(value)) && ctx.Err() != nil {
				return ctx.Err()
			}
			if len(key) == 0 || key[0] == ownKey {
				return l.at.restore(key, value)
			}
			return op.Restore(key, value)
		})
		n.tell()
		r.Stats.RestoreNanos.Store(int64(time.Since(began)))
		if ctx.Err() != nil {
			return // what it lacks, it lacks for that
		}
		select {
		case r.loads <- l:
		case <-ctx.Done():
		}
	})
}

// restored counts entries that are taken back, and tells of them by the thousand: what
// several goroutines count in one place keeps them waiting for each other.
type restored struct {
	to             *Stats
	entries, bytes int64
}

// count reports whether it has told of them.
func (n *restored) count(bytes int) (told bool) {
	n.bytes += int64(bytes)
	if n.entries++; n.entries == 1000 {
		n.tell()
		return true
	}
	return false
}

func (n *restored) tell() {
	n.to.Restored.Add(n.entries)
	n.to.RestoredBytes.Add(n.bytes)
	n.entries, n.bytes = 0, 0
}

// start lets a task begin whose state is there.
func (r *run) start(l loaded) error {
	r.Stats.Restoring.Add(-1)
	l.ready, l.watermark, l.times, l.news = true, l.at.watermark, l.at.times, l.at.news
	r.forget(l.task)
	for _, lane := range l.mine {
		r.recallMarks(lane, l.at.marks)
		if len(lane.queue) > 0 {
			lane.recall(lane.queue[0].Origin)
		} else {
			lane.recall(lane.origin)
		}
	}
	if l.err != nil {
		return fmt.Errorf("restoring state%s: %w", l.name(), l.err)
	}
	return nil
}

// recallMarks gives a lane the marks that an earlier reader of it has met.
func (r *run) recallMarks(l *lane, kept marks) {
	if len(kept) == 0 {
		return
	}
	maps.Copy(kept, l.marks) // it has gone on meanwhile
	l.marks = kept
	o := l.origin
	if len(l.queue) > 0 {
		o = l.queue[0].Origin
	}
	if s, ok := r.Sources[l.source].(stream.Recaller); ok && o != nil {
		s.Recall(o, kept.ended())
	}
}

// name returns the task's partition for messages, nothing for a whole run.
func (t *task) name() string {
	if t.id == (stream.Task{}) {
		return ""
	}
	return fmt.Sprintf(" of %s/%d", t.id.Source, t.id.Partition)
}

// lost drops the task of a partition that another reader has.
func (r *run) lost(l *lane) {
	if r.New != nil {
		r.remove(func(t *task) bool { return t == l.task })
	}
}

// left drops the tasks of partitions that others go on with.
func (r *run) left(gone []*record.Origin) {
	if r.New == nil {
		return
	}
	r.remove(func(t *task) bool {
		return slices.ContainsFunc(gone, func(o *record.Origin) bool {
			return t.id == stream.Task{Source: o.Source, Partition: o.Partition}
		})
	})
}

// restoring reports whether rows wait for the state of their task. In a run that is
// interrupted they do not: they are left to the next one.
func (r *run) restoring() bool {
	return r.lanes.ctx.Err() == nil && slices.ContainsFunc(r.tasks, func(t *task) bool { return !t.ready })
}
