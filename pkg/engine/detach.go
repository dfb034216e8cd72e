package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Detached is a sink that neither blocks nor fails: it queues copies of the records
// and passes them on from a goroutine of its own. Records are lost, and counted, if the
// queue is full or the sink behind it is broken, as are those that a sink had not
// flushed when it broke. A broken sink is opened again now and then.
//
// After Require it is an ordinary sink: Write waits, Flush returns when everything has
// been accepted, and a failure ends the pipeline.
type Detached struct {
	open  func() (stream.Sink, error)
	pool  *record.Pool
	queue chan detachedJob
	done  chan struct{}
	must  atomic.Bool
	lost  atomic.Int64
	down  atomic.Pointer[error] // why the sink behind is broken; nil while it is not

	to      stream.Sink // the goroutine's
	tried   time.Time
	unsure  int64     // records that were written to it, and not flushed
	flushed time.Time // when it was
}

// A detachedJob is a batch to write, or a flush to answer.
type detachedJob struct {
	batch *record.Batch
	ctx   context.Context
	done  chan error
}

const (
	detachedBatches = 64
	reopenEvery     = 5 * time.Second
	flushEvery      = time.Second // so that few records are unsure when it breaks
)

// Detach returns a sink that passes records on to the sink that open returns.
func Detach(open func() (stream.Sink, error)) *Detached {
	d := &Detached{
		open: open, pool: record.NewPool(detachedBatches, 0), queue: make(chan detachedJob, detachedBatches+8),
		done: make(chan struct{}),
	}
	go d.run()
	return d
}

// Require makes it an ordinary sink, which must accept all records.
func (d *Detached) Require() { d.must.Store(true) }

// Lost returns how many records were lost so far.
func (d *Detached) Lost() int64 { return d.lost.Load() }

// Broken returns why the sink behind it accepts nothing, nil while it does.
func (d *Detached) Broken() error {
	if err := d.down.Load(); err != nil {
		return *err
	}
	return nil
}

// Write copies rows into the queue.
func (d *Detached) Write(rows record.Rows) error {
	ctx, cancel := context.Background(), func() {}
	if must := d.must.Load(); !must {
		ctx, cancel = context.WithCancel(ctx)
		cancel() // what is not free at once is not waited for
	} else if err := d.Broken(); err != nil {
		return err
	}
	defer cancel()
	b, err := d.pool.Get(ctx)
	if err != nil {
		d.lost.Add(live(rows))
		return nil
	}
	b.CopyRows(rows, func(int) bool { return true }) // these alone: they may be few of a large arena
	d.queue <- detachedJob{batch: b}                 // there is room for every batch of the pool
	return nil
}

// live returns how many of rows are.
func live(rows record.Rows) (n int64) {
	for i := rows.Lo; i < rows.Hi; i++ {
		if rows.Recs[i].Live() {
			n++
		}
	}
	return n
}

// Flush returns at once, unless the sink is required.
func (d *Detached) Flush(ctx context.Context) error {
	if !d.must.Load() {
		return nil
	}
	return d.ask(ctx)
}

// ask has the goroutine flush, behind all that waits.
func (d *Detached) ask(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case d.queue <- detachedJob{ctx: ctx, done: answer}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close waits a while until the queue has been passed on, and ends the goroutine.
func (d *Detached) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = d.ask(ctx) // what it does not take is counted
	close(d.queue)
	select {
	case <-d.done:
	case <-ctx.Done():
	}
	return nil
}

func (d *Detached) run() {
	defer close(d.done)
	for j := range d.queue {
		if j.batch != nil {
			d.write(j.batch)
			j.batch.Release()
			d.flushNowAndThen()
		} else {
			j.done <- d.flush(j.ctx)
		}
		if p, ok := d.to.(stream.Pusher); ok && len(d.queue) == 0 {
			d.broke(p.Push())
		}
	}
}

// write hands a batch on, opening the sink where it is not.
func (d *Detached) write(b *record.Batch) {
	if d.to == nil && (d.tried.IsZero() || time.Since(d.tried) > reopenEvery) {
		d.tried = time.Now()
		to, err := d.open()
		if d.broke(err) {
			d.to = to
			d.down.Store(nil)
		}
	}
	if d.to == nil {
		d.lost.Add(live(b.All()))
		return
	}
	d.unsure += live(b.All())
	d.broke(d.to.Write(b.All()))
}

func (d *Detached) flush(ctx context.Context) error {
	d.settle(ctx, true)
	return d.Broken()
}

// flushNowAndThen flushes the sink behind where that is due. One that needs long for
// it is not broken.
func (d *Detached) flushNowAndThen() {
	if time.Since(d.flushed) < flushEvery {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushEvery)
	defer cancel()
	d.settle(ctx, false)
}

// settle flushes the sink behind; last says that it is not asked again when ctx is
// done before.
func (d *Detached) settle(ctx context.Context, last bool) {
	d.flushed = time.Now()
	var err error
	if f, ok := d.to.(stream.Flusher); ok {
		err = f.Flush(ctx)
	}
	switch {
	case err == nil:
		d.unsure = 0
	case last || ctx.Err() == nil:
		d.broke(err)
	}
}

// broke notes an error, with which the sink is given up, and reports whether there
// is none.
func (d *Detached) broke(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return true
	}
	d.to = nil
	d.lost.Add(d.unsure)
	d.unsure = 0
	d.down.Store(&err)
	return false
}
