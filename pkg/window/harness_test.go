package window_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
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
		rec := b.Add([]byte(fmt.Sprint(e.fields)))
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
	op   *window.Op
	plan *record.Plan
	out  collector
	mark int64
}

func newDriver(t testing.TB, cfg window.Config) *driver {
	t.Helper()
	plan := record.NewPlan()
	op, err := window.New(cfg, plan)
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
			d.must(d.op.Tick(d.mark, 0, &d.out))
			lo = i + 1
		}
	}
}

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

func rowsOf(t testing.TB, cfg window.Config, events []event) []map[string]any {
	t.Helper()
	return parsed(t, newDriver(t, cfg).run(events, 100))
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

// at returns a time as events have it.
func at(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

var start = at("2026-11-24T10:00:00Z")

// randomEvents are events of a few minutes with missing, odd and repeated
// values, out of order by less than ten seconds.
func randomEvents(r *rand.Rand, n int) []event {
	services := []any{
		"api", "web", "db\"q",
		raw{record.Escaped, `a\u0070i`},
		nil, 7,
		raw{record.Number, "7.0"},
		true, "7", "bad\xff",
	}
	events := make([]event, n)
	for i := range events {
		e := event{
			at:     start + int64(i)*int64(5*time.Minute)/int64(n) + r.Int64N(int64(10*time.Second)),
			offset: int64(i * 100),
			fields: map[string]any{
				"service": services[r.IntN(len(services))],
				"status":  []any{200, 200, 404, "503", 500, nil, "none"}[r.IntN(7)],
				"latency": []any{float64(r.IntN(5000)) / 100, r.NormFloat64() * 100, float64(r.IntN(10)), nil, "12.5"}[r.IntN(5)],
				"user":    fmt.Sprint("u", r.IntN(40)),
			},
		}
		if r.IntN(20) == 0 && i > 0 {
			e.at = events[i-1].at // ties
		}
		events[i] = e
	}
	return events
}

func lines(rows []string) string { return strings.Join(rows, "\n") }

// fixed is a size of a fixed length, none where it is 0.
func fixed(d time.Duration) window.Size { return window.Fixed(d) }

func sizes(all ...time.Duration) (list []window.Size) {
	for _, d := range all {
		list = append(list, window.Fixed(d))
	}
	return list
}
