package aggregate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// all is every aggregate, so that a new state cannot be forgotten here.
const all = "count(), n=count(v > 5), rate(), ratio(v > 5), sum(v), avg(v), min(v), max(v), stddev(v), variance(v), " +
	"p50(v), p99(v), distinct(s), topk(s, 3), mode(s), first(s), last(s), collect(s, 4), delta(v), ewma(v, 5s), histogram(v), " +
	"any(v > 5), until(v > 5), counts(s), values(s, 5), tail(s, 4)"

type harness struct {
	t      testing.TB
	plan   *record.Plan
	keys   *aggregate.Keys
	set    *aggregate.Set
	parser codec.Parser
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t, plan: record.NewPlan()}
	h.plan.ReadTime("")
	var err error
	if h.keys, err = aggregate.CompileKeys([]string{"k", "half=v / 2 > 10"}, h.plan); err != nil {
		t.Fatal(err)
	}
	if h.set, err = aggregate.Compile(all, h.plan); err != nil {
		t.Fatal(err)
	}
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	h.parser = dec.NewParser(h.plan)
	return h
}

// batch returns n parsed and prepared records.
func (h *harness) batch(rng *rand.Rand, n int) *record.Batch {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "a.log", Partition: int32(rng.IntN(2)), Format: "ndjson"}
	for i := range n {
		b.Data = fmt.Appendf(b.Data, `{"ts":%d,"k":"key %d","v":%v,"s":"value %d"}`+"\n",
			1_700_000_000+rng.IntN(50), rng.IntN(6), rng.Float64()*float64(rng.IntN(40)), rng.IntN(30+i))
	}
	h.parser.Parse(b)
	h.keys.Prepare(b)
	h.set.Prepare(b)
	return b
}

// table is the groups of what was added.
type table struct {
	*aggregate.Table
	cells *aggregate.Cells
}

func (h *harness) table() *table { return &table{aggregate.NewTable(nil), h.set.NewCells()} }

func (h *harness) add(to *table, b *record.Batch) {
	var rows []int32
	var groups []uint32
	for i := range b.Recs {
		g, err := to.Group(h.keys.Key(b, h.keys.Numbers(b)[i]))
		if err != nil {
			h.t.Fatal(err)
		}
		rows, groups = append(rows, int32(i)), append(groups, g)
	}
	to.cells.Grow(to.Len())
	to.cells.Add(b, rows, groups)
}

// rows returns the rows of all groups in the order of the first table.
func (h *harness) rows(t *table) string {
	var out []byte
	for g := range uint32(t.Len()) {
		kind, text := t.Key(g)
		out = h.keys.AppendFields(out, kind, text)
		out = h.set.AppendFields(out, aggregate.Row{Cells: t.cells, Group: g, Length: time.Minute})
		out = append(out, '\n')
	}
	return string(out)
}

// What is encoded and decoded goes on as if nothing had happened.
func TestCellsSurviveEncoding(t *testing.T) {
	h := newHarness(t)
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		plain, kept := h.table(), h.table()
		for range 4 {
			b := h.batch(rng, 1+rng.IntN(200))
			h.add(plain, b)
			h.add(kept, b)
			again := h.table()
			for g := range uint32(kept.Len()) {
				kind, text := kept.Key(g)
				to, err := again.Group(kept.Hash(g), kind, text)
				if err != nil {
					t.Fatal(err)
				}
				again.cells.Grow(again.Len())
				rest, err := again.cells.Decode(to, append(kept.cells.Encode(nil, g), "rest"...))
				if err != nil || string(rest) != "rest" {
					t.Fatalf("seed %d: rest %q, %v", seed, rest, err)
				}
			}
			kept = again
		}
		if got, want := h.rows(kept), h.rows(plain); got != want {
			t.Fatalf("seed %d: got\n%swant\n%s", seed, got, want)
		}
	}
}

// A cell that was reset is as good as a new one.
func TestCellsReset(t *testing.T) {
	h := newHarness(t)
	rng := rand.New(rand.NewPCG(7, 7))
	used := h.table()
	h.add(used, h.batch(rng, 500))
	for g := range uint32(used.Len()) {
		used.cells.Reset(g)
	}
	b := h.batch(rng, 300)
	fresh := h.table()
	for g := range uint32(used.Len()) { // the same keys in the same order
		kind, text := used.Key(g)
		if _, err := fresh.Group(used.Hash(g), kind, text); err != nil {
			t.Fatal(err)
		}
	}
	h.add(used, b)
	h.add(fresh, b)
	if got, want := h.rows(used), h.rows(fresh); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// FuzzCells decodes what nobody has encoded: an error or a cell that can be
// used, never a panic.
func FuzzCells(f *testing.F) {
	h := newHarness(f)
	rng := rand.New(rand.NewPCG(3, 3))
	full := h.table()
	h.add(full, h.batch(rng, 100))
	f.Add(full.cells.Encode(nil, 0))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) {
		cells := h.set.NewCells()
		cells.Grow(1)
		if _, err := cells.Decode(0, src); err != nil {
			return
		}
		again := h.set.NewCells()
		again.Grow(1)
		if _, err := again.Decode(0, cells.Encode(nil, 0)); err != nil {
			t.Errorf("what was decoded and encoded is not taken: %v", err)
		}
		h.set.AppendFields(nil, aggregate.Row{Cells: cells, Length: time.Second})
	})
}
