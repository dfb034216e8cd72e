package engine

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/logctl/logctl/pkg/stream"
)

// A View is what a question is answered from: the operators of a run between two
// batches.
type View struct {
	Operators map[stream.Task]stream.Operator // of the tasks that are here and ready
	Restoring []stream.Task                   // those whose state is not there yet
	Watermark int64                           // event time that all of them have reached, or record.NoTime
	Now       int64                           // wall clock, ns since 1970
}

// An Asker passes questions from other goroutines to a run.
type Asker struct {
	ask  chan func(View)
	done chan struct{}
	end  sync.Once
}

// NewAsker returns an Asker for the Ask field of one Pipeline.
func NewAsker() *Asker { return &Asker{ask: make(chan func(View)), done: make(chan struct{})} }

// ErrEnded says that the run has ended, or has not answered in time.
var ErrEnded = errors.New("the run has ended")

// Ask calls f between two batches, on the goroutine of the operators, and returns
// when f has. f must not keep what it is shown.
func (a *Asker) Ask(ctx context.Context, f func(View)) error {
	answered := make(chan struct{})
	question := func(v View) {
		defer close(answered)
		f(v)
	}
	select {
	case a.ask <- question:
		<-answered
		return nil
	case <-a.done:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// questions returns the channel of an Asker that may be nil.
func (a *Asker) questions() <-chan func(View) {
	if a == nil {
		return nil
	}
	return a.ask
}

// close answers no more.
func (a *Asker) close() {
	if a != nil {
		a.end.Do(func() { close(a.done) })
	}
}

// reply answers a question, and lets whoever asked go on at once: where the cores are
// busy, their turn would come when this goroutine's time slice ends.
func (r *run) reply(question func(View)) {
	question(r.view())
	runtime.Gosched()
}

// answer answers the questions that wait. An operator may be asked in the midst of
// its Changes: what it answers changes nothing.
func (r *run) answer() {
	for {
		select {
		case ask := <-r.Ask.questions():
			r.reply(ask)
		default:
			return
		}
	}
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
