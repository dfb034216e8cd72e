package proof

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// An Operator is a machine over time. What else it can do is asked as the engine asks.
type Operator interface {
	stream.Operator
	stream.Waiter
}

// A Driver takes events through an operator as the engine does: it ticks behind the
// very records at which the operator is due.
type Driver[O Operator] struct {
	Op   O
	Plan *record.Plan
	Out  Output
	Mark int64 // the watermark
	Now  int64 // the wall clock

	t testing.TB
}

// NewDriver returns a Driver for an operator that was made for plan. Its late records
// come into Out, too.
func NewDriver[O Operator](t testing.TB, op O, plan *record.Plan) *Driver[O] {
	d := &Driver[O]{t: t, Op: op, Plan: plan, Mark: record.NoTime}
	if op, ok := any(op).(interface{ SetLate(late stream.Sink) }); ok {
		op.SetLate(&d.Out)
	}
	return d
}

// Feed processes one batch.
func (d *Driver[O]) Feed(events []Event) {
	d.t.Helper()
	b := Batch(d.Plan, File, events)
	if op, ok := any(d.Op).(stream.Preparer); ok {
		op.Prepare(b)
	}
	lo := 0
	for i := range b.Recs {
		if b.Recs[i].Live() {
			d.Mark = max(d.Mark, b.Recs[i].Time)
		}
		if d.Mark >= d.Op.Due() || i == len(b.Recs)-1 {
			d.Must(d.Op.Process(record.Rows{Batch: b, Lo: lo, Hi: i + 1}, &d.Out))
			d.Tick()
			lo = i + 1
		}
	}
}

// Tick has the operator act on the watermark and the clock.
func (d *Driver[O]) Tick() {
	d.t.Helper()
	d.Must(d.Op.Tick(d.Mark, d.Now, &d.Out))
}

// Must fails the test on an error.
func (d *Driver[O]) Must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// Run feeds all events in batches of a size, finishes, and returns the rows.
func (d *Driver[O]) Run(events []Event, size int) []string {
	d.t.Helper()
	for chunk := range slices.Chunk(events, size) {
		d.Feed(chunk)
	}
	if op, ok := any(d.Op).(stream.Finisher); ok {
		d.Must(op.Finish(&d.Out))
	}
	return d.Out.Rows
}

// Output is a stream.Output that keeps rows as text, and a sink for late records.
type Output struct {
	Rows []string
	Keys []string
	Recs []record.Rec
	Late []string
}

// Batch implements stream.Output.
func (o *Output) Batch() (*record.Batch, error) { return new(record.Batch), nil }

// Emit implements stream.Output.
func (o *Output) Emit(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		o.Rows = append(o.Rows, string(rows.Value(i)))
		o.Keys = append(o.Keys, string(rows.Bytes(rows.Recs[i].Key)))
		o.Recs = append(o.Recs, rows.Recs[i])
	}
	return nil
}

// Write implements stream.Sink.
func (o *Output) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		o.Late = append(o.Late, string(rows.Value(i)))
	}
	return nil
}

// Parsed returns rows of JSON as objects.
func Parsed(t testing.TB, rows []string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, r := range rows {
		var m map[string]any
		if err := json.Unmarshal([]byte(r), &m); err != nil {
			t.Fatalf("row %s: %v", r, err)
		}
		all = append(all, m)
	}
	return all
}
