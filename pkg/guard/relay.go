package guard

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// A Relay is a sink that keeps records on the local disk until its target takes them.
// When Flush returns they are on that disk. It is for records that must be safe at once
// but may arrive late, such as dead letters. It is a Flusher and a Pusher, for one
// goroutine at a time. After a crash some records may be passed on twice.
type Relay struct {
	spool  *spool.Spool
	target relayTarget
	ctx    context.Context
	next   int64 // behind what was passed on and is not settled; 0 for nothing
}

type relayTarget interface {
	stream.Sink
	InFlight() bool
}

// NewRelay returns a relay from a spool to a target. After ctx is done it does not wait
// for room in the spool.
func NewRelay(ctx context.Context, dir *spool.Spool, target relayTarget) *Relay {
	return &Relay{spool: dir, target: target, ctx: ctx}
}

// fullPause is how long to wait for room in the spool.
const fullPause = 50 * time.Millisecond

// Write puts rows into the spool, and waits while that is full.
func (r *Relay) Write(rows record.Rows) error {
	for {
		err := r.spool.Write(rows)
		if !errors.Is(err, spool.ErrFull) {
			return err
		}
		if err := r.Push(); err != nil {
			return err
		}
		timer := time.NewTimer(fullPause)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// Flush returns when everything that was written is on the disk.
func (r *Relay) Flush(ctx context.Context) error {
	if err := r.spool.Flush(ctx); err != nil {
		return err
	}
	return r.Push()
}

// inTransit is how many writes are passed on before any of them is settled.
const inTransit = 256

// Push passes on what the target takes without waiting: nothing while it has records in
// flight.
func (r *Relay) Push() error {
	if r.target.InFlight() {
		return nil
	}
	if r.next > 0 {
		if err := r.spool.Ack(r.next); err != nil {
			return err
		}
		r.next = 0
	}
	for range inTransit {
		b := record.NewBatch()
		err := r.spool.Next(b)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = r.target.Write(b.All())
		}
		if err != nil {
			return err
		}
		r.next = b.Next
		b.Release()
	}
	return nil
}

// closeWithin is how long Close waits for the target.
const closeWithin = 3 * time.Second

// Close passes on what the target takes within a moment. The rest stays in the spool
// for the next run; left is how many records that are.
func (r *Relay) Close() (left int64, err error) {
	clock := time.NewTicker(10 * time.Millisecond)
	defer clock.Stop()
	for end := time.Now().Add(closeWithin); r.spool.Len() > 0 && time.Now().Before(end); {
		if err := r.Push(); err != nil {
			return r.spool.Len(), err
		}
		<-clock.C
	}
	return r.spool.Len(), nil
}
