package exec

import (
	"sync"

	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
)

// An entry is a record on its way through a worker.
type entry struct {
	lot  *lot
	row  int32  // its index in the lot's batch
	size uint32 // of its value
	id   uint64 // the order that it is in; 0 for none
	seq  uint64 // its place in that order
	own  *own   // of one that has failed, or waits behind one
}

// own is what an entry has beside its lot. It is in one piece, and what an attempt looks
// at is next to each other: by then it has long left the processor's caches.
type own struct {
	copied bool  // the record stands in batch, and no more in the lot's
	failed bool  // it waits for another attempt, and others behind it
	deadly bool  // a handler ended with it in hand
	due    int64 // ns since 1970
	size   int64 // of the copy
	state  letter.State
	batch  record.Batch
	rec    [1]record.Rec // of batch
	data   [ownData]byte // likewise, unless there is more
}

// ownData is room for most records.
const ownData = 512

// source returns where the record stands.
func (e *entry) source() (*record.Batch, int) {
	if e.copied() {
		return &e.own.batch, 0
	}
	return e.lot.batch, int(e.row)
}

func (e *entry) copied() bool { return e.own != nil && e.own.copied }

// blocks reports whether others wait behind the entry.
func (e *entry) blocks() bool { return e.own != nil && e.own.failed && e.id != 0 }

// A fifo is a queue of entries that can be put back to its front.
type fifo struct {
	ring  []entry
	first int
	n     int
}

func (f *fifo) at(i int) *entry { return &f.ring[(f.first+i)&(len(f.ring)-1)] }

func (f *fifo) grow() {
	if f.n < len(f.ring) {
		return
	}
	wider := make([]entry, max(2*len(f.ring), 16))
	for i := range f.n {
		wider[i] = *f.at(i)
	}
	f.ring, f.first = wider, 0
}

func (f *fifo) push(e entry) {
	f.grow()
	f.n++
	*f.at(f.n - 1) = e
}

// pushFront puts an entry before all others.
func (f *fifo) pushFront(e entry) {
	f.grow()
	f.first = (f.first - 1) & (len(f.ring) - 1)
	f.n++
	*f.at(0) = e
}

// pop takes the first entry; there must be one.
func (f *fifo) pop() entry {
	e := f.at(0)
	taken := *e
	*e = entry{}
	f.first = (f.first + 1) & (len(f.ring) - 1)
	f.n--
	return taken
}

// insert adds an entry in the order of seq; mostly it is the last one.
func (f *fifo) insert(e entry) {
	f.push(e)
	for i := f.n - 1; i > 0 && f.at(i-1).seq > e.seq; i-- {
		*f.at(i) = *f.at(i - 1)
		*f.at(i - 1) = e
	}
}

// owns are for reuse.
var owns = sync.Pool{New: func() any { return new(own) }}

// recycle makes what finished entries had of their own available to others.
func recycle(list []entry) {
	for i := range list {
		if o := list[i].own; o != nil {
			o.copied, o.failed, o.deadly, o.size = false, false, false, 0
			o.batch.Origin, o.batch.Data, o.batch.Headers = nil, nil, o.batch.Headers[:0]
			o.state.Attempts = 0 // the rest of it goes when one begins anew
			owns.Put(o)
		}
	}
}

// waits are entries by the time at which they are due: a heap.
type waits []waiting

// waiting has what is to be known of an entry before it is given, as its own is not at hand.
type waiting struct {
	due    int64
	deadly bool
	entry
}

func (w *waits) add(e entry) {
	*w = append(*w, waiting{})
	h, due := *w, e.own.due
	i := len(h) - 1
	for i > 0 && due < h[(i-1)/2].due {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = waiting{due, e.own.deadly, e}
}

// next takes the entry that has been due for the longest time; false where none
// is due.
func (w *waits) next(now int64) (entry, bool) {
	h := *w
	if len(h) == 0 || h[0].due > now {
		return entry{}, false
	}
	first, last := h[0].entry, h[len(h)-1]
	h[len(h)-1] = waiting{}
	h = h[:len(h)-1]
	*w = h
	for i := 0; len(h) > 0; {
		k := 2*i + 1
		if k+1 < len(h) && h[k+1].due < h[k].due {
			k++
		}
		if k >= len(h) || last.due <= h[k].due {
			h[i] = last
			break
		}
		h[i] = h[k]
		i = k
	}
	return first, true
}

// shared are the records that are in no order: whichever worker is free takes
// them.
type shared struct {
	workers int
	fresh   []entry // for the goroutine that calls Write

	mu    sync.Mutex
	queue fifo
}

func (s *shared) gather(e entry) { s.fresh = append(s.fresh, e) }

// publish lets the workers have what was gathered, and reports whether there is
// something.
func (s *shared) publish() bool {
	if len(s.fresh) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.fresh {
		s.queue.push(e)
	}
	clear(s.fresh)
	s.fresh = s.fresh[:0]
	return true
}

// take appends up to n entries to list, no more than one worker's share.
func (s *shared) take(list []entry, n int) []entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, (s.queue.n+s.workers-1)/s.workers)
	for range n {
		list = append(list, s.queue.pop())
	}
	return list
}

func (s *shared) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.n == 0
}
