package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
)

// run has handlers work until the sink ends.
func (w *worker) run() {
	do := w.session
	if w.s.opt.PerRecord {
		do = w.one
	}
	for w.awaitWork() {
		if err := do(); err != nil {
			w.s.fail(err)
			return
		}
	}
}

// awaitWork waits until there is something to give; false when the sink ends.
func (w *worker) awaitWork() bool {
	for w.s.failure() == nil {
		if w.s.draining.Load() == drainNow {
			w.gather(time.Now().UnixNano()) // gives everything up
			if err := w.clean(); err != nil {
				w.s.fail(err)
			}
		}
		wait := w.untilWork(time.Now().UnixNano())
		if wait == 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-w.s.ctx.Done():
		}
		timer.Stop()
	}
	return false
}

// untilWork returns how long it takes until there is something to give.
func (w *worker) untilWork(now int64) time.Duration {
	w.mu.Lock()
	n := w.ready.n + w.queue.n
	w.mu.Unlock()
	if b := w.s.opt.Breaker; !b.Trip.Never() && b.State(now) == limit.Open {
		return w.untilDue(now)
	}
	if n > 0 || !w.s.shared.empty() {
		return 0
	}
	return w.untilDue(now)
}

// session has one handler work until it ends.
func (w *worker) session() error {
	c, err := start(w.s.opt.Command, w.s.stderr)
	if err != nil {
		return fmt.Errorf("starting the handler %q: %w", w.s.opt.Command, err)
	}
	w.s.Stats.Started.Add(1)
	w.begin()
	ctx, stop := context.WithCancel(w.s.ctx)
	defer stop()
	var beside sync.WaitGroup
	var sendErr error
	beside.Go(func() { sendErr = w.send(ctx, c) })
	beside.Go(func() { w.watch(ctx, c) })
	readErr := w.read(c)
	stop()
	c.end()
	beside.Wait()
	if v := new(violation); errors.As(readErr, &v) {
		c.fault(v.Error())
		readErr = nil
	}
	if err := errors.Join(readErr, sendErr, w.s.failure()); err != nil {
		if c.broke != "" {
			w.sayBroke(c)
		}
		return err
	}
	return w.ended(c)
}

// begin forgets the handler before.
func (w *worker) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent, w.answered, w.marks = 0, 0, w.marks[:0]
	w.progress.Store(time.Now().UnixNano())
}

// probation is how long a handler is watched, before it is given anything, after
// one that ended without having answered anything: one that ends by itself is not
// the record's fault.
const probation = 100 * time.Millisecond

// send gives records to the handler until it has ended, or there will be no more.
func (w *worker) send(ctx context.Context, c *child) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	if w.barren > 0 {
		timer.Reset(probation)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		now := time.Now().UnixNano()
		lines := w.gather(now)
		if err := w.clean(); err != nil {
			c.kill()
			return err
		}
		if len(lines) > 0 {
			if _, err := c.stdin.Write(lines); err != nil {
				return nil // it has ended, or will be ended: what it has not answered is not lost
			}
			continue
		}
		if w.s.draining.Load() != working && w.quiet() {
			c.closeInput()
			return nil
		}
		timer.Reset(w.untilDue(now))
		select {
		case <-w.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// grace is how long a handler may take to end when its input has ended.
const grace = 2 * time.Second

// watch ends a handler that does not answer in time. It lets it see the end of
// its input first: one that has gathered its answers writes them then.
func (w *worker) watch(ctx context.Context, c *child) {
	clock := time.NewTicker(max(min(w.s.opt.Timeout/8, time.Second), time.Millisecond))
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			if w.s.failure() != nil {
				c.closeInput()
				c.killAfter(grace)
			}
			return
		case now := <-clock.C:
			silence, records := w.silent(now.UnixNano())
			w.wonder(silence, records)
			if silence <= w.s.opt.Timeout {
				continue
			}
			c.timedOut.Store(true)
			c.closeInput()
			c.killAfter(min(w.s.opt.Timeout, grace))
			return
		}
	}
}

// silent returns for how long an answer has been awaited, and for how many records.
func (w *worker) silent(now int64) (d time.Duration, records int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.window.n == 0 {
		return 0, 0
	}
	return time.Duration(now - w.progress.Load()), w.window.n
}

// patience is for how long a handler may be silent before that is said: it may be slow, or
// be none that answers each record, as a filter.
const patience = 10 * time.Second

// wonder says once that a handler has not answered for long.
func (w *worker) wonder(silence time.Duration, records int) {
	if silence > min(patience, w.s.opt.Timeout/2) && !w.s.hushed.Swap(true) {
		w.s.say("handler %d: no answer for %s, with %s records in hand: it has to write a line for each, "+
			`{"ack":"ok"} where there is nothing else to write, and not to hold lines back (as jq does without --unbuffered)`,
			w.n, human.Span(silence.Round(time.Second)), human.Count(int64(records)))
	}
}

// A violation is what a handler must not do.
type violation struct{ what string }

func (v *violation) Error() string { return v.what }

// read takes the handler's answers until it closes its output.
func (w *worker) read(c *child) error {
	o := outcome{w: w}
	buf := make([]byte, outArena)
	n := 0
	for {
		k, err := c.stdout.Read(buf[n:])
		n += k
		if k > 0 {
			used, err := w.answers(&o, buf[:n])
			if err != nil {
				return err
			}
			n = copy(buf, buf[used:n])
		}
		switch {
		case err != nil:
			return nil //nolint:nilerr // how it ended, its status says; a line without an end is no answer
		case n < len(buf):
		case n > w.s.opt.MaxLine:
			return &violation{fmt.Sprintf("it wrote a line of more than %s bytes", human.Whole(int64(w.s.opt.MaxLine)))}
		default:
			wider := make([]byte, 2*len(buf))
			copy(wider, buf)
			buf = wider
		}
	}
}

// answers takes the whole lines of data and returns how long they are.
func (w *worker) answers(o *outcome, data []byte) (used int, err error) {
	lines := bytes.Count(data, []byte("\n"))
	if lines == 0 {
		return 0, nil
	}
	got, idle := w.answeredBy(lines)
	for _, e := range got {
		end := used + bytes.IndexByte(data[used:], '\n')
		line := data[used:end]
		used = end + 1
		if err := o.add(e, o.said.read(line), line); err != nil {
			return used, errors.Join(err, o.settle(true)) // what is done is done
		}
	}
	err = o.settle(idle)
	signal(w.wake)
	if err == nil && len(got) < lines {
		err = &violation{"it wrote a line that answers no record: it must write one for each"}
	}
	return used, err
}

// answeredBy takes the entries that n lines answer out of the window, and reports
// whether it is empty then. The list is valid until the next call.
func (w *worker) answeredBy(n int) (list []entry, idle bool) {
	now := time.Now().UnixNano()
	w.mu.Lock()
	defer w.mu.Unlock()
	n = min(n, w.window.n)
	w.got = w.got[:0]
	for range n {
		w.got = append(w.got, w.window.pop())
	}
	if n > 0 {
		w.s.spoken.Store(true)
	}
	w.answered += int64(n)
	w.isolate = max(w.isolate-n, 0)
	w.progress.Store(now)
	w.adapt(now)
	return w.got, w.window.n == 0
}

// What an answer may take before the handler gets fewer records at a time, and
// within which it gets more.
const (
	slowAnswer = 200 * time.Millisecond
	fastAnswer = 50 * time.Millisecond
)

// adapt sees how long the handler takes for what it is given at a time.
func (w *worker) adapt(now int64) {
	passed := 0
	for passed < len(w.marks) && w.marks[passed].upTo <= w.answered {
		passed++
	}
	if passed == 0 {
		return
	}
	took := time.Duration(now - w.marks[passed-1].at)
	w.marks = w.marks[:copy(w.marks, w.marks[passed:])]
	switch {
	case w.s.opt.PerRecord:
	case took < fastAnswer:
		w.limit = min(2*w.limit, mostInHand)
	case took > slowAnswer && w.s.opt.Workers > 1:
		w.limit = max(w.limit/2, 1)
	}
}
