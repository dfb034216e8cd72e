package exec

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/retry"
)

// A worker has one handler at a time and the records that are for it. Records
// of one order are all the same worker's, so that their order is kept by
// keeping its own: one that waits for another attempt blocks its order, and what
// comes after it is set behind it, also what the handler had in hand already.
type worker struct {
	s    *Sink
	n    int
	wake chan struct{} // there may be something to do

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
	picked  []entry // of gather: on their way to the handler
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
		s: s, n: n, wake: make(chan struct{}, 1), blocked: map[uint64]*fifo{}, limit: 1,
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
		w.begins(e)
	}
	if e.own.copied || w.s.kept.Load() > mostKept {
		return
	}
	from, row := e.source()
	b := &e.own.batch
	b.Data, b.Recs = e.own.data[:0], e.own.rec[:0]
	b.Origin, b.Arrived = from.Origin, from.Arrived
	letter.AppendPlain(b, from, row)
	e.own.copied, e.own.size = true, int64(cap(b.Data))
	w.s.kept.Add(e.own.size)
	w.s.track.copied(e)
}

// begins notes that an entry begins to wait, or has failed for the first time.
func (w *worker) begins(e *entry) {
	e.own = owns.Get().(*own)
	w.s.Stats.Waiting.Add(1)
	signal(w.s.track.room)
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
		if wait = time.Duration(max(w.waits[0].due-now, 0)); wait > 0 {
			wait = max(wait, together)
		}
	}
	if b := w.s.opt.Breaker; !b.Trip.Never() && b.State(now) != limit.Closed {
		wait = max(wait, probeEvery)
		if !w.nothing(now) {
			wait = min(wait, max(b.Wait(now), probeEvery))
		}
	}
	return wait
}

// together is how long the first of several attempts that are due may wait for the
// others: where nothing else is to be done, each alone has two processes take turns.
const together = 10 * time.Millisecond

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
		w.s.drop([]entry{e})
		return nil
	}
	b, row := e.source()
	e.own.state.Due = e.own.due
	if err := w.s.postpone(b, row, &e.own.state); err != nil {
		return err
	}
	w.s.finish([]entry{e})
	return nil
}

func (s *Sink) finish(list []entry) {
	s.forget(list)
	s.track.finish(list)
	recycle(list)
}

func (s *Sink) drop(list []entry) {
	s.forget(list)
	s.track.drop(list)
	recycle(list)
}

// forget takes entries off the books of what waits.
func (s *Sink) forget(list []entry) {
	for i := range list {
		if o := list[i].own; o != nil {
			s.Stats.Waiting.Add(-1)
			s.kept.Add(-o.size)
		}
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
	return slices.ContainsFunc(w.picked, func(e entry) bool { return counts(e.lot) })
}

var errFormat = retry.Error{
	Kind: retry.Permanent, Class: retry.Format, Message: "the value has line ends: --envelope gives it to the handler",
}
