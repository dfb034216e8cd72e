package engine

import (
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A task is a part of a run that has an operator, a time and a state of its own:
// all of the run, or with Pipeline.New one partition.
type task struct {
	*lanes
	standing
	id        stream.Task
	op        stream.Operator
	mine      []*lane
	watermark int64
	ticked    int64          // the watermark that the operator knows
	times     map[place]seen // partitions that have ended, or were not read again since an earlier run
	news      []place        // those of times that the state does not have yet
	spent     spent          // those that have ended
	touched   bool           // something has happened since its state was saved
	ready     bool           // its state is there
	finished  bool           // its operator has said its last words

	pieces   []stream.Entries // of its state, for the next commit or the one that is under way
	whole    bool             // they are all that there are
	gathered int              // how many of them were before the cut
	scratch  []byte           // for an entry of them
}

// tell ticks the operator where the watermark has risen, or always.
func (t *task) tell(now int64, always bool, out stream.Output) error {
	if !t.ready || t.finished {
		return nil
	}
	t.settle(now, t.release)
	op, ok := t.op.(stream.Ticker)
	if !ok {
		return nil
	}
	t.watermark = max(t.watermark, t.reached(now))
	if t.watermark == t.ticked && !always {
		return nil
	}
	t.touched = t.touched || t.watermark != t.ticked
	t.ticked = t.watermark
	if i, ok := op.(stream.Idler); ok {
		i.Idle(!t.heldBack(now))
	}
	return op.Tick(t.watermark, now, out)
}

// over reports whether all partitions of the task have ended.
func (t *task) over() bool {
	return !slices.ContainsFunc(t.mine, func(l *lane) bool { return !l.over() })
}

// pick returns the next rows to process; false where there are none yet.
func (t *task) pick(done func(*job)) (record.Rows, bool) {
	if t.Choose != nil {
		return t.pickChosen(done)
	}
	if t.Order != InTime {
		return t.pickAny(done)
	}
	best, limit := t.least(done)
	if t.mustWait() {
		return record.Rows{}, false
	}
	if len(t.later) > 0 && t.ctx.Err() == nil && (best == nil || t.unopened() <= best.time()) {
		t.openNext()
		return record.Rows{}, false
	}
	if best == nil {
		return record.Rows{}, false
	}
	if len(t.later) > 0 {
		limit = min(limit, t.unopened()-1)
	}
	return t.take(best, limit, t.atOnce()), true
}

// atOnce returns how many rows are processed before questions are answered again.
func (t *task) atOnce() int {
	if t.Ask == nil {
		return math.MaxInt
	}
	return rowsAtOnce
}

// rowsAtOnce is a few tenths of a millisecond's worth.
const rowsAtOnce = 1024

// mustWait reports whether a lane that is still to give something is empty.
// When all batches of a source wait in other lanes there is nothing to wait
// for: order yields to progress.
func (t *task) mustWait() bool {
	if t.waits == 0 {
		return false
	}
	for _, l := range t.mine {
		if !l.waits() {
			continue
		}
		if !t.several(l.source) || t.queuedOf(l.source) < manyBatches {
			return true
		}
	}
	return false
}

// pickAny returns the rows of the lane with the least time among those that
// have some. Out of time order it takes whole batches.
func (t *task) pickAny(done func(*job)) (record.Rows, bool) {
	best, limit := t.least(done)
	if best == nil {
		return record.Rows{}, false
	}
	if t.Order != InTime {
		limit = forever
	}
	return t.take(best, limit, t.atOnce()), true
}

func (t *task) take(l *lane, limit int64, most int) record.Rows {
	rows := l.run(limit, t.dueWith(l), most)
	t.last, l.moved = l, true
	t.settled = t.settled && (t.change == nil || t.change == l)
	t.change = l
	t.hold(l)
	return rows
}

// dueWith returns the time at which the operator is due if l alone holds the
// watermark back from it, else forever.
func (t *task) dueWith(l *lane) int64 {
	w, ok := t.op.(stream.Waiter)
	if !ok {
		return forever
	}
	due, now := max(w.Due(), record.NoTime+1), t.Now() // at the latest when there is a watermark at all
	if l.max >= due {
		return forever // others hold it back, or it would have been told
	}
	if t.holds.but(l.rank) < due {
		return forever
	}
	if t.unopened() < due || t.spent.least(now, int64(t.Idle)) < due {
		return forever
	}
	return due
}

// least returns the lane whose next row has the least time, the earlier lane
// among equals, and the greatest time up to which its rows come before those of
// all others by the same rule.
func (t *task) least(done func(*job)) (best *lane, limit int64) {
	t.settle(t.Now(), done)
	if t.heads.all() == forever {
		return nil, forever
	}
	first := t.heads.first()
	return t.mine[first], t.heads.limit(first)
}

// reached returns the event time that every partition of the task has reached.
func (t *task) reached(now int64) int64 {
	least := min(t.spent.least(now, int64(t.Idle)), t.holds.all(), t.unopened())
	if least < forever {
		return least
	}
	most := t.spent.most
	for _, l := range t.mine {
		most = max(most, l.max)
	}
	return most
}

// holdsBack reports whether a lane holds the watermark. Where another run will go
// on with the input, its end is a silence like any other.
func (t *task) holdsBack(l *lane, now int64) bool {
	return l.holds(now, int64(t.Idle)) || l.ended && l.grows && l.max > record.NoTime && now-l.active < int64(t.Idle)
}

// heldBack reports whether any partition holds the watermark.
func (t *task) heldBack(now int64) bool {
	return t.spent.least(now, int64(t.Idle)) < forever || t.holds.all() < forever ||
		slices.ContainsFunc(t.mine, func(l *lane) bool { return t.holdsBack(l, now) })
}
