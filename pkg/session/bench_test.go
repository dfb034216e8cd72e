package session_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/session"
	"github.com/logctl/logctl/pkg/stream"
)

// clicks are a batch of events of many users, some of them a little late.
func clicks(r *rand.Rand, n, users int) []event {
	events := make([]event, n)
	for i := range events {
		events[i] = visit(fmt.Sprint("user-", r.IntN(users)), time.Duration(i)*time.Millisecond-time.Duration(r.IntN(100))*time.Millisecond)
		events[i].Offset = int64(i)
		events[i].Fields["type"], events[i].Fields["page"] = []string{"view", "cart", "buy"}[r.IntN(3)], fmt.Sprint("/p/", r.IntN(20))
		events[i].Fields["bytes"] = r.IntN(1000)
	}
	return events
}

// discard is an Output that reuses one batch.
type discard struct{ b record.Batch }

func (d *discard) Batch() (*record.Batch, error) { d.b.Reset(); return &d.b, nil }
func (d *discard) Emit(record.Rows) error        { return nil }

// BenchmarkOp measures what an event costs, the closing of its session included:
// in each turn all users come again, later than the gap.
func BenchmarkOp(b *testing.B) {
	const rows = 2000
	for name, cfg := range map[string]session.Config{
		"plain":      {},
		"aggregates": {Details: session.Details{Aggs: "sum(bytes), p99(bytes), last(page)"}},
		"details":    {Details: session.Details{Type: "type", Sequence: 10, Page: "page", Convert: `type == "buy"`}},
		"cut":        {Cuts: session.Cuts{MaxLength: time.Minute, EndWhen: `type == "buy"`}},
		"funnel":     {Details: session.Details{Funnel: "view, cart, buy", Aggs: "sum(bytes)"}},
		"events":     {Details: session.Details{Events: true}},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Gap, cfg.Grace = time.Second, time.Second
			plan := record.NewPlan()
			op, err := session.New(cfg, plan)
			if err != nil {
				b.Fatal(err)
			}
			batch := proof.Batch(plan, proof.File, clicks(rand.New(rand.NewPCG(1, 1)), rows, 500))
			op.Prepare(batch)
			var out discard
			mark := start
			turn := func() {
				for i := range batch.Recs {
					batch.Recs[i].Time += int64(10 * time.Second)
					mark = max(mark, batch.Recs[i].Time)
				}
				if err := op.Process(batch.All(), &out); err != nil {
					b.Fatal(err)
				}
				if err := op.Tick(mark, 0, &out); err != nil {
					b.Fatal(err)
				}
			}
			for range 20 {
				turn()
			}
			b.ReportAllocs()
			for b.Loop() {
				turn()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

// users have an open session each.
const users = 1_000_000

func plainOp(b *testing.B) (*session.Op, *record.Plan) {
	b.Helper()
	plan := record.NewPlan()
	op, err := session.New(session.Config{Gap: time.Hour, Grace: time.Minute}, plan)
	if err != nil {
		b.Fatal(err)
	}
	return op, plan
}

// open opens the sessions of all users.
func open(b *testing.B, op *session.Op, plan *record.Plan) {
	b.Helper()
	var out discard
	for lo := 0; lo < users; lo += 10_000 {
		events := make([]event, 10_000)
		for i := range events {
			events[i] = visit(fmt.Sprint("user-", lo+i), 0)
		}
		batch := proof.Batch(plan, proof.File, events)
		op.Prepare(batch)
		if err := op.Process(batch.All(), &out); err != nil {
			b.Fatal(err)
		}
		if err := op.Tick(start, 0, &out); err != nil {
			b.Fatal(err)
		}
	}
	if s := op.Stats(); s.Open != users {
		b.Fatalf("%+v", s)
	}
}

// BenchmarkOpen measures the memory of a million open sessions of as many users.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		op, plan := plainOp(b)
		before := heap()
		open(b, op, plan)
		b.ReportMetric(float64(heap()-before)/users, "B/session")
		runtime.KeepAlive(op)
	}
}

// BenchmarkRestore measures how a million open sessions come back.
func BenchmarkRestore(b *testing.B) {
	op, plan := plainOp(b)
	open(b, op, plan)
	var state stream.Entries
	if err := op.Changes(true, func(k, v []byte) error { state.Append(k, v); return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		again, _ := plainOp(b)
		if err := state.Each(again.Restore); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(users*float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
