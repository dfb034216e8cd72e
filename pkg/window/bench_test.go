package window_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// logEvents are a batch of an application log: 16 services, in order but for
// a little.
func logEvents(r *rand.Rand, n, services int) []event {
	z := rand.NewZipf(r, 1.3, 1, uint64(services-1))
	events := make([]event, n)
	for i := range events {
		events[i] = event{
			At: start + int64(i)*int64(10*time.Millisecond) + r.Int64N(int64(50*time.Millisecond)),
			Fields: map[string]any{
				"service": fmt.Sprint("service-", z.Uint64()), "level": []string{"INFO", "WARN"}[r.IntN(2)],
				"latency_ms": float64(r.IntN(50_000)) / 100, "status": []int{200, 503}[r.IntN(2)],
				"path": fmt.Sprint("/p/", r.IntN(300)),
			},
		}
	}
	return events
}

// benchmark measures one part of an operator's work in ns a row.
func benchmark(b *testing.B, cfg window.Config, services int, prepare bool) {
	plan := record.NewPlan()
	op, err := window.New(cfg, plan)
	if err != nil {
		b.Fatal(err)
	}
	const rows = 2000
	batch := proof.Batch(plan, proof.File, logEvents(rand.New(rand.NewPCG(1, 1)), rows, services))
	op.Prepare(batch)
	var out proof.Output
	if err := op.Process(batch.All(), &out); err != nil { // groups are there
		b.Fatal(err)
	}
	size := len(batch.Data)
	b.ReportAllocs()
	for b.Loop() {
		if prepare {
			batch.Data = batch.Data[:size]
			op.Prepare(batch)
		} else if err := op.Process(batch.All(), &out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func BenchmarkOp(b *testing.B) {
	main := window.Config{Sizes: sizes(time.Minute), By: []string{"service"}, Aggs: "count(), avg(latency_ms), p99(latency_ms)"}
	hopping, two, count, many := main, main, main, main
	hopping.Hop = fixed(10 * time.Second)
	two.By = []string{"service", "level"}
	count.Aggs = "count()"
	many.Aggs = "count(), ratio(status >= 500), sum(latency_ms), stddev(latency_ms), distinct(path), " +
		"topk(path, 5), last(path)"
	for _, c := range []struct {
		name     string
		cfg      window.Config
		services int
	}{
		{"main", main, 16},
		{"hopping", hopping, 16},
		{"two keys", two, 16},
		{"count", count, 16},
		{"many", many, 16},
		{"1000 keys", main, 1000},
	} {
		b.Run(c.name+"/process", func(b *testing.B) { benchmark(b, c.cfg, c.services, false) })
		b.Run(c.name+"/prepare", func(b *testing.B) { benchmark(b, c.cfg, c.services, true) })
	}
}

// BenchmarkGroups measures what opening, filling and closing a window costs a
// group, and the memory of an open one.
func BenchmarkGroups(b *testing.B) {
	const groups = 100_000
	plan := record.NewPlan()
	op, err := window.New(window.Config{Sizes: sizes(time.Minute), By: []string{"k"}, Aggs: "count(), sum(v), avg(v)"}, plan)
	if err != nil {
		b.Fatal(err)
	}
	events := make([]event, groups)
	for i := range events {
		events[i] = event{At: start, Fields: map[string]any{"k": fmt.Sprint("user-", i), "v": i % 100}}
	}
	batch := proof.Batch(plan, proof.File, events)
	op.Prepare(batch)
	var out discard
	mark, held := start, uint64(0)
	for b.Loop() {
		before := heap(b)
		if err := op.Process(batch.All(), &out); err != nil {
			b.Fatal(err)
		}
		held = heap(b) - before
		mark += int64(time.Minute)
		if err := op.Tick(mark, 0, &out); err != nil {
			b.Fatal(err)
		}
		for i := range batch.Recs {
			batch.Recs[i].Time += int64(time.Minute)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/groups, "ns/group")
	b.ReportMetric(float64(held)/groups, "B/group")
}

func heap(b *testing.B) uint64 {
	b.StopTimer()
	defer b.StartTimer()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// discard is an Output that reuses one batch.
type discard struct{ b record.Batch }

func (d *discard) Batch() (*record.Batch, error) { d.b.Reset(); return &d.b, nil }
func (d *discard) Emit(record.Rows) error        { return nil }

// BenchmarkHop measures what windows of 90 panes cost beside those of one: 15m/10s
// beside 10s, 10 windows and 10,000 rows a round.
func BenchmarkHop(b *testing.B) {
	for _, size := range []time.Duration{10 * time.Second, 15 * time.Minute} {
		for _, services := range []int{16, 1000} {
			b.Run(fmt.Sprint(size, "/", services), func(b *testing.B) { benchmarkHop(b, size, services) })
		}
	}
}

func benchmarkHop(b *testing.B, size time.Duration, services int) {
	plan := record.NewPlan()
	op, err := window.New(window.Config{
		Sizes: sizes(size), Hop: fixed(10 * time.Second), By: []string{"service"},
		Aggs: "count(), avg(latency_ms), p99(latency_ms)",
	}, plan)
	if err != nil {
		b.Fatal(err)
	}
	batch := proof.Batch(plan, proof.File, logEvents(rand.New(rand.NewPCG(1, 1)), 10_000, services))
	op.Prepare(batch)
	var out discard
	step := func() {
		for i := range batch.Recs {
			batch.Recs[i].Time += int64(100 * time.Second)
		}
		for lo := 0; lo < len(batch.Recs); lo += 1000 {
			if err := op.Process(record.Rows{Batch: batch, Lo: lo, Hi: lo + 1000}, &out); err != nil {
				b.Fatal(err)
			}
			if err := op.Tick(batch.Recs[lo+999].Time-int64(time.Second), 0, &out); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 10 {
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
}

// BenchmarkKinds measures windows that may end at any moment, in ns a row: 100 rows a
// second of 16 keys.
func BenchmarkKinds(b *testing.B) {
	for _, c := range []struct {
		name string
		cfg  window.Config
	}{
		{"slide 1m, avg", window.Config{Sizes: sizes(time.Minute), Slide: true, Aggs: "count(), avg(latency_ms)"}},
		{"slide 1m, p99", window.Config{Sizes: sizes(time.Minute), Slide: true, Aggs: "p99(latency_ms)"}},
		{"gap 100ms, avg", window.Config{Gap: 100 * time.Millisecond, Aggs: "count(), avg(latency_ms)"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.cfg.By = []string{"service"}
			plan := record.NewPlan()
			op, err := window.New(c.cfg, plan)
			if err != nil {
				b.Fatal(err)
			}
			const rows = 10_000
			batch := proof.Batch(plan, proof.File, logEvents(rand.New(rand.NewPCG(1, 1)), rows, 16))
			op.Prepare(batch)
			var out discard
			b.ReportAllocs()
			for b.Loop() {
				for i := range batch.Recs {
					batch.Recs[i].Time += int64(100 * time.Second)
				}
				for lo := 0; lo < rows; lo += 1000 {
					if err := op.Process(record.Rows{Batch: batch, Lo: lo, Hi: lo + 1000}, &out); err != nil {
						b.Fatal(err)
					}
					if err := op.Tick(batch.Recs[lo+999].Time-int64(time.Second), 0, &out); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
