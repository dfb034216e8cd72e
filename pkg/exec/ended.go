package exec

import (
	"fmt"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/retry"
)

// mostBarren is how many handlers in a row may end by themselves where none has ever said
// anything: the command is wrong. One that has worked may wait for something that is down.
const mostBarren = 5

// ended sees to what a handler has not answered.
func (w *worker) ended(c *child) error {
	left, suspect := w.takeBack()
	if c.notFound() && w.s.Stats.Handled.Load() == 0 {
		return fault.Hint(fmt.Errorf("the handler %q: %s", w.s.opt.Command, c.how()), "--exec is a command for sh -c")
	}
	if w.barren++; w.answered > 0 || c.timedOut.Load() { // silence has taken long enough
		w.barren = 0
	}
	if left > 0 {
		w.s.Stats.Failures.Add(1)
		w.s.say("handler %d: %s; records that it has not answered go to another one: %s", w.n, c.how(),
			human.Count(int64(left)))
	} else if c.broke != "" {
		w.sayBroke(c)
	} else if w.barren > 0 && (w.s.draining.Load() == working || !w.quiet()) {
		if w.barren >= mostBarren && !w.s.spoken.Load() {
			return fault.Hint(fmt.Errorf("the handler %q: %s, as %d before it, without having been given anything",
				w.s.opt.Command, c.how(), w.barren-1),
				"it has to stay and to read records from its stdin; --exec-per-record starts one for each record")
		}
		w.s.say("handler %d: %s without having been given anything; another one is started", w.n, c.how())
	}
	if suspect != nil {
		why := retry.Error{Kind: retry.Ambiguous, Class: retry.Crash, Message: c.how() + " before it answered"}
		if c.timedOut.Load() {
			why.Class, why.Message = retry.Timeout, fmt.Sprintf("the handler did not answer within %v", w.s.opt.Timeout)
		}
		if err := w.blame(*suspect, why); err != nil {
			return err
		}
	}
	if w.barren > 0 {
		w.pause(limit.DefaultBackoff.Delay(w.barren, chance))
	}
	return nil
}

// sayBroke tells of a handler that did what it must not when all that it was given was
// answered, as one that writes two lines for each record and is ahead of itself.
func (w *worker) sayBroke(c *child) {
	w.s.Stats.Failures.Add(1)
	w.s.say("handler %d: %s; what it answered before may have been meant for other records", w.n, c.how())
}

// takeBack puts what the handler has not answered before all that is not begun.
// If it had only one record in hand, that is the one which it failed with;
// otherwise the next one gets them one by one.
func (w *worker) takeBack() (left int, suspect *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left = w.window.n
	if left == 1 {
		e := w.window.pop()
		suspect = &e
		w.isolate = max(w.isolate-1, 0)
	} else {
		w.isolate = max(w.isolate, left)
	}
	list := make([]entry, 0, w.window.n)
	for w.window.n > 0 {
		list = append(list, w.window.pop())
	}
	for _, e := range slices.Backward(list) {
		w.ready.pushFront(e)
	}
	return left, suspect
}

// blame has an attempt fail with which a handler failed.
func (w *worker) blame(e entry, why retry.Error) error {
	if e.lot.left.Load() {
		w.s.drop([]entry{e})
		return nil
	}
	if w.waitsBehind(e) {
		return nil
	}
	if e.own == nil {
		w.keepState(&e)
	}
	e.own.deadly = true
	o := outcome{w: w}
	if err := o.failed(e, why); err != nil {
		return err
	}
	return o.settle(false)
}

// pause waits before another handler is started.
func (w *worker) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.s.ctx.Done():
	}
}
