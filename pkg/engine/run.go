package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/logctl/logctl/pkg/human"
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
	entries   stream.Entries           // of the task that is being saved
	failed    error                    // what went wrong at a source; the others are read to their end
	noFinish  bool                     // what was read is not all of it: do not end the operator
	begun     map[*record.Origin]int64 // with Exactly: the position that the sink had when a partition came
	committed int64                    // when the last commit began
	prompt    bool                     // someone waits for the next one
	flushed   int64                    // how many of the records written it flushed
}

func newRun(p Pipeline) *run {
	p.setDefaults()
	rd := newReaders(&p)
	return &run{
		readers: rd,
		lanes:   newLanes(rd),
		out:     &output{Pipeline: &p, pool: record.NewPool(4, defaultArena)},
		loads:   make(chan loaded),
		begun:   map[*record.Origin]int64{},
	}
}

// errLimit ends a run whose limit is reached. It is no failure.
var errLimit = errors.New("limit reached")

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
	r.drainBarriers(err)
	r.readers.stop()
	r.loading.Wait()
	if errors.Is(err, errLimit) {
		err = nil
	}
	if err == nil {
		r.noFinish = r.noFinish || ctx.Err() != nil
		err = r.end(working)
	}
	return errors.Join(err, r.failed)
}

var errDrain = errors.New("what was in flight could not be finished in the time that --drain allows")

// end says the last words: the operator's, and the last commit.
func (r *run) end(ctx context.Context) error {
	for _, t := range r.tasks {
		f, ok := t.op.(stream.Finisher)
		if !ok || !t.ready || r.noFinish || r.Continues || r.out.full() {
			continue
		}
		t.touched = true
		if err := f.Finish(r.out); err != nil && !errors.Is(err, errLimit) {
			return err
		}
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	return r.commit(ctx, true)
}

// loop takes records through the operator until every source has ended.
func (r *run) loop(ctx context.Context) error {
	clock := time.NewTicker(min(r.CommitEvery, time.Second/4))
	defer clock.Stop()
	for {
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

// receive takes over what has arrived, without waiting.
func (r *run) receive(ctx context.Context) error {
	for {
		select {
		case j := <-r.arrivals:
			if err := r.take(ctx, j); err != nil {
				return err
			}
		case l := <-r.loads:
			if err := r.start(l); err != nil {
				return err
			}
		case ask := <-r.Ask.questions():
			ask(r.view())
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
			return nil
		}
	}
}

// idle waits for something to arrive. Before, what is held back is passed on,
// and committed where someone waits for that.
func (r *run) idle(ctx context.Context, clock <-chan time.Time) error {
	if r.prompt {
		r.prompt = false
		if err := r.commit(ctx, true); err != nil {
			return err
		}
		r.prompt = r.lanes.unfinished()
	}
	if p, ok := r.Sink.(stream.Pusher); ok {
		if err := p.Push(); err != nil {
			return err
		}
	}
	select {
	case j := <-r.arrivals:
		return r.take(ctx, j)
	case l := <-r.loads:
		return r.start(l)
	case ask := <-r.Ask.questions():
		ask(r.view())
		return nil
	case <-r.progress():
		return nil
	case <-clock:
		return r.onClock(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take adds an arrival to its lane, once it is parsed.
func (r *run) take(ctx context.Context, j *job) error {
	if j.end {
		return r.sourceEnded(j)
	}
	select {
	case <-j.parsed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if j.err != nil {
		return j.err
	}
	if j.Barrier != nil {
		err := r.yield(ctx, j)
		clear(r.begun) // what comes back may have been another member's meanwhile
		r.left(j.Leaving)
		j.Barrier(err)
		j.Release()
		return err
	}
	l := r.laneOf(j)
	if j.Lost {
		r.lanes.add(l, j, r.Now())
		r.lost(l)
		return nil
	}
	if t := r.attach(l); t != nil {
		r.load(r.lanes.ctx, t)
	}
	if err := r.takeOver(ctx, j); err != nil {
		return err
	}
	if err := r.account(j); err != nil {
		return err
	}
	r.prompt = r.prompt || j.Prompt
	r.lanes.add(l, j, r.Now())
	if r.AtMostOnce {
		return r.commitRead(ctx, j)
	}
	return nil
}

func (r *run) sourceEnded(j *job) error {
	r.lanes.end(j.source)
	if j.err == nil {
		return nil
	}
	if _, ok := r.Sources[j.source].(stream.Committer); ok {
		r.noFinish = true
		return j.err
	}
	r.failed = errors.Join(r.failed, j.err)
	return nil
}

// account counts what a batch brings.
func (r *run) account(j *job) error {
	r.Stats.read(j)
	if r.Plan != nil && (j.Plan == nil || j.Plan == r.Plan) {
		r.Stats.notice(r.Plan, j.Batch)
	}
	if r.Strict && len(j.Faults) > 0 {
		f := j.Faults[0]
		return fmt.Errorf("%s: %s", Place(j.Batch, f.Row), f.Reason)
	}
	return nil
}

// process takes rows through the operator of their task.
func (r *run) process(t *task, rows record.Rows) error {
	r.out.in = rows.Batch
	t.touched = true
	if r.Choose != nil {
		defer func() { r.Choose.Took(r.Now(), r.lanes.last.source, rows) }()
	}
	if t.op == nil {
		err := r.out.Emit(rows)
		if errors.Is(err, errLimit) {
			r.lanes.last.row = r.out.end // what the limit cut off was not dealt with
		}
		return err
	}
	err := t.op.Process(rows, r.out)
	if errors.Is(err, errLimit) {
		r.lanes.last.row = rows.Lo // how far it came, only the operator knows
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

// settle processes all that waits, in the best order that is left, and commits.
func (r *run) settle(ctx context.Context) error {
	for {
		t, rows, err := r.next((*task).pickAny)
		switch {
		case err != nil:
			return err
		case t == nil:
			return r.commit(ctx, true)
		}
		if err := r.process(t, rows); err != nil {
			return err
		}
	}
}

// yield deals with all that came before a barrier. A sink that tracks what is
// finished may take long over it: then what other readers go on with is left to
// them.
func (r *run) yield(ctx context.Context, j *job) error {
	t, ok := r.Sink.(stream.Tracker)
	if !ok {
		return r.settle(ctx)
	}
	t.Leave(j.Leaving)
	err := r.commit(ctx, true)
	r.lanes.leave(j.Leaving)
	return err
}

// drain waits until the sink has finished what it was given, and commits
// meanwhile.
func (r *run) drain(ctx context.Context) error {
	t, ok := r.Sink.(stream.Tracker)
	if !ok {
		return nil
	}
	again := r.noFinish && !slices.ContainsFunc(r.Sources, func(s stream.Source) bool {
		_, remembers := s.(stream.Committer)
		return !remembers
	})
	for {
		part, cancel := context.WithTimeout(ctx, r.CommitEvery)
		err := t.Drain(part, again)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := r.commit(ctx, false); err != nil {
			return err
		}
	}
}

// drainBarriers releases who waits behind a barrier that will not be reached.
func (r *run) drainBarriers(err error) {
	if err == nil {
		err = errEnded
	}
	go func() { r.reading.Wait(); close(r.arrivals) }()
	for j := range r.arrivals {
		if !j.end && j.Barrier != nil {
			j.Barrier(err)
		}
	}
}

var errEnded = errors.New("the run has ended")

// Place says where row i of b comes from: file:line, or topic/partition@offset.
func Place(b *record.Batch, i int) string {
	rec := &b.Recs[i]
	switch o := b.Origin; {
	case o == nil:
		return "record " + human.Count(int64(i)+1)
	case o.Topic:
		return fmt.Sprintf("%s/%d@%d", o.Source, o.Partition, rec.Offset)
	case rec.Line > 0:
		return fmt.Sprintf("%s:%d", o.Source, rec.Line)
	default:
		return fmt.Sprintf("%s@%d", o.Source, rec.Offset)
	}
}
