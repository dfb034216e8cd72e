package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

func TestMetrics(t *testing.T) {
	var stats engine.Stats
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&stats)
	if now := gather(t, registry); len(now) != 5 {
		t.Errorf("before the first record there are %v, want the 5 counters", now)
	}
	var got text
	src := &dated{lines{name: "x", times: []int64{2, 4, 5, 8, 8, 8, 8, 2e9}, n: 3}}
	p := engine.Pipeline{
		Sources: []stream.Source{src}, Sink: &got, Operator: new(watch), Order: engine.InTime,
		Parser: newMarker, Prepare: []stream.Preparer{odd{}}, Stats: &stats,
	}
	p.Now = func() int64 { return 5e9 }
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"logctl_records_in_total": 8, "logctl_records_out_total": 7, "logctl_records_bad_total": 1,
		"logctl_records_filtered_total": 1, "logctl_bytes_in_total": 16,
		"logctl_behind_seconds": 3, "logctl_watermark_seconds": 8e-9, // the last record is bad
	}
	if d := cmp.Diff(want, gather(t, registry)); d != "" {
		t.Error(d)
	}
}

// dated is a source whose batches say when they were read.
type dated struct{ lines }

func (d *dated) Read(ctx context.Context, b *record.Batch) error {
	b.Arrived = 5e9
	return d.lines.Read(ctx, b)
}

// gather returns the metrics of a registry by their names.
func gather(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return values
}

// columns is a parser that fills some columns of its plan.
type columns struct{ filled []int }

func (c columns) Parse(b *record.Batch) {
	for i := range b.Recs {
		for _, k := range c.filled {
			b.Col(k)[i] = record.NewValue(record.String, 0, 1)
		}
		if i == 0 {
			b.SetBad(i, "its fields do not count")
			continue
		}
		b.Col(c.filled[0])[i] = 0
	}
}

func TestUnseen(t *testing.T) {
	plan := record.NewPlan()
	plan.ReadTime("")
	for _, name := range []string{"bad", "seen", "never"} {
		plan.Column(name)
	}
	var stats engine.Stats
	var got text
	p := engine.Pipeline{
		Sources: []stream.Source{&lines{name: "x", times: make([]int64, 9), n: 4}}, Sink: &got, Plan: plan, Stats: &stats,
		Parser: func() engine.Parser { return columns{[]int{1, 2}} },
		Names:  func(b *record.Batch) []string { return []string{fmt.Sprintf("of %s", b.Value(0))} },
	}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"bad", "never"}, stats.Unseen(plan)); d != "" {
		t.Errorf("unseen: %s", d)
	}
	if len(stats.Names()) != 1 || !strings.HasPrefix(stats.Names()[0], "of x") {
		t.Errorf("names %q", stats.Names())
	}
}

func TestDeadLetters(t *testing.T) {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "app", Partition: 3, Topic: true}
	for i, v := range []string{"good", "\xffbad", ""} {
		rec := b.Add([]byte(v))
		rec.Offset, rec.Stamp, rec.Line = int64(40+i), int64(7+i), 0
	}
	key, value := uint32(len(b.Data)), uint32(len(b.Data)+1)
	b.Data = append(b.Data, "kv"...)
	b.Recs[1].Key, b.Recs[1].Flags = record.Span{Off: key, Len: 1}, record.HasKey|record.Truncated
	b.Headers = []record.Header{{Key: record.Span{Off: key, Len: 1}, Value: record.Span{Off: value, Len: 1}}}
	b.Recs[1].Headers = record.Span{Len: 1}
	b.SetBad(1, "no JSON")
	b.SetBad(2, "nothing")

	var got letters
	if err := engine.WriteDead(&got, b); err != nil {
		t.Fatal(err)
	}
	want := letters{
		`"\xffbad"@41 at 8 key "k" k=v logctl-reason=no JSON logctl-source=app logctl-partition=3 logctl-offset=41 logctl-truncated=true`,
		`""@42 at 9 logctl-reason=nothing logctl-source=app logctl-partition=3 logctl-offset=42`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	b.Origin, b.Recs[2].Line = &record.Origin{Source: "app.log", Partition: 99}, 12
	got = nil
	if err := engine.WriteDead(&got, b); err != nil {
		t.Fatal(err)
	}
	if want := `""@42 at 9 logctl-reason=nothing logctl-source=app.log logctl-offset=42 logctl-line=12`; got[1] != want {
		t.Errorf("got %s, want %s", got[1], want)
	}
}

// letters is a sink that notes all there is to a record.
type letters []string

func (l *letters) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		s := fmt.Sprintf("%q@%d at %d", rows.Value(i), rec.Offset, rec.Stamp)
		if rec.Flags&record.HasKey != 0 {
			s += fmt.Sprintf(" key %q", rows.Bytes(rec.Key))
		}
		for _, h := range rows.Headers[rec.Headers.Off:rec.Headers.End()] {
			s += fmt.Sprintf(" %s=%s", rows.Bytes(h.Key), rows.Bytes(h.Value))
		}
		*l = append(*l, s)
	}
	return nil
}

// TestReadAheadIsNotCounted ends runs in the middle of what was read: by a limit,
// and by the first bad record. Counted is what was dealt with.
func TestReadAheadIsNotCounted(t *testing.T) {
	for _, c := range []struct {
		strict, passes         bool
		limit                  int64
		in, out, bad, filtered int64
	}{
		{in: 20, out: 8, bad: 2, filtered: 10},
		{limit: 2, in: 5, out: 2, filtered: 3}, // it goes on at the next that passes
		{passes: true, limit: 2, in: 5, out: 2, filtered: 3},
		{strict: true, in: 8, out: 0, bad: 1, filtered: 4},
	} {
		src := &lines{name: "x", times: make([]int64, 20), n: 20}
		for i := range src.times {
			src.times[i] = int64(i) + 1
		}
		var got text
		stats := new(engine.Stats)
		p := engine.Pipeline{
			Sources: []stream.Source{src}, Sink: &got, Parser: newMarker, Prepare: []stream.Preparer{odd{}},
			Stats: stats, Limit: c.limit, Strict: c.strict,
		}
		if c.passes {
			p.Operator = passing{}
		}
		err := engine.Run(t.Context(), p)
		if (err != nil) != c.strict {
			t.Errorf("%+v: %v", c, err)
		}
		if stats.In.Load() != c.in || stats.Out.Load() != c.out || stats.Bad.Load() != c.bad ||
			stats.Dropped.Load() != c.filtered {
			t.Errorf("%+v: %s", c, stats.Summary())
		}
	}
}

// passing hands on the very rows that it is given, as a router does.
type passing struct{}

func (passing) Process(rows record.Rows, out stream.Output) error { return out.Emit(rows) }

// Of fields that records of another plan had nothing is known.
func TestUnseenOfOtherPlans(t *testing.T) {
	plan := record.NewPlan()
	plan.ReadTime("")
	plan.Column("never")
	var stats engine.Stats
	var got text
	p := engine.Pipeline{
		Sources: []stream.Source{&lines{name: "x", times: make([]int64, 9), n: 4}}, Sink: &got, Plan: plan, Stats: &stats,
		Parsers: 1,
		Parser: func() engine.Parser {
			return &replanned{columns: columns{[]int{1}}, plans: []*record.Plan{plan, record.NewPlan()}}
		},
	}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if paths := stats.Unseen(plan); paths != nil || stats.Timeless(plan) {
		t.Errorf("unseen: %q, timeless %v", paths, stats.Timeless(plan))
	}
}

// A replanned parser goes by one plan after the other, and by the last one to the end.
type replanned struct {
	columns
	plans []*record.Plan
}

func (p *replanned) Parse(b *record.Batch) {
	p.columns.Parse(b)
	if b.Plan = p.plans[0]; len(p.plans) > 1 {
		p.plans = p.plans[1:]
	}
}
