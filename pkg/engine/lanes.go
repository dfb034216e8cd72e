package engine

import (
	"cmp"
	"context"
	"io"
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

// unopened is a source that has not been started.
type unopened struct {
	source int
	first  int64 // time of its first record; holds the watermark
}

// lanes choose which record comes next.
type lanes struct {
	*readers
	ctx    context.Context // of the readers
	all    []*lane
	byKey  map[laneKey]*lane
	later  []unopened // sources to start, the next one first
	opened int        // sources started and not ended
	last   *lane      // the one whose rows were picked last
}

func newLanes(r *readers) *lanes {
	return &lanes{readers: r, byKey: map[laneKey]*lane{}}
}

// plan decides when each source is started and starts the first ones.
func (ls *lanes) plan(ctx context.Context) {
	ls.ctx = ctx
	for i := range ls.Sources {
		if first, ok := ls.firstTime(i); ok {
			ls.later = append(ls.later, unopened{i, first})
		} else {
			ls.open(i)
		}
	}
	if ls.Order == InTime {
		slices.SortStableFunc(ls.later, func(a, b unopened) int { return cmp.Compare(a.first, b.first) })
	}
}

// firstTime returns the time of a source's first record, record.NoTime where
// it is not known, and false for a source that is to be started at once: also
// one that cannot be looked at, so that its Read says why.
func (ls *lanes) firstTime(i int) (int64, bool) {
	p, ok := ls.Sources[i].(stream.Peeker)
	if ls.Order != InTime || len(ls.Sources) == 1 || !ok {
		return record.NoTime, ls.Order == InSequence
	}
	b, err := ls.pools[i].Get(ls.ctx)
	if err != nil {
		return record.NoTime, false
	}
	defer b.Release()
	if err := p.Peek(b); err != nil {
		return record.NoTime, err == io.EOF
	}
	if ls.Parser != nil {
		ls.Parser().Parse(b)
	}
	for k := range b.Recs {
		if b.Recs[k].Live() {
			return b.Recs[k].Time, true
		}
	}
	return record.NoTime, true
}

func (ls *lanes) open(source int) {
	ls.opened++
	ls.start(ls.ctx, source)
	if _, ok := ls.Sources[source].(stream.Pauser); !ok {
		ls.lane(laneKey{source: source})
	}
}

func (ls *lanes) openNext() {
	source := ls.later[0].source
	ls.later = ls.later[1:]
	ls.open(source)
}

func (ls *lanes) lane(key laneKey) *lane {
	l := ls.byKey[key]
	if l == nil {
		l = &lane{source: key.source, max: record.NoTime, next: -1, told: -1}
		ls.byKey[key] = l
		ls.all = append(ls.all, l)
	}
	return l
}

// add queues a batch in its lane.
func (ls *lanes) add(j *job, now int64) {
	key := laneKey{source: j.source}
	if _, ok := ls.Sources[j.source].(stream.Pauser); ok {
		key.topic, key.partition = j.Origin.Source, j.Origin.Partition
	}
	l := ls.lane(key)
	l.atEnd = j.AtEnd
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

// end marks the lanes of a source as ended.
func (ls *lanes) end(source int) {
	ls.opened--
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
	return ls.opened == 0
}

// pick returns the next rows to process; false where there are none yet.
func (ls *lanes) pick(done func(*job)) (record.Rows, bool) {
	if ls.Order != InTime {
		return ls.pickAny(done)
	}
	best, limit := ls.least(done)
	if ls.mustWait() {
		return record.Rows{}, false
	}
	if len(ls.later) > 0 && ls.ctx.Err() == nil && (best == nil || ls.later[0].first <= best.time()) {
		ls.openNext()
		return record.Rows{}, false
	}
	if best == nil {
		return record.Rows{}, false
	}
	if len(ls.later) > 0 {
		limit = min(limit, ls.later[0].first-1)
	}
	return ls.take(best, limit), true
}

// mustWait reports whether a lane that is still to give something is empty.
// When all batches of a source wait in other lanes there is nothing to wait
// for: order yields to progress.
func (ls *lanes) mustWait() bool {
	for _, l := range ls.all {
		if !l.waits() {
			continue
		}
		if queued, most := ls.queuedOf(l.source); queued < most {
			return true
		}
	}
	return false
}

func (ls *lanes) queuedOf(source int) (queued, most int) {
	for _, l := range ls.all {
		if l.source == source {
			queued += len(l.queue)
		}
	}
	if _, ok := ls.Sources[source].(stream.Pauser); ok {
		return queued, manyBatches
	}
	return queued, ls.batches()
}

// pickAny returns the rows of the lane with the least time among those that
// have some. Out of time order it takes whole batches.
func (ls *lanes) pickAny(done func(*job)) (record.Rows, bool) {
	best, limit := ls.least(done)
	if best == nil {
		return record.Rows{}, false
	}
	if ls.Order != InTime {
		limit = forever
	}
	return ls.take(best, limit), true
}

func (ls *lanes) take(l *lane, limit int64) record.Rows {
	rows := l.run(limit, ls.dueWith(l))
	ls.last, l.moved = l, true
	ls.hold(l)
	return rows
}

// dueWith returns the time at which the operator is due if l alone holds the
// watermark back from it, else forever.
func (ls *lanes) dueWith(l *lane) int64 {
	w, ok := ls.Operator.(stream.Waiter)
	if !ok {
		return forever
	}
	due, now := max(w.Due(), record.NoTime+1), ls.Now() // at the latest when there is a watermark at all
	if l.max >= due {
		return forever // others hold it back, or it would have been told
	}
	for _, other := range ls.all {
		if other != l && other.max < due && other.holds(now, int64(ls.Idle)) {
			return forever
		}
	}
	for _, u := range ls.later {
		if u.first < due {
			return forever
		}
	}
	return due
}

// tidy takes batches out of their lanes that are used up.
func (ls *lanes) tidy(done func(*job)) {
	for _, l := range ls.all {
		l.head(done)
	}
}

// moved returns the positions that have changed since it was last called, for
// each source its own.
func (ls *lanes) moved() [][]stream.Position {
	at := make([][]stream.Position, len(ls.Sources))
	for _, l := range ls.all {
		l.head(release)
		if !l.moved {
			continue
		}
		l.moved = false
		if p, ok := l.position(); ok && ls.finished(l, &p) {
			at[l.source] = append(at[l.source], p)
		}
	}
	return at
}

// finished lowers a lane's position to what the sink has finished, and reports
// whether that is news. Where something is open the lane is asked again.
func (ls *lanes) finished(l *lane, p *stream.Position) bool {
	t, ok := ls.Sink.(stream.Tracker)
	if !ok {
		return true
	}
	read := p.Next
	*p = t.Finished(*p)
	l.moved = p.Next < read
	news := p.Next != l.told
	l.told = p.Next
	return news
}

// leave empties the lanes of partitions that another reader goes on with, as if
// nothing of them had been read.
func (ls *lanes) leave(gone []*record.Origin) {
	for _, l := range ls.all {
		for _, o := range gone {
			if l.origin != o && (len(l.queue) == 0 || l.queue[0].Origin != o) {
				continue
			}
			for _, j := range l.queue {
				j.Release()
			}
			*l = lane{source: l.source, max: l.max, active: l.active, atEnd: true, next: -1, told: -1}
			break
		}
	}
}

// least returns the lane whose next row has the least time, the earlier lane
// among equals, and the greatest time up to which its rows come before those of
// all others by the same rule.
func (ls *lanes) least(done func(*job)) (best *lane, limit int64) {
	var first int64
	limit = forever
	for _, l := range ls.all {
		t, ok := l.head(done)
		switch {
		case !ok:
			ls.hold(l) // what waited may all have been dropped
		case best == nil:
			best, first = l, t
		case t < first:
			best, first, limit = l, t, first-1
		default:
			limit = min(limit, t)
		}
	}
	return best, limit
}

// watermark returns the event time that every partition has reached.
func (ls *lanes) watermark(now, idle int64) int64 {
	least, most := int64(forever), record.NoTime
	for _, l := range ls.all {
		most = max(most, l.max)
		if l.holds(now, idle) {
			least = min(least, l.max)
		}
	}
	for _, u := range ls.later {
		least = min(least, u.first)
	}
	if least == forever {
		return most
	}
	return least
}
