package engine

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// forever is later than any record.
const forever = math.MaxInt64

// A lane is one partition on its way into the operator.
type lane struct {
	key    laneKey
	task   *task
	source int
	origin *record.Origin    // of what was processed last; a file that is rotated gets another one
	queue  []*job            // batches that wait, parsed or not; the first one is being processed
	row    int               // the next row of the first batch
	next   int64             // offset behind the last row that was processed
	past   []stream.Position // the ends of files that were replaced by others since the last commit
	moved  bool              // next has changed since the last commit, or was not all finished then
	told   int64             // the position that was last committed, of a sink that is a stream.Tracker
	max    int64             // greatest event time that was processed
	marks  marks             // of the partitions that it is filled from, where it is
	active int64             // wall clock when it last had something
	atEnd  bool              // it had no more to give when last heard of
	ended  bool
	last   bool // the batch that was dealt with last was the last one of the partition
	grows  bool // another run will find more in it
	held   bool // it is paused
	timed  bool // its operator is told of time
	rank   int  // its place in its task's standing
}

// counts reports whether a record says how far the partition has come. One that was
// filtered out does so to an operator that is told of time.
func (l *lane) counts(rec *record.Rec) bool {
	return rec.Live() || l.timed && rec.Flags&record.Filtered != 0
}

// head makes the lane's first batch ready and returns the time of its next
// row that counts; false where nothing waits. Batches that are used up are left to
// the caller's done.
func (l *lane) head(done func(*job)) (int64, bool) {
	for len(l.queue) > 0 {
		j := l.queue[0]
		for ; l.row < len(j.Recs); l.row++ {
			if l.counts(&j.Recs[l.row]) {
				return j.Recs[l.row].Time, true
			}
		}
		l.finish(done)
	}
	return 0, false
}

// time returns the time of the next row, which head has found.
func (l *lane) time() int64 { return l.queue[0].Recs[l.row].Time }

// finish takes the first batch out of the queue.
func (l *lane) finish(done func(*job)) {
	j := l.queue[0]
	copy(l.queue, l.queue[1:])
	l.queue = l.queue[:len(l.queue)-1]
	l.row = 0
	l.dealt(j)
	done(j)
}

// pass takes in a batch without records: it only moves the position, behind
// the batches that wait.
func (l *lane) pass(j *job) {
	if n := len(l.queue); n == 0 {
		l.dealt(j)
	} else if last := l.queue[n-1]; last.Origin == j.Origin {
		last.Next, last.Last = max(last.Next, j.Next), j.Last
		last.Marks = append(last.Marks, j.Marks...)
	}
}

// dealt notes that a batch has been dealt with.
func (l *lane) dealt(j *job) {
	l.last = j.Last
	l.advance(j.Origin, j.Next)
	l.mark(j.Batch)
}

// over reports whether all of the partition has been dealt with, and nothing more
// will come of it in this run.
func (l *lane) over() bool { return l.last && len(l.queue) == 0 }

// advance notes that everything below next has been dealt with. Offsets begin
// anew with another origin.
func (l *lane) advance(o *record.Origin, next int64) {
	if o != l.origin {
		l.leave()
		l.origin, l.next, l.told = o, -1, -1
	}
	if next > l.next {
		l.next, l.moved = next, true
	}
}

// leave notes how far a file was read that another one follows.
func (l *lane) leave() {
	if o := l.origin; o != nil && !o.Topic && l.next >= 0 {
		l.past = append(l.past, stream.Position{Source: o.Source, Partition: o.Partition, Next: l.next, Begins: o.Begins})
	}
}

// run returns the rows from the next one on, up to the first whose time is
// later than limit, or behind the one with which the lane's greatest time
// reaches due, about so many at most, and moves behind them. Those of one offset, as
// in a pack of package shuffle, stay together: a position between them would have the
// first of them come again.
func (l *lane) run(limit, due int64, most int) record.Rows {
	b := l.queue[0].Batch
	marked := l.marked()
	lo, hi := l.row, l.row
	for hi < len(b.Recs) && (hi-lo < most || b.Recs[hi].Offset == b.Recs[hi-1].Offset) {
		if rec := &b.Recs[hi]; l.counts(rec) {
			if rec.Time > limit && hi > lo {
				break
			}
			if !marked {
				l.max = max(l.max, rec.Time)
			}
			if l.max >= due {
				hi++
				break
			}
		}
		hi++
	}
	l.row = hi
	return record.Rows{Batch: b, Lo: lo, Hi: hi}
}

// position returns how far the lane has come; false where that is unknown.
// Inside a batch it is the place of the row that comes next.
func (l *lane) position() (stream.Position, bool) {
	o, next := l.origin, l.next
	if len(l.queue) > 0 && l.row > 0 && l.row < len(l.queue[0].Recs) {
		if o, next = l.queue[0].Origin, l.queue[0].Recs[l.row].Offset; o != l.origin {
			l.leave()
		}
	}
	if o == nil || next < 0 {
		return stream.Position{}, false
	}
	done := l.over() && l.task != nil && l.task.finished
	return stream.Position{Source: o.Source, Partition: o.Partition, Next: next, Done: done, Begins: o.Begins}, true
}

// mark takes in the marks behind a batch. They are part of the state of its task: who
// goes on behind them does not meet them again.
func (l *lane) mark(b *record.Batch) {
	if len(b.Marks) == 0 {
		return
	}
	if l.task != nil {
		l.task.touched = true
	}
	if l.marks == nil {
		l.marks = marks{}
	}
	for _, m := range b.Marks {
		l.marks.add(m)
	}
	if len(l.marks) >= b.Origin.Upstreams {
		l.max = max(l.max, l.marks.time())
	}
}

// recall sets the greatest time to what an earlier run has seen of the partition.
func (l *lane) recall(o *record.Origin) {
	if l.task == nil || o == nil || len(l.task.times) == 0 {
		return
	}
	for _, name := range [...]string{o.Source, o.Was} {
		at := place{name, o.Partition}
		if seen, ok := l.task.times[at]; ok {
			l.max, l.active = max(l.max, seen.max), max(l.active, seen.active)
			l.task.settled = false
			delete(l.task.times, at)
		}
	}
}

// marked reports whether the first batch is of a partition whose time are marks.
func (l *lane) marked() bool {
	o := l.queue[0].Origin
	return o != nil && o.Upstreams > 0
}

// reached returns the lane's greatest time. Of one whose first row waits for those
// of others, that is the row's, as it is of a source that was not opened yet; but
// where marks are the time there is none before them.
func (l *lane) reached() int64 {
	if l.max > record.NoTime || len(l.queue) == 0 || l.row == len(l.queue[0].Recs) || l.marked() {
		return l.max
	}
	return l.queue[0].Recs[l.row].Time
}

// waits reports whether the lane has nothing queued but will have: it is the
// lane that reading in time order has to wait for.
func (l *lane) waits() bool { return len(l.queue) == 0 && !l.ended && !l.atEnd }

// holds reports whether the lane holds the watermark at its own greatest time:
// not when it has ended, nor when it is at its end and has been silent for the
// idle time.
func (l *lane) holds(now, idle int64) bool {
	return len(l.queue) > 0 || !l.ended && (!l.atEnd || now-l.active < idle)
}
