package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/wire"
)

// A place names a partition in a task's state.
type place struct {
	source    string
	partition int32
}

// loaded is the word that a task's state is there, or why not.
type loaded struct {
	*task
	at  clock
	err error
}

// A clock is the event time of a task: the engine's own entry of its state, under
// the empty key.
type clock struct {
	watermark int64
	times     map[place]seen
	marks     marks
}

// seen is what is known of a partition: its greatest event time, and when it last
// had something.
type seen struct{ max, active int64 }

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
		l := loaded{task: t, at: clock{watermark: record.NoTime}}
		n := restored{to: r.Stats}
		l.err = r.Vault.Load(ctx, t.id, func(key, value []byte) error {
			if n.count(len(key)+len(value)) && ctx.Err() != nil {
				return ctx.Err()
			}
			if len(key) == 0 {
				return l.at.decode(value)
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
	l.ready, l.watermark, l.times = true, l.at.watermark, l.at.times
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

// forget drops what is known of partitions that were silent for so long that they
// hold nothing back. There is no end of them where files are rotated.
func (r *run) forget(t *task) {
	now := r.Now()
	maps.DeleteFunc(t.times, func(_ place, last seen) bool { return r.Continues && now-last.active >= int64(r.Idle) })
}

// name returns the task's partition for messages, nothing for a whole run.
func (t *task) name() string {
	if t.id == (stream.Task{}) {
		return ""
	}
	return fmt.Sprintf(" of %s/%d", t.id.Source, t.id.Partition)
}

// appendTimes appends the watermark and the greatest event time of each
// partition, which decide what is late in the next run.
func (t *task) appendTimes(dst []byte) []byte {
	dst = binary.AppendVarint(dst, t.watermark)
	dst = append(dst, t.spent.times...)
	for _, l := range t.mine {
		dst = l.appendTime(dst)
	}
	for _, l := range t.mine {
		dst = l.marks.append(dst)
	}
	for at, last := range t.times { // of partitions that were not seen again yet
		dst = appendSeen(dst, at, last)
	}
	return dst
}

// appendTime appends the greatest event time of a lane's partition, if there is one.
func (l *lane) appendTime(dst []byte) []byte {
	if l.origin == nil || l.max == record.NoTime {
		return dst
	}
	return appendSeen(dst, place{l.origin.Source, l.origin.Partition}, seen{l.max, l.active})
}

func appendSeen(dst []byte, at place, last seen) []byte {
	dst = wire.AppendBytes(dst, at.source)
	dst = binary.AppendVarint(dst, int64(at.partition))
	dst = binary.AppendVarint(dst, last.max)
	return binary.AppendVarint(dst, last.active)
}

var errTimes = errors.New("decoding the times of partitions: not what was encoded")

// decode takes in what appendTimes has written.
func (c *clock) decode(src []byte) error {
	r := wire.Read(src)
	c.watermark, c.times, c.marks = r.Varint(), map[place]seen{}, marks{}
	for !r.Failed() && !r.Done() {
		at := place{string(r.Bytes()), int32(r.Varint())}
		last := seen{r.Varint(), r.Varint()}
		switch {
		case r.Failed():
		case at.partition < 0:
			c.marks.restore(at, last)
		default:
			c.times[at] = last
		}
	}
	if r.Failed() {
		return errTimes
	}
	return nil
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
