package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/stream"
)

// A View shows the operators of a run between two batches. Questions are answered from
// it.
type View struct {
	Operators map[stream.Task]stream.Operator // of the tasks that are here and ready
	Restoring []stream.Task                   // those whose state is not there yet
	Watermark int64                           // event time that all of them have reached, or record.NoTime
	Now       int64                           // wall clock, ns since 1970
}

// An Asker lets other goroutines look at the operators of a run while these rest:
// between two batches, and whenever the run waits for something.
type Asker struct {
	turn chan *run    // has the run in it while its operators rest; whoever takes it out may look at them
	last atomic.Int64 // when it was asked, ns since 1970
	done chan struct{}
	end  sync.Once
}

// NewAsker returns an Asker for the Ask field of one Pipeline.
func NewAsker() *Asker { return &Asker{turn: make(chan *run, 1), done: make(chan struct{})} }

// ErrEnded says that the run has ended, or has not answered in time.
var ErrEnded = errors.New("the run has ended")

// Ask calls f while the operators rest, and returns when f has returned. f must be
// quick, because the operators wait for it, and must not keep its argument.
func (a *Asker) Ask(ctx context.Context, f func(View)) error {
	a.last.Store(time.Now().UnixNano())
	select {
	case r := <-a.turn:
		defer func() { a.turn <- r }()
		f(r.view())
		return nil
	case <-a.done:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Lately reports whether there was a question within the last second.
func (a *Asker) Lately() bool { return time.Now().UnixNano()-a.last.Load() < int64(time.Second) }

// rest lets others look at the operators of r until work is called. An Asker that is
// nil asks nothing.
func (a *Asker) rest(r *run) {
	if a != nil {
		a.turn <- r
	}
}

// work returns when nobody looks at the operators any more.
func (a *Asker) work() {
	if a != nil {
		<-a.turn
	}
}

// close answers no more. The operators do not rest again.
func (a *Asker) close() {
	if a != nil {
		a.end.Do(func() { close(a.done) })
	}
}

// rest has a question answered that waits, or else, now and then, lets others have the
// core: where all are busy, the system takes one away after milliseconds only. A question
// may come just then, and need not wait until it is this goroutine's turn again.
func (r *run) rest() {
	if r.Ask == nil {
		return
	}
	r.Ask.rest(r)
	if now := r.Now(); len(r.Ask.turn) > 0 && now-r.yielded > yieldEvery {
		r.yielded = now
		r.Yield()
	}
	r.Ask.work()
}

// yieldEvery is a quarter of what a busy system lets a thread have a core for. More often
// costs more than it brings: what is left of a turn counts as used.
const yieldEvery = int64(time.Millisecond)

// answer answers the questions that wait. An operator may be asked in the midst of
// its Changes: what it answers changes nothing.
func (r *run) answer() {
	r.Ask.rest(r)
	r.Ask.work()
}

// view shows the operators as they are now.
func (r *run) view() View {
	v := View{Operators: map[stream.Task]stream.Operator{}, Watermark: r.time(), Now: r.Now()}
	for _, t := range r.tasks {
		if t.ready {
			v.Operators[t.id] = t.op
		} else {
			v.Restoring = append(v.Restoring, t.id)
		}
	}
	return v
}
