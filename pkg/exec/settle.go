package exec

import (
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// An outcome gathers what became of entries, and what their handler wrote for
// them. It belongs to one goroutine.
type outcome struct {
	w        *worker
	said     answers
	out      *record.Batch
	from     []entry // for each record of out, what it was written for
	dead     []entry // to become dead letters
	finished []entry
	dropped  []entry
	waiting  []entry // for another attempt: settle gives them to the worker
}

// add takes the answer to an entry; line is what the handler wrote.
func (o *outcome) add(e entry, a answer, line []byte) error {
	w := o.w
	switch {
	case e.lot.left.Load():
		o.dropped = append(o.dropped, e)
	case w.waitsBehind(e): // the answer is void
	case a.err != nil:
		return o.failed(e, *a.err)
	default:
		if a.stray && !w.s.strayed.Swap(true) {
			w.s.say("handler %d: %.200q is no answer and goes on as output: an ack is ok, retry or fail", w.n, line)
		}
		if a.output {
			if err := o.write(&e, line); err != nil {
				return err
			}
		}
		w.s.Stats.Handled.Add(1)
		w.fared(true)
		o.finished = append(o.finished, e)
	}
	return nil
}

// write adds a record to the output. It has the place, the time, the key and the
// headers of the one that it was written for.
func (o *outcome) write(e *entry, line []byte) error {
	src, row := e.source()
	if o.out != nil && (o.out.Origin != src.Origin || len(o.out.Data)+len(line) > outArena) {
		if err := o.settle(false); err != nil {
			return err
		}
	}
	if o.out == nil {
		b, err := o.w.s.pool.Get(o.w.s.ctx)
		if err != nil {
			return err
		}
		b.Origin, b.Arrived, o.out = src.Origin, src.Arrived, b
	}
	rec, from := o.out.Add(line), &src.Recs[row]
	rec.Offset, rec.Stamp, rec.Time, rec.Line = from.Offset, from.Stamp, from.Time, from.Line
	o.from = append(o.from, *e)
	return nil
}

// addKeys adds keys and headers behind the values of the output, which then can
// be written as one.
func (o *outcome) addKeys() {
	for i := range o.from {
		src, row := o.from[i].source()
		from, to := &src.Recs[row], &o.out.Recs[i]
		if from.Flags&record.HasKey != 0 {
			to.Flags |= record.HasKey
			to.Key = record.AppendSpan(o.out, src.Bytes(from.Key))
		}
		if from.Headers.Len > 0 {
			letter.CopyHeaders(o.out, src, to, from)
		}
	}
}

// settle hands on the output and finishes what it was written for. With idle,
// nothing more is awaited for now.
func (o *outcome) settle(idle bool) error {
	w := o.w
	w.sleep(o.waiting)
	clear(o.waiting)
	o.waiting = o.waiting[:0]
	if o.out != nil {
		o.addKeys()
		err := w.s.deliver(o.out, idle)
		o.out.Release()
		o.out = nil
		clear(o.from)
		o.from = o.from[:0]
		if err != nil {
			return err
		}
	}
	if err := w.s.bury(o.dead); err != nil {
		return err
	}
	w.s.unblock(o.finished)
	w.s.unblock(o.dropped)
	w.s.finish(o.finished)
	w.s.drop(o.dropped)
	clear(o.dead)
	clear(o.finished)
	clear(o.dropped)
	o.dead, o.finished, o.dropped = o.dead[:0], o.finished[:0], o.dropped[:0]
	return nil
}

// waitsBehind reports whether an entry that the handler has answered is behind
// one that waits: then the answer does not count, and the entry is set behind it.
func (w *worker) waitsBehind(e entry) bool {
	if w.lines.Load() == 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	line := w.blocked[e.id]
	if line == nil || e.blocks() {
		return false
	}
	w.keep(&e)
	line.insert(e)
	return true
}

// failed decides what becomes of an entry whose attempt has failed.
func (o *outcome) failed(e entry, why retry.Error) error {
	w := o.w
	if e.own == nil || e.own.state.Attempts == 0 {
		w.keepState(&e)
	}
	st := &e.own.state
	now := time.Now().UnixNano()
	if w.outage(w.s.opt.Policy.Rules.Classify(why), now) {
		w.s.Stats.Retried.Add(1)
		o.wait(e, now+int64(w.s.opt.Breaker.Wait(now)))
		return nil
	}
	at, again := w.s.opt.Policy.Next(st, why, now, chance)
	switch {
	case again && w.s.opt.Later != nil && at-now > int64(retry.Wait):
		st.Due = at
		w.s.Stats.Retried.Add(1)
		b, row := e.source()
		if err := w.s.postpone(b, row, st); err != nil {
			return err
		}
		o.finished = append(o.finished, e)
	case again:
		w.s.Stats.Retried.Add(1)
		o.wait(e, at)
		return nil
	default:
		return o.condemned(e)
	}
	return nil
}

// keepState begins the state of an entry that fails for the first time.
func (w *worker) keepState(e *entry) {
	if e.own == nil {
		w.begins(e)
	}
	b, row := e.source()
	known := e.own.state.History[:0] // its memory
	e.own.state = letter.Begin(b, row)
	e.own.state.History = known
}

// wait has an entry wait for another attempt. Others of its order wait behind
// it.
func (o *outcome) wait(e entry, at int64) {
	o.w.keep(&e)
	e.own.due, e.own.failed = at, true
	if e.id != 0 {
		o.w.block(e.id)
	}
	o.waiting = append(o.waiting, e)
}

func (w *worker) block(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blocked[id] == nil {
		w.blocked[id] = new(fifo)
		w.lines.Add(1)
	}
}

// sleep adds entries to those that wait until they are due.
func (w *worker) sleep(list []entry) {
	if len(list) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range list {
		w.waits.add(e)
	}
	signal(w.wake)
}

// unblock lets go on what has waited behind entries.
func (s *Sink) unblock(list []entry) {
	for i := range list {
		if e := &list[i]; e.blocks() {
			s.workers[e.id%uint64(len(s.workers))].unblock(e.id)
		}
	}
}

// unblock lets go on what has waited behind an entry of the given order, before
// all that came later.
func (w *worker) unblock(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := w.blocked[id]
	if line == nil {
		return
	}
	delete(w.blocked, id)
	w.lines.Add(-1)
	for i := line.n - 1; i >= 0; i-- {
		w.ready.pushFront(*line.at(i))
	}
	signal(w.wake)
}

// fared tells the breaker how an attempt went.
func (w *worker) fared(ok bool) {
	if b := w.s.opt.Breaker; !b.Trip.Never() {
		b.Done(time.Now().UnixNano(), ok)
	}
}

// outage tells the breaker of a failure, and reports whether it is one of what
// the handler depends on and not of the record: the breaker is open, or opens
// with it. Such failures are not counted. A refusal shows that the handler works.
func (w *worker) outage(why retry.Error, now int64) bool {
	b := w.s.opt.Breaker
	if b.Trip.Never() {
		return false
	}
	was := b.State(now)
	w.fared(why.Kind == retry.Permanent)
	opened := b.State(now) != limit.Closed
	if opened && was == limit.Closed {
		w.s.say("the breaker opens for %s: %s: %s", human.Span(b.Wait(now)), why.Class, why.Message)
	}
	return opened && why.Kind != retry.Permanent
}
