package exec

import (
	"bytes"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// A worker has one handler at a time and the records that are for it. Records
// of one order are all the same worker's, so that their order is kept by
// keeping its own: one that waits for another attempt blocks its order, and what
// comes after it is set behind it, also what the handler had in hand already.
type worker struct {
	s      *Sink
	n      int
	chance *rand.Rand
	wake   chan struct{} // there may be something to do

	mu      sync.Mutex
	queue   fifo             // not begun
	ready   fifo             // to be begun before queue
	window  fifo             // the handler has them and has not answered
	waits   waits            // for another attempt
	blocked map[uint64]*fifo // by order: what waits behind one of waits, or behind its attempt
	lines   atomic.Int32     // how many there are of blocked

	limit    int   // how many records the handler may have in hand
	isolate  int   // so many of the next records are given one by one, to find the one that is deadly
	sent     int64 // records given so far
	answered int64
	marks    []mark       // when records were given
	progress atomic.Int64 // when the handler last did something, ns since 1970

	barren  int // handlers in a row that ended without an answer
	encoder codec.Encoder
	buf     []byte  // of gather
	common  []entry // of gather
	dropped []entry
	unfit   []entry
	got     []entry // of answeredBy
}

// A mark says when the records up to a number were given to the handler.
type mark struct{ upTo, at int64 }

const (
	mostInHand = 16 << 10 // records
	firstLimit = 1024     // of a handler alone; one of several begins with one record
	sendBytes  = 256 << 10
	mostKept   = 64 << 20 // bytes of records that wait; more stay in their batches, which holds up reading
)

func newWorker(s *Sink, n int) *worker {
	w := &worker{
		s: s, n: n, chance: newChance(n), wake: make(chan struct{}, 1), blocked: map[uint64]*fifo{}, limit: 1,
	}
	if s.opt.Workers == 1 {
		w.limit = firstLimit
	}
	if s.opt.PerRecord {
		w.limit = 1
	}
	if s.opt.Envelope {
		w.encoder, _ = codec.NewEncoder("envelope", codec.EncodeOptions{})
	}
	return w
}

// take adds entries to the queue.
func (w *worker) take(list []entry) {
	w.mu.Lock()
	for _, e := range list {
		w.queue.push(e)
	}
	w.mu.Unlock()
	signal(w.wake)
}

// resume takes in a record that comes back from the retry topic: it has a state,
// and may have to wait. Its place in its order is lost.
func (w *worker) resume(e entry) {
	b, row := e.source()
	st, _ := letter.Read(b, row)
	w.keep(&e)
	e.own.state, e.own.due = st, st.Due
	e.own.deadly = st.Kind == retry.Ambiguous || st.Class == retry.Crash
	w.mu.Lock()
	w.waits.add(e)
	w.mu.Unlock()
	signal(w.wake)
}

// keep copies a record out of its batch, so that one which waits does not hold
// up reading; unless very many wait.
func (w *worker) keep(e *entry) {
	if e.own == nil {
		e.own = new(own)
		w.s.Stats.Waiting.Add(1)
		signal(w.s.track.room)
	}
	if e.own.batch != nil || w.s.kept.Load() > mostKept {
		return
	}
	from, row := e.source()
	b := record.NewBatch()
	b.Origin, b.Arrived = from.Origin, from.Arrived
	letter.AppendPlain(b, from, row)
	e.own.batch, e.own.size = b, int64(cap(b.Data))
	w.s.kept.Add(e.own.size)
	w.s.track.copied(e.lot)
}

// gather gives the handler what it can be given now: it returns its lines, and
// takes note of them. What is given up it leaves in w.dropped, and what cannot be
// given to this handler in w.unfit.
func (w *worker) gather(now int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = w.buf[:0]
	n, room := 0, w.allowed(now)
	for n < room && len(w.buf) < sendBytes {
		if n > 0 && w.deadlyNext(now) {
			room = n
			break
		}
		e, ok := w.next(now)
		if !ok {
			break
		}
		n += w.give(e, now)
	}
	for n < room && len(w.buf) < sendBytes { // again where all that was taken is given up: nobody would wake us
		w.common = w.s.shared.take(w.common[:0], room-n)
		if len(w.common) == 0 {
			break
		}
		for _, e := range w.common {
			n += w.give(e, now)
		}
	}
	if n > 0 {
		w.marks = append(w.marks, mark{w.sent, now})
	}
	return w.buf
}

// give puts an entry into the handler's window, where it can be given now, and
// returns how many that are.
func (w *worker) give(e entry, now int64) int {
	if !w.admit(e) {
		return 0
	}
	if w.window.n == 0 {
		w.progress.Store(now)
	}
	if e.own != nil && e.own.deadly {
		w.isolate = max(w.isolate, 1) // none is given beside it
	}
	w.window.push(e)
	w.sent++
	if !w.s.opt.PerRecord {
		b, row := e.source()
		w.buf = w.appendRecord(w.buf, b, row)
	}
	return 1
}

// admit reports whether an entry can be given to the handler now.
func (w *worker) admit(e entry) bool {
	line := w.blocked[e.id]
	switch {
	case e.lot.leaving.Load() || w.s.draining.Load() == drainNow:
		w.dropped = append(w.dropped, e)
	case line != nil && !e.blocks():
		w.keep(&e)
		line.insert(e)
	case !w.fits(&e):
		w.unfit = append(w.unfit, e)
	default:
		return true
	}
	return false
}

// fits reports whether a record can be written as one line: it has no line ends,
// or is JSON, where they stand between tokens.
func (w *worker) fits(e *entry) bool {
	if w.encoder != nil || w.s.opt.PerRecord {
		return true
	}
	b, row := e.source()
	value := b.Value(row)
	if bytes.IndexByte(value, '\n') < 0 {
		return true
	}
	value = bytes.TrimSpace(value)
	return len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// room returns how many more records the handler may be given: one at a time where
// one of the next may be its end.
func (w *worker) room(now int64) int {
	most := w.limit
	if w.isolate > 0 || w.deadlyNext(now) {
		most = 1
	}
	return most - w.window.n
}

// deadlyNext reports whether a handler has ended with the next record in hand.
func (w *worker) deadlyNext(now int64) bool {
	return len(w.waits) > 0 && w.waits[0].own.deadly && w.waits[0].own.due <= now
}

// allowed is room while the breaker is closed. While it is half open one record
// is given, to see how it fares.
func (w *worker) allowed(now int64) int {
	room, b := w.room(now), w.s.opt.Breaker
	if b.Trip.Never() || w.s.draining.Load() == drainNow || room <= 0 || b.State(now) == limit.Closed {
		return room
	}
	if w.nothing(now) || !b.Allow(now) {
		return 0
	}
	return 1
}

// nothing reports whether there is nothing that could be given now.
func (w *worker) nothing(now int64) bool {
	return w.ready.n+w.queue.n == 0 && (len(w.waits) == 0 || w.waits[0].own.due > now) && w.s.shared.empty()
}

// next takes the entry that comes next; false where there is none.
func (w *worker) next(now int64) (entry, bool) {
	if w.s.draining.Load() == drainNow {
		now = math.MaxInt64 // what waits is given up, too
	}
	if e, ok := w.waits.next(now); ok {
		return e, true
	}
	switch {
	case w.ready.n > 0:
		return w.ready.pop(), true
	case w.queue.n > 0:
		return w.queue.pop(), true
	}
	return entry{}, false
}

// quiet reports whether nothing is left that the handler could be given, now or
// later, without more being written to the sink.
func (w *worker) quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.n+w.ready.n+len(w.waits)+len(w.blocked) == 0 && w.s.shared.empty()
}

// untilDue returns how long the next record has to wait, at most as long as the
// breaker may stay open.
func (w *worker) untilDue(now int64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait := time.Hour
	if len(w.waits) > 0 && w.room(now) > 0 { // answers make room, and wake
		wait = time.Duration(max(w.waits[0].own.due-now, 0))
	}
	if b := w.s.opt.Breaker; !b.Trip.Never() && b.State(now) != limit.Closed {
		wait = max(wait, probeEvery)
		if !w.nothing(now) {
			wait = min(wait, max(b.Wait(now), probeEvery))
		}
	}
	return wait
}

// probeEvery is how often a worker looks whether a breaker lets it go on.
const probeEvery = 50 * time.Millisecond

// clean sees to what gather could not give.
func (w *worker) clean() error {
	for _, e := range w.dropped {
		if e.blocks() {
			w.unblock(e.id)
		}
		if err := w.giveUp(e); err != nil {
			return err
		}
	}
	clear(w.dropped)
	w.dropped = w.dropped[:0]
	o := outcome{w: w}
	for _, e := range w.unfit {
		if err := o.failed(e, errFormat); err != nil {
			return err
		}
	}
	clear(w.unfit)
	w.unfit = w.unfit[:0]
	return o.settle(false)
}

// giveUp leaves an entry to those who read it again. One that has failed is
// remembered in the retry topic, where there is one, so that its count goes on.
func (w *worker) giveUp(e entry) error {
	if w.s.opt.Later == nil || e.own == nil || e.own.state.Attempts == 0 || e.lot.leaving.Load() {
		w.drop([]entry{e})
		return nil
	}
	b, row := e.source()
	e.own.state.Due = e.own.due
	if err := w.s.postpone(b, row, &e.own.state); err != nil {
		return err
	}
	w.finish([]entry{e})
	return nil
}

func (w *worker) finish(list []entry) {
	w.forget(list)
	w.s.track.finish(list)
}

func (w *worker) drop(list []entry) {
	w.forget(list)
	w.s.track.drop(list)
}

// forget takes entries off the books of what waits.
func (w *worker) forget(list []entry) {
	for i := range list {
		if o := list[i].own; o != nil {
			w.s.Stats.Waiting.Add(-1)
			w.s.kept.Add(-o.size)
		}
	}
}

// appendRecord appends the line that gives a record, which fits, to the handler.
func (w *worker) appendRecord(dst []byte, b *record.Batch, row int) []byte {
	if w.encoder != nil {
		return w.encoder.Append(dst, record.Rows{Batch: b, Lo: row, Hi: row + 1})
	}
	start := len(dst)
	dst = append(dst, b.Value(row)...)
	for line := dst[start:]; ; {
		i := bytes.IndexByte(line, '\n')
		if i < 0 {
			return append(dst, '\n')
		}
		line[i] = ' ' // between tokens of JSON any white space is as good
		line = line[i:]
	}
}

// inHand reports whether the handler has something of a lot that counts.
func (w *worker) inHand(counts func(*lot) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.window.n {
		if counts(w.window.at(i).lot) {
			return true
		}
	}
	return false
}

var errFormat = retry.Error{
	Kind: retry.Permanent, Class: retry.Format, Message: "the value has line ends: --envelope gives it to the handler",
}
