package exec

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A tracker knows what is not finished.
type tracker struct {
	mu      sync.Mutex
	parts   map[partition]*part
	open    int           // entries that are neither finished nor dropped
	free    []*lot        // for reuse
	changed chan struct{} // has a message when open, or what is in flight, has changed
	room    chan struct{} // has a message when less is open, or more of it waits
}

type partition struct {
	source string
	number int32
}

// A part is what is open of one partition.
type part struct {
	lots  []*lot // in order; the first one has something open
	left  bool   // another reader goes on with it
	floor int64  // of a part that was left: the first record that is not finished
}

// A lot is the rows of one Write. It is small, as there are many where one record in each
// waits: they are to stay in the processor's caches.
type lot struct {
	leaving atomic.Bool
	left    atomic.Bool
	lo      int // the first row
	rows    int // how many there are
	open    int // those that are neither finished nor dropped
	held    int // those for which the batch is kept
	batch   *record.Batch
	part    *part
	done    []uint64 // a bit for each row that is finished, or not live
	apart   []place  // of rows that may be open when the batch is gone
}

// A place is where a row stands in its partition.
type place struct {
	row    int32
	offset int64
}

// add takes in the live rows; nil where there are none.
func (t *tracker) add(rows record.Rows) *lot {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.empty()
	l.lo, l.rows = rows.Lo, rows.Hi-rows.Lo
	for len(l.done) < (l.rows+63)/64 {
		l.done = append(l.done, 0)
	}
	n := 0
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			n++
		} else {
			l.finish(i)
		}
	}
	if n == 0 {
		t.recycle(l)
		return nil
	}
	rows.Retain()
	l.batch, l.open, l.held = rows.Batch, n, n
	l.leaving.Store(false)
	l.part = t.partOf(rows.Origin)
	l.part.left = false
	l.part.lots = append(l.part.lots, l)
	t.open += n
	return l
}

func (t *tracker) empty() *lot {
	if n := len(t.free); n > 0 {
		l := t.free[n-1]
		t.free = t.free[:n-1]
		return l
	}
	return new(lot)
}

func (t *tracker) partOf(o *record.Origin) *part {
	var id partition
	if o != nil {
		id = partition{o.Source, o.Partition}
	}
	p := t.parts[id]
	if p == nil {
		p = new(part)
		t.parts[id] = p
	}
	return p
}

// finish notes that entries are finished.
func (t *tracker) finish(list []entry) {
	if len(list) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range list {
		e := &list[i]
		e.lot.finish(int(e.row))
		t.close(e)
	}
	signal(t.room)
	signal(t.changed)
}

// drop notes that entries are given up: others will read them again.
func (t *tracker) drop(list []entry) {
	if len(list) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range list {
		e := &list[i]
		e.lot.note(e)
		t.close(e)
	}
	signal(t.room)
	signal(t.changed)
}

func (t *tracker) close(e *entry) {
	l := e.lot
	if !e.copied() {
		l.release()
	}
	t.open--
	if l.open--; l.open == 0 {
		t.settled(l)
	}
}

// copied notes that an entry does not need its batch any more.
func (t *tracker) copied(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.lot.note(e)
	e.lot.release()
}

func (l *lot) finish(row int) {
	i := row - l.lo
	l.done[i/64] |= 1 << (i % 64)
}

// note remembers where an entry is without the batch.
func (l *lot) note(e *entry) {
	b, row := e.source()
	l.apart = append(l.apart, place{e.row, b.Recs[row].Offset})
}

func (l *lot) release() {
	if l.held--; l.held == 0 {
		l.batch.Release()
		l.batch = nil
	}
}

// settled takes lots out of their part that have nothing open, unless something
// in them was dropped: that is to be read again.
func (t *tracker) settled(l *lot) {
	if l.left.Load() {
		return
	}
	p, n := l.part, 0
	for n < len(p.lots) && p.lots[n].open == 0 && p.lots[n].complete() {
		t.recycle(p.lots[n])
		n++
	}
	p.lots = slices.Delete(p.lots, 0, n)
}

func (t *tracker) recycle(l *lot) {
	l.part = nil
	l.apart = l.apart[:0]
	clear(l.done)
	t.free = append(t.free, l)
}

// complete reports whether all rows are finished.
func (l *lot) complete() bool { return l.first() == l.rows }

// first returns which row is the first that is not finished, counted from lo.
func (l *lot) first() int {
	for k, word := range l.done {
		if word != ^uint64(0) {
			return min(k*64+bits.TrailingZeros64(^word), l.rows)
		}
	}
	return l.rows
}

// offset returns that of a row that is not finished.
func (l *lot) offset(row int) int64 {
	if l.batch != nil {
		return l.batch.Recs[row].Offset
	}
	i := slices.IndexFunc(l.apart, func(p place) bool { return int(p.row) == row })
	return l.apart[i].offset
}

// Finished returns p, lowered to the first record of its partition that was
// written and is not finished.
func (s *Sink) Finished(p stream.Position) stream.Position {
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	known := s.track.parts[partition{p.Source, p.Partition}]
	switch {
	case known == nil:
	case known.left:
		p.Next = min(p.Next, known.floor)
	case len(known.lots) > 0:
		p.Next = min(p.Next, known.firstOpen(p.Next))
	}
	return p
}

func (p *part) firstOpen(otherwise int64) int64 {
	for _, l := range p.lots {
		if i := l.first(); i < l.rows {
			return l.offset(l.lo + i)
		}
	}
	return otherwise
}

// Room returns how many records can be written without waiting for others; see
// stream.Rationed.
func (s *Sink) Room() (n int, more <-chan struct{}) {
	if s.opt.Ahead == 0 {
		return math.MaxInt, s.track.room
	}
	s.track.mu.Lock()
	defer s.track.mu.Unlock()
	return s.opt.Ahead - s.track.open + int(s.Stats.Waiting.Load()), s.track.room
}

// leaveWithin is how long Leave waits for what handlers have in hand: what they
// finish need not be done again by others.
const leaveWithin = 2 * time.Second

// Leave gives up partitions: no more of their records are given to handlers. It waits a
// moment for those that handlers have.
func (s *Sink) Leave(gone []*record.Origin) {
	s.track.beginNoMore(gone)
	timer := time.NewTimer(leaveWithin)
	defer timer.Stop()
	for waiting := true; waiting && s.inHand(func(l *lot) bool { return l.leaving.Load() }); {
		select {
		case <-s.track.changed:
		case <-timer.C:
			waiting = false
		case <-s.ctx.Done():
			waiting = false
		}
	}
	s.track.leave(gone)
	for _, w := range s.workers {
		signal(w.wake)
	}
}

func (t *tracker) beginNoMore(gone []*record.Origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range gone {
		for _, l := range t.partOf(o).lots {
			l.leaving.Store(true)
		}
	}
}

func (t *tracker) leave(gone []*record.Origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range gone {
		p := t.partOf(o)
		p.left, p.floor = true, p.firstOpen(1<<63-1)
		for _, l := range p.lots {
			l.left.Store(true)
		}
		p.lots = nil
	}
}

// inHand reports whether handlers have something of a lot that counts, or whether dead
// letters of it are to be written.
func (s *Sink) inHand(counts func(*lot) bool) bool {
	for _, w := range s.workers {
		if w.inHand(counts) {
			return true
		}
	}
	return s.graves.hold(counts)
}

// The modes of Sink.draining.
const (
	working  = iota
	drainAll // everything is to be finished
	drainNow // only what handlers have in hand; the rest can be read again
)

// Drain waits until everything is finished; see stream.Tracker.
func (s *Sink) Drain(ctx context.Context, again bool) error {
	mode := int32(drainAll)
	if again {
		mode = drainNow
	}
	if s.draining.Swap(mode) != mode {
		for _, w := range s.workers {
			signal(w.wake)
		}
	}
	for {
		if err := s.failure(); err != nil {
			return err
		}
		if s.track.opened() == 0 {
			return nil
		}
		select {
		case <-s.track.changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.ctx.Done():
		}
	}
}

func (t *tracker) opened() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// id names the order that a record is in; 0 for none.
func (s *Sink) id(rows record.Rows, row int) uint64 {
	switch rec := &rows.Recs[row]; {
	case s.opt.Order == ByKey && rec.Flags&record.HasKey != 0:
		return max(xxh3.Hash(rows.Bytes(rec.Key)), 1)
	case s.opt.Order == ByPartition && rows.Origin != nil:
		return max(xxh3.HashString(rows.Origin.Source)+uint64(rows.Origin.Partition), 1)
	}
	return 0
}
