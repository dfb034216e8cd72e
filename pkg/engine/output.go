package engine

import (
	"context"
	"errors"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// output is what the operator writes to: it counts, keeps to the limit and
// hands on to the sink.
type output struct {
	*Pipeline
	gate *Gate // to the sink
	ctx  context.Context
	pool *record.Pool
	in   *record.Batch // the batch being processed; it is not the output's to release
	sent int64
	end  int           // the row of in behind the last one that was written
	few  *record.Batch // rows that wait for more of them; nil for none
}

// fewRows is how many rows are too few for a batch of their own, where the sink
// holds it until it is acknowledged: an operator that emits row by row would wait
// for each.
const fewRows = 256

// Batch returns an empty batch.
func (o *output) Batch() (*record.Batch, error) {
	b, err := o.pool.Get(o.ctx)
	if err == nil {
		b.Arrived = o.Now()
	}
	return b, err
}

// Emit writes rows to the sink, up to the limit.
func (o *output) Emit(rows record.Rows) error {
	if rows.Batch != o.in {
		defer rows.Release()
	}
	live, cut := o.cut(rows)
	if o.gathers(rows, live) {
		o.count(live)
		return o.gather(cut)
	}
	if err := o.push(); err != nil {
		return err
	}
	stopped := false
	if live > 0 {
		err := o.gate.Write(cut)
		var stop stream.Stopped
		if stopped = errors.As(err, &stop); stopped {
			cut.Hi = stop.At
			live, cut = o.cut(cut)
		} else if err != nil {
			return err
		}
	}
	o.count(live)
	if rows.Batch == o.in {
		o.end = cut.Hi
	}
	if stopped || o.full() {
		return stream.Stopped{At: o.end}
	}
	return nil
}

// count notes that records were written.
func (o *output) count(n int64) {
	o.sent += n
	if !o.Counts {
		o.Stats.Out.Add(n)
	}
}

// takeBack counts no longer what an error undid: exactly once, what was written behind the
// first records, which are committed.
func (o *output) takeBack(err error, committed int64) {
	if err != nil && o.Exactly && !o.Counts {
		o.Stats.Out.Store(max(o.Stats.Out.Load()-(o.sent-committed), 0))
	}
}

// gathers reports whether rows are to wait for more.
func (o *output) gathers(rows record.Rows, live int64) bool {
	return o.Held && o.Limit == 0 && rows.Batch != o.in && rows.Origin == nil && live < fewRows
}

// gather copies rows to those that wait.
func (o *output) gather(rows record.Rows) error {
	if o.few == nil {
		var err error
		if o.few, err = o.pool.Get(o.ctx); err != nil {
			return err
		}
	}
	o.few.CopyRows(rows, nil)
	if len(o.few.Recs) < fewRows {
		return nil
	}
	return o.push()
}

// push writes the rows that wait.
func (o *output) push() error {
	if o.few == nil {
		return nil
	}
	b := o.few
	o.few = nil
	defer b.Release()
	return o.gate.Write(b.All())
}

// cut shortens rows to what the limit still allows and counts the live ones.
func (o *output) cut(rows record.Rows) (int64, record.Rows) {
	var live int64
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		if o.Limit > 0 && o.sent+live == o.Limit {
			rows.Hi = i
			break
		}
		live++
	}
	return live, rows
}

func (o *output) full() bool { return o.Limit > 0 && o.sent >= o.Limit }
