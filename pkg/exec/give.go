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
	w.buf = w.buf[:0]
	for w.pick(now) && w.hand(now, w.compose()) == 0 { // again where none of them fits: nobody would wake us
	}
	return w.buf
}

// pick takes what the handler may be given now into w.picked, and reports whether that
// is anything.
func (w *worker) pick(now int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	size, room := 0, w.allowed(now)
	for len(w.picked) < room && size < sendBytes {
		if len(w.picked) > 0 && w.deadlyNext(now) {
			room = len(w.picked)
			break
		}
		e, ok := w.next(now)
		if !ok {
			break
		}
		size += w.admit(e)
	}
	for len(w.picked) < room && size < sendBytes { // again where all that was taken is given up, as above
		w.common = w.s.shared.take(w.common[:0], room-len(w.picked))
		if len(w.common) == 0 {
			break
		}
		for _, e := range w.common {
			size += w.admit(e)
		}
	}
	return len(w.picked) > 0
}

// admit adds an entry to w.picked if it can be given to the handler now, and returns
// how long it is.
func (w *worker) admit(e entry) int {
	line := w.blocked[e.id]
	switch {
	case e.lot.leaving.Load() || w.s.draining.Load() == drainNow:
		w.dropped = append(w.dropped, e)
	case line != nil && !e.blocks():
		w.keep(&e)
		line.insert(e)
	default:
		w.picked = append(w.picked, e)
		return int(e.size) + 1
	}
	return 0
}

// compose writes the lines of what was picked to w.buf, and returns which of it cannot
// be one line, by index. Nobody waits for that: it is done without the lock.
func (w *worker) compose() (misfits []int) {
	if w.s.opt.PerRecord {
		return nil
	}
	for i := range w.picked {
		b, row := w.picked[i].source()
		var ok bool
		if w.buf, ok = w.appendLine(w.buf, b, row); !ok {
			misfits = append(misfits, i)
		}
	}
	return misfits
}

// appendLine appends the line that gives a record to the handler. It reports whether
// there is one: the value has no line ends, or is JSON, where they stand between tokens.
func (w *worker) appendLine(dst []byte, b *record.Batch, row int) ([]byte, bool) {
	if w.encoder != nil {
		return w.encoder.Append(dst, record.Rows{Batch: b, Lo: row, Hi: row + 1}), true
	}
	start := len(dst)
	dst = append(dst, b.Value(row)...)
	line := dst[start:]
	i := bytes.IndexByte(line, '\n')
	if i >= 0 && !looksJSON(line) {
		return dst[:start], false
	}
	for ; i >= 0; i = bytes.IndexByte(line, '\n') {
		line[i] = ' ' // between tokens of JSON any white space is as good
		line = line[i:]
	}
	return append(dst, '\n'), true
}

func looksJSON(value []byte) bool {
	value = bytes.TrimSpace(value)
	return len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// hand puts what was picked into the handler's window, but for the misfits, and returns
// how many that are.
func (w *worker) hand(now int64, misfits []int) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window.n == 0 {
		w.progress.Store(now)
	}
	for i, e := range w.picked {
		if len(misfits) > 0 && misfits[0] == i {
			misfits = misfits[1:]
			w.unfit = append(w.unfit, e)
			continue
		}
		if e.own != nil && e.own.deadly {
			w.isolate = max(w.isolate, 1) // none is given beside it
		}
		w.window.push(e)
		n++
	}
	clear(w.picked)
	w.picked = w.picked[:0]
	if w.sent += int64(n); n > 0 {
		w.marks = append(w.marks, mark{w.sent, now})
	}
	return n
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
	return len(w.waits) > 0 && w.waits[0].due <= now && w.waits[0].deadly
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
	return w.ready.n+w.queue.n == 0 && (len(w.waits) == 0 || w.waits[0].due > now) && w.s.shared.empty()
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
