package session_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
)

// An event is a record of the tests: a time and fields by their paths. Fields
// are numbers, texts, booleans, or record values given as raw.
type event struct {
	at     int64
	offset int64
	fields map[string]any
}

// raw is a value of any kind as a codec leaves it.
type raw struct {
	kind record.Kind
	text string
}

// batchOf makes a batch as a parser would.
func batchOf(plan *record.Plan, origin *record.Origin, events []event) *record.Batch {
	b := &record.Batch{Origin: origin}
	for _, e := range events {
		text, err := json.Marshal(e.fields)
		if err != nil {
			text = []byte(fmt.Sprint(e.fields))
		}
		rec := b.Add(text)
		rec.Time, rec.Offset = e.at, e.offset
	}
	for k, f := range plan.Fields {
		col := b.Col(k)
		for i, e := range events {
			switch v := e.fields[f.Path].(type) {
			case nil:
			case string:
				col[i] = b.AppendText([]byte(v))
			case int:
				col[i] = b.AppendNumber(float64(v))
			case float64:
				col[i] = b.AppendNumber(v)
			case bool:
				col[i] = record.NewValue(map[bool]record.Kind{true: record.True, false: record.False}[v], 0, 0)
			case raw:
				at := b.AppendText([]byte(v.text))
				col[i] = record.NewValue(v.kind, at.Off(), at.Len())
			}
		}
	}
	return b
}

// collector is an Output that keeps the rows as text, and a sink for late
// records.
type collector struct {
	rows []string
	keys []string
	recs []record.Rec
	late []string
}

func (c *collector) Batch() (*record.Batch, error) { return new(record.Batch), nil }

func (c *collector) Emit(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		c.rows = append(c.rows, string(rows.Value(i)))
		c.keys = append(c.keys, string(rows.Bytes(rows.Recs[i].Key)))
		c.recs = append(c.recs, rows.Recs[i])
	}
	return nil
}

func (c *collector) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		c.late = append(c.late, string(rows.Value(i)))
	}
	return nil
}

// A driver takes events through an operator as the engine does, ticking at
// the records at which the watermark becomes due.
type driver struct {
	t    testing.TB
	op   *session.Op
	plan *record.Plan
	out  collector
	mark int64
	now  int64
}

func newDriver(t testing.TB, cfg session.Config) *driver {
	t.Helper()
	plan := record.NewPlan()
	op, err := session.New(cfg, plan)
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{t: t, op: op, plan: plan, mark: record.NoTime}
	op.SetLate(&d.out)
	return d
}

var file = &record.Origin{Source: "app.log"}

// feed processes one batch.
func (d *driver) feed(events []event) {
	d.t.Helper()
	b := batchOf(d.plan, file, events)
	d.op.Prepare(b)
	lo := 0
	for i := range b.Recs {
		if b.Recs[i].Live() {
			d.mark = max(d.mark, b.Recs[i].Time)
		}
		if d.mark >= d.op.Due() || i == len(b.Recs)-1 {
			d.must(d.op.Process(record.Rows{Batch: b, Lo: lo, Hi: i + 1}, &d.out))
			d.tick()
			lo = i + 1
		}
	}
}

func (d *driver) tick() { d.must(d.op.Tick(d.mark, d.now, &d.out)) }

func (d *driver) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// run feeds events in batches of the given size and returns all rows.
func (d *driver) run(events []event, size int) []string {
	d.t.Helper()
	for chunk := range slices.Chunk(events, size) {
		d.feed(chunk)
	}
	d.must(d.op.Finish(&d.out))
	return d.out.rows
}

func parsed(t testing.TB, rows []string) []map[string]any {
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

func lines(rows []string) string { return strings.Join(rows, "\n") }

// at returns a time as events have it.
func at(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

func rfc(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }

var start = at("2026-11-24T10:00:00Z")

// visit is an event of a user so long after start.
func visit(user string, after time.Duration) event {
	return event{at: start + int64(after), fields: map[string]any{"user": user}}
}
