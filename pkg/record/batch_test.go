package record_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/record"
)

func TestNamesPutTheAskedForFirst(t *testing.T) {
	for name, want := range map[string][]string{
		"msg":    {"msg", "message", "log", "MESSAGE", "short_message"},
		"status": {"status", "statusCode", "status_code", "httpStatus"},
		"colour": {"colour"},
	} {
		if d := cmp.Diff(want, record.Names(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if !record.IsAlias("userId", "user") || record.IsAlias("user", "host") {
		t.Error("IsAlias")
	}
}

func TestSteps(t *testing.T) {
	name := func(s string) record.Step { return record.Step{Name: s} }
	at := func(i int) record.Step { return record.Step{Index: i, Array: true} }
	for path, want := range map[string][]record.Step{
		"a":           {name("a")},
		"a.b.c":       {name("a"), name("b"), name("c")},
		"a[0].b[-1]":  {name("a"), at(0), name("b"), at(-1)},
		"a[1][2]":     {name("a"), at(1), at(2)},
		"[3]":         {at(3)},
		"a[x]":        {name("a[x]")},
		"@timestamp":  {name("@timestamp")},
		"trailing.":   {name("trailing"), name("")},
		"_SYSTEMD[1]": {name("_SYSTEMD"), at(1)},
	} {
		if d := cmp.Diff(want, record.Steps(path)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

func TestPlan(t *testing.T) {
	p := record.NewPlan()
	if p.Column("status") != 0 || p.Column("service") != 1 || p.Column("status") != 0 || p.Time != -1 {
		t.Error("a field has one column")
	}
	p.ReadTime("")
	if p.Time != 2 || p.Fields[2].Names[0] != "timestamp" {
		t.Errorf("time is column %d of %v", p.Time, p.Fields)
	}
}

func TestBatchColumnsFollowItsRecords(t *testing.T) {
	b := new(record.Batch)
	for range 3 {
		b.Add([]byte("x"))
	}
	col := b.Col(1)
	col[2] = b.AppendText([]byte("v"))
	b.Add([]byte("y"))
	if got := b.Col(1); len(got) != 4 || string(b.Text(got[2])) != "v" || got[3] != 0 {
		t.Errorf("a grown column keeps its values and is missing beyond: %v", got)
	}
	b.Reset()
	b.Add([]byte("z"))
	if got := b.Col(1); len(got) != 1 || got[0] != 0 {
		t.Errorf("after a reset a column is empty: %v", got)
	}
}

func TestBadKeepsTheFirstReason(t *testing.T) {
	b := new(record.Batch)
	b.Add([]byte("x"))
	b.SetBad(0, "first")
	b.SetBad(0, "second")
	if d := cmp.Diff([]record.Fault{{Row: 0, Reason: "first"}}, b.Faults); d != "" || b.Recs[0].Live() {
		t.Errorf("faults %s", d)
	}
}

func TestPoolIsABound(t *testing.T) {
	p := record.NewPool(1, 1024)
	b, err := p.Get(t.Context())
	if err != nil || cap(b.Data) != 1024 {
		t.Fatalf("%v, arena of %d", err, cap(b.Data))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second batch of a pool of one: %v", err)
	}
	b.Add([]byte("kept"))
	b.Retain()
	b.Release()
	if len(b.Recs) != 1 {
		t.Fatal("a retained batch was given back")
	}
	b.Release()
	again, err := p.Get(t.Context())
	if err != nil || again != b || len(again.Recs) != 0 {
		t.Errorf("the batch comes back empty: %v", err)
	}
}

func TestPoolForgetsHugeArenas(t *testing.T) {
	p := record.NewPool(1, 1024)
	b, _ := p.Get(t.Context())
	b.Data = make([]byte, 0, 64<<20)
	b.Release()
	if b, _ = p.Get(t.Context()); cap(b.Data) != 1024 {
		t.Errorf("arena of %d", cap(b.Data))
	}
}

// What was computed from records does not make more of them be read next time.
func TestNarrowedBatchesKeepTheirArena(t *testing.T) {
	b := record.NewBatch()
	b.Data = append(make([]byte, 0, 1000), "used before"...)[:0]
	b.Narrow(100)
	if cap(b.Data) != 100 || len(b.Data) != 0 {
		t.Errorf("narrowed to %d of %d bytes, want 0 of 100", len(b.Data), cap(b.Data))
	}
	b.Data = append(b.Data, "read"...)
	b.Widen()
	if cap(b.Data) != 1000 || string(b.Data) != "read" {
		t.Errorf("widened to %d bytes, %q, want 1000", cap(b.Data), b.Data)
	}
	b.Data = b.Data[:0]
	b.Narrow(4)
	b.Data = append(b.Data, "longer than that"...) // another arena
	b.Widen()
	if string(b.Data) != "longer than that" || cap(b.Data) == 1000 {
		t.Errorf("%d bytes, %q after it moved", cap(b.Data), b.Data)
	}
}

func TestPoolGivesAnotherBatchWhenItIsUrgent(t *testing.T) {
	p := record.NewPool(1, 64)
	urgent := make(chan struct{}, 1)
	first, err := p.GetOr(t.Context(), urgent)
	if err != nil {
		t.Fatal(err)
	}
	urgent <- struct{}{}
	second, err := p.GetOr(t.Context(), urgent)
	if err != nil || second == first {
		t.Fatalf("got %v, %v; want another batch", second, err)
	}
	second.Release() // goes nowhere
	first.Release()
	if third, _ := p.GetOr(t.Context(), urgent); third != first {
		t.Error("the pool's own batch is not there again")
	}
}

// A view holds what it shares until it is released, and leaves it alone.
func TestViewsHoldTheirBatch(t *testing.T) {
	batches, views := record.NewPool(1, 64), record.NewPool(1, 0)
	b, _ := batches.Get(t.Context())
	b.Add([]byte("one"))
	b.Add([]byte("two"))
	v, _ := views.Get(t.Context())
	v.View(b)
	v.Recs = append(v.Recs, b.Recs[1])
	b.Release()
	v.AppendText([]byte("beside"))
	if got := string(v.Value(0)); got != "two" || string(b.Data) != "one\ntwo\n" {
		t.Errorf("the view has %q, the arena %q", got, b.Data)
	}
	v.Release()
	again, err := batches.Get(t.Context())
	if err != nil || again != b || len(b.Recs) != 0 {
		t.Fatalf("the batch comes back when the view is released: %v", err)
	}
	if v, _ = views.Get(t.Context()); len(v.Recs) != 0 || v.Data != nil {
		t.Error("a view that comes back is empty")
	}
}

// Pools for one thing after the other take the memory of one, and each keeps its bound.
func TestPoolsOfOneMemory(t *testing.T) {
	p := record.NewPool(1, 1024)
	first, _ := p.Get(t.Context())
	first.Release()
	for range 100 {
		q := p.Like(2)
		a, _ := q.Get(t.Context())
		b, ok := q.TryGet()
		if _, third := q.TryGet(); !ok || third {
			t.Fatal("a pool of two is not one of two")
		}
		if a != first {
			t.Fatal("a batch that is not in use was not taken")
		}
		b.Release()
		a.Release()
	}
}
