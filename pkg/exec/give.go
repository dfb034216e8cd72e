package exec

import (
	"bytes"
	"math"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
)

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
