package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// run is a pipeline under way: the state of its operator goroutine.
type run struct {
	*readers
	*lanes
	out       *output
	loads     chan loaded
	loading   sync.WaitGroup
	failed    error                    // what went wrong at a source; the others are read to their end
	noFinish  bool                     // what was read is not all of it: do not end the operator
	begun     map[*record.Origin]int64 // with Exactly: the position that the sink had when a partition came
	committed int64                    // when the last commit began
	due       *time.Timer              // of pressing
	underway  *cut                     // what is being committed beside the operators; nil for nothing
	cuts      chan error               // the word that it is done, or why not
	soon      bool                     // the next one is begun, and goes on between the next batches
	prompt    bool                     // someone waits for it
	urgent    bool                     // it holds records that are to be seen soon
	flushed   int64                    // how many of the records written it flushed
	yielded   int64                    // when the operators last let others have the core
}

func newRun(p Pipeline) *run {
	p.setDefaults()
	rd := newReaders(&p)
	return &run{
		readers: rd,
		lanes:   newLanes(rd),
		out:     &output{Pipeline: &p, gate: NewGate(p.Sink), pool: record.NewPool(p.outputs(), defaultArena)},
		loads:   make(chan loaded),
		cuts:    make(chan error, 1),
		begun:   map[*record.Origin]int64{},
		due:     time.NewTimer(time.Hour),
	}
}

func (r *run) run(ctx context.Context) error {
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	defer r.Ask.close()
	if err := r.resume(ctx); err != nil {
		return err
	}
	if err := r.loadFirst(ctx, reading); err != nil {
		return err
	}
	r.parseAll()
	r.lanes.plan(reading)
	// What is in flight is finished although ctx is done.
	working, stopWorking := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopWorking(nil)
	r.out.ctx = working
	forget := context.AfterFunc(ctx, func() {
		time.AfterFunc(r.Drain, func() { stopWorking(errDrain) })
	})
	defer forget()

	err := r.loop(working)
	stopReading()
	r.stop(err)
	if errors.As(err, new(stream.Stopped)) {
		err = nil
	}
	if err == nil {
		r.noFinish = r.noFinish || ctx.Err() != nil
		err = r.end(working)
	}
	r.lanes.uncount()
	if r.underway != nil {
		failed := <-r.cuts
		if failed == nil {
			r.flushed = r.underway.sent
		}
		if err == nil { // its sinks will be closed
			err = failed
		}
	}
	err = errors.Join(overdue(working, err), r.failed)
	r.out.takeBack(err, r.flushed)
	return err
}

// overdue says that work was broken off, of which a sink may only know that it was.
func overdue(working context.Context, err error) error {
	switch {
	case err == nil || context.Cause(working) != errDrain || errors.Is(err, errDrain):
		return err
	case errors.Is(err, context.Canceled):
		return errDrain
	default:
		return fmt.Errorf("%w: %w", errDrain, err)
	}
}

var errDrain = errors.New("what was in flight could not be finished in the time that --drain allows")

// stop waits for the goroutines that read, parse and load to end. Questions are answered
// meanwhile, unless an operator has stopped in the midst of its work.
func (r *run) stop(err error) {
	if err == nil {
		r.Ask.rest(r)
		defer r.Ask.work()
	}
	r.drainBarriers(err)
	r.loading.Wait()
}

// end says the last words: the operator's, and the last commit.
func (r *run) end(ctx context.Context) error {
	for _, t := range r.tasks {
		if t.ready && !r.noFinish {
			if err := r.finishTask(t); err != nil {
				return err
			}
		}
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	return r.commit(ctx, true)
}

// finishTask has the operator of a task say its last words, once.
func (r *run) finishTask(t *task) error {
	if t.finished {
		return nil
	}
	if f, ok := t.op.(stream.Finisher); ok && !r.Continues && !r.out.full() {
		t.touched = true
		if err := f.Finish(r.out); err != nil && !errors.As(err, new(stream.Stopped)) {
			return err
		}
	}
	t.finished = true
	for _, l := range t.mine {
		l.moved = true // that it is done is news
	}
	return nil
}

// finishOver finishes the tasks whose partitions have ended. The others of a group
// count on those that are committed as done: whoever has nothing left to do ends.
func (r *run) finishOver() error {
	if r.New == nil {
		return nil
	}
	for _, t := range r.tasks {
		if !t.ready || t.finished || !t.over() {
			continue
		}
		if err := t.tell(r.Now(), false, r.out); err != nil {
			return err
		}
		if err := r.finishTask(t); err != nil {
			return err
		}
	}
	return nil
}

// loop takes records through the operator until every source has ended.
func (r *run) loop(ctx context.Context) error {
	clock := time.NewTicker(r.tick())
	defer clock.Stop()
	for {
		r.rest()
		if err := r.receive(ctx); err != nil {
			return err
		}
		t, rows, err := r.next((*task).pick)
		switch {
		case err != nil:
			return err
		case t != nil:
			if err := r.process(t, rows); err != nil {
				return err
			}
			if r.soon || r.pressed() {
				err = r.commit(ctx, false)
			}
			if err != nil {
				return err
			}
		case !r.restoring() && r.lanes.done():
			return nil
		default:
			if err := r.idle(ctx, clock.C); err != nil {
				return err
			}
			continue
		}
		select {
		case <-clock.C:
			if err := r.onClock(ctx); err != nil {
				return err
			}
		default:
		}
	}
}

// next returns the rows that pick chooses of the next task that has some; no task
// where none has.
func (r *run) next(pick func(*task, func(*job)) (record.Rows, bool)) (*task, record.Rows, error) {
	for range r.tasks {
		t := r.tasks[r.turn%len(r.tasks)]
		r.turn++
		if !t.ready {
			continue
		}
		// It precedes every choice of rows: what has ended since the last one may
		// have held the watermark, and no row must be processed before the operator
		// knows what was reached without it.
		before := t.ticked
		if err := t.tell(r.Now(), false, r.out); err != nil {
			return nil, record.Rows{}, err
		}
		if t.ticked != before {
			r.Stats.Watermark.Store(r.time())
		}
		if rows, ok := pick(t, r.lanes.release); ok {
			return t, rows, nil
		}
	}
	return nil, record.Rows{}, nil
}

// process takes rows through the operator of their task.
func (r *run) process(t *task, rows record.Rows) error {
	r.out.in, r.out.end = rows.Batch, rows.Lo
	t.touched = true
	if r.Choose != nil {
		defer func() {
			if r.Choose.Took(r.Now(), r.lanes.last.source, rows) {
				r.urgent = r.Exactly
			}
		}()
	}
	var err error
	if t.op == nil {
		err = r.out.Emit(rows)
	} else {
		err = t.op.Process(rows, r.out)
	}
	if errors.As(err, new(stream.Stopped)) {
		r.lanes.last.row = r.out.end // what the limit cut off was not dealt with
	}
	return err
}

// time returns the event time that all tasks have reached.
func (r *run) time() int64 {
	if len(r.tasks) == 0 {
		return record.NoTime
	}
	least := int64(forever)
	for _, t := range r.tasks {
		least = min(least, t.watermark)
	}
	return least
}

// onClock does what is due by the wall clock.
func (r *run) onClock(ctx context.Context) error {
	for _, t := range r.tasks {
		if err := t.tell(r.Now(), true, r.out); err != nil {
			return err
		}
	}
	r.Stats.Watermark.Store(r.time())
	return r.commit(ctx, false)
}
