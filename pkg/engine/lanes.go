package engine

import (
	"context"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// laneKey names a partition of a run.
type laneKey struct {
	source    int
	topic     string
	partition int32
}

// lanes choose which record comes next.
type lanes struct {
	*readers
	ctx    context.Context // of the readers
	all    []*lane
	byKey  map[laneKey]*lane
	tasks  []*task
	turn   int        // of tasks, the one that is asked for rows next
	later  []unopened // sources to start, the next one first
	opened int        // sources started and not ended
	last   *lane      // the one whose rows were picked last

	waiting []stream.Waiting // of each source, for the chooser
	known   []bool           // the sources of which a partition is known
	began   int64            // wall clock when the first one was

	graves   *Gate // to the dead letters; nil where they are only counted
	unburied error // why they could not be written
}

func newLanes(r *readers) *lanes {
	ls := &lanes{readers: r, byKey: map[laneKey]*lane{}, known: make([]bool, len(r.Sources))}
	if r.Dead != nil {
		ls.graves = NewGate(r.Dead)
	}
	if r.New == nil {
		ls.newTask(stream.Task{}, r.Operator)
	}
	return ls
}

func (ls *lanes) newTask(id stream.Task, op stream.Operator) *task {
	t := &task{
		lanes: ls, id: id, op: op, watermark: record.NoTime, ticked: record.NoTime, spent: spent{most: record.NoTime},
		times: map[place]seen{},
	}
	ls.tasks = append(ls.tasks, t)
	return t
}

// taskOf returns the task of a partition, and whether it is new.
func (ls *lanes) taskOf(key laneKey) (t *task, isNew bool) {
	if ls.New == nil {
		return ls.tasks[0], false
	}
	id := stream.Task{Source: key.topic, Partition: key.partition}
	for _, t := range ls.tasks {
		if t.id == id {
			return t, false
		}
	}
	return ls.newTask(id, ls.New(id)), true
}

// remove forgets the tasks of partitions that are another reader's from now on,
// with what waits in them.
func (ls *lanes) remove(gone func(*task) bool) {
	ls.tasks = slices.DeleteFunc(ls.tasks, func(t *task) bool {
		if !gone(t) {
			return false
		}
		if op, ok := t.op.(stream.Leaver); ok && t.ready {
			op.Leave()
		}
		for _, l := range t.mine {
			for _, j := range l.queue {
				j.Release()
			}
			delete(ls.byKey, l.key)
			ls.all = slices.DeleteFunc(ls.all, func(other *lane) bool { return other == l })
		}
		return true
	})
}

func (ls *lanes) lane(key laneKey) *lane {
	l := ls.byKey[key]
	if l == nil {
		l = &lane{key: key, source: key.source, max: record.NoTime, next: -1, told: -1, grows: ls.growing(key.source)}
		ls.byKey[key] = l
		ls.all = append(ls.all, l)
	}
	return l
}

// growing reports whether another run will find more in a source.
func (ls *lanes) growing(source int) bool {
	g, ok := ls.Sources[source].(stream.Grower)
	return ls.Continues && (!ok || g.Grows())
}

// attach makes a lane one of its task's, once. It returns the task if it is new.
func (ls *lanes) attach(l *lane) *task {
	if l.task != nil {
		return nil
	}
	t, isNew := ls.taskOf(l.key)
	l.task = t
	_, l.timed = t.op.(stream.Ticker)
	t.mine = append(t.mine, l)
	t.settled = false
	if isNew {
		return t
	}
	return nil
}

// laneOf returns the lane of a batch.
func (ls *lanes) laneOf(j *job) *lane {
	key := laneKey{source: j.source}
	if ls.several(j.source) {
		key.topic, key.partition = j.Origin.Source, j.Origin.Partition
	}
	return ls.lane(key)
}

// add queues a batch in its lane.
func (ls *lanes) add(l *lane, j *job, now int64) {
	if ls.known[l.source] = true; ls.began == 0 {
		ls.began = now
	}
	l.recall(j.Origin)
	l.atEnd = j.AtEnd
	if l.task != nil {
		l.task.settled = false
	}
	if len(j.Recs) > 0 || l.active == 0 {
		l.active = now
	}
	if len(j.Recs) == 0 {
		l.pass(j)
		j.Release()
		return
	}
	l.queue = append(l.queue, j)
	ls.hold(l)
}

// hold pauses a lane that is far ahead of others, or lets it go on.
func (ls *lanes) hold(l *lane) {
	p, ok := ls.Sources[l.source].(stream.Pauser)
	if !ok || ls.Order != InTime {
		return
	}
	o := l.origin
	if len(l.queue) > 0 {
		o = l.queue[0].Origin
	}
	far := len(l.queue) > manyBatches/4
	if far != l.held && (far || len(l.queue) < 2) {
		l.held = far
		p.Pause(o, far)
	}
}

// stale has every task look at its lanes anew.
func (ls *lanes) stale() {
	for _, t := range ls.tasks {
		t.settled = false
	}
}

// end marks the lanes of a source as ended.
func (ls *lanes) end(source int) {
	ls.opened--
	ls.stale()
	ls.known[source] = true
	if !ls.several(source) {
		ls.byKey[laneKey{source: source}].ended = true
		return
	}
	for _, l := range ls.all {
		if l.source == source {
			l.ended = true
		}
	}
}

// done reports whether there is and will be nothing more.
func (ls *lanes) done() bool {
	if ls.opened == 0 && len(ls.later) > 0 && ls.ctx.Err() == nil {
		ls.openNext()
		return false
	}
	return ls.opened == 0 && !ls.rationed()
}

// queuedOf returns how many batches wait of a source of several partitions.
func (ls *lanes) queuedOf(source int) (queued int) {
	for _, l := range ls.all {
		if l.source == source {
			queued += len(l.queue)
		}
	}
	return queued
}

// uncount takes out of the counts what was read and not processed by the run's end.
func (ls *lanes) uncount() {
	for _, l := range ls.all {
		for i, j := range l.queue {
			row := 0
			if i == 0 {
				row = l.row
			}
			ls.Stats.add(j, row, -1)
		}
	}
}

// leave empties the lanes of partitions that another reader goes on with, as if
// nothing of them had been read.
func (ls *lanes) leave(gone []*record.Origin) {
	ls.stale()
	for _, l := range ls.all {
		for _, o := range gone {
			if l.origin != o && (len(l.queue) == 0 || l.queue[0].Origin != o) {
				continue
			}
			for _, j := range l.queue {
				j.Release()
			}
			*l = lane{
				key: l.key, task: l.task, source: l.source, max: l.max, active: l.active, atEnd: true, next: -1, told: -1,
				grows: l.grows, timed: l.timed,
			}
			break
		}
	}
}
