package load

import (
	"context"
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Pace returns a sink that passes records on no faster than a schedule allows. After
// ctx is done it keeps the pace for the time of rest, and then passes on the remaining
// records at once; this is for pipes, which cannot be read again. With rest 0 it stops
// with stream.Stopped instead, so that the remaining records count as not read.
func Pace(ctx context.Context, to stream.Sink, schedule limit.Schedule, rest time.Duration) stream.Sink {
	p := &pace{Sink: to, ctx: ctx, rest: rest, bucket: limit.Bucket{Schedule: schedule}}
	if t, ok := to.(stream.Tracker); ok {
		return tracker{p, t}
	}
	return p
}

// A tracker is a pace whose sink finishes records at their own pace.
type tracker struct {
	*pace
	stream.Tracker
}

// A pace is a Flusher and a Pusher, whether or not its sink is one.
type pace struct {
	stream.Sink
	ctx    context.Context
	rest   time.Duration
	ends   time.Time // when rest is over, once it has begun
	bucket limit.Bucket
}

// Write hands on as many of rows as there are tokens, and waits for more.
func (p *pace) Write(rows record.Rows) error {
	for {
		if p.ctx.Err() != nil && p.rest == 0 {
			return stream.Stopped{At: rows.Lo}
		}
		part := p.part(rows)
		if part.Lo < part.Hi {
			if err := p.Sink.Write(part); err != nil {
				return err
			}
		}
		if rows.Lo = part.Hi; rows.Lo == rows.Hi {
			return nil
		}
		if err := p.Push(); err != nil {
			return err
		}
		p.wait()
	}
}

// part takes tokens for the first of rows, and returns those that may go.
func (p *pace) part(rows record.Rows) record.Rows {
	if p.over() {
		return rows
	}
	now := time.Now().UnixNano()
	ready, taken := p.bucket.Ready(now), int64(0)
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		if taken == ready {
			rows.Hi = i
			break
		}
		taken++
	}
	p.bucket.Take(now, taken)
	return rows
}

// over reports whether nothing is held back any more.
func (p *pace) over() bool {
	if p.ctx.Err() == nil {
		return false
	}
	if p.ends.IsZero() {
		p.ends = time.Now().Add(p.rest)
	}
	return !time.Now().Before(p.ends)
}

// wait waits until there is a token, or until nothing is to wait any more.
func (p *pace) wait() {
	next, done := p.bucket.Next(time.Now().UnixNano()), p.ctx.Done()
	if !p.ends.IsZero() {
		next, done = min(next, time.Until(p.ends)), nil
	}
	timer := time.NewTimer(next)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-done:
	}
}

// Push passes on what the sink holds.
func (p *pace) Push() error {
	if to, ok := p.Sink.(stream.Pusher); ok {
		return to.Push()
	}
	return nil
}

// Flush flushes the sink.
func (p *pace) Flush(ctx context.Context) error {
	if to, ok := p.Sink.(stream.Flusher); ok {
		return to.Flush(ctx)
	}
	return nil
}
