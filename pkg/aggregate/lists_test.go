package aggregate_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// Lists are those of a naive loop, in whatever order records come and cells are
// merged.
func TestListsAreThoseOfANaiveLoop(t *testing.T) {
	const aggs = `any(v == 3), until(v == 3), counts(s), values(s, 4), tail(s, 3)`
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		events := make([]listed, 1+rng.IntN(40))
		for i := range events {
			events[i] = listed{int64(rng.IntN(20)), int64(i), rng.IntN(6), string(rune('a' + rng.IntN(7)))}
		}
		want := naiveLists(events)
		rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		plan := record.NewPlan()
		set, err := aggregate.Compile(aggs, plan)
		if err != nil {
			t.Fatal(err)
		}
		cells := set.NewCells()
		cells.Grow(3)
		b := listBatch(plan, events)
		set.Prepare(b)
		for i := range events {
			cells.Add(b, []int32{int32(i)}, []uint32{uint32(rng.IntN(3))})
		}
		cells.Merge(1, cells, 2)
		cells.Merge(1, cells, 0)
		if got := string(set.AppendFields(nil, aggregate.Row{Cells: cells, Group: 1})); got != want {
			t.Errorf("seed %d: got\n%s\nwant\n%s", seed, got, want)
		}
	}
}

type listed struct {
	at, offset int64
	v          int
	s          string
}

func listBatch(plan *record.Plan, events []listed) *record.Batch {
	b := &record.Batch{Origin: &record.Origin{Source: "x"}}
	for _, e := range events {
		rec := b.Add(nil)
		rec.Time, rec.Offset = e.at*1e6, e.offset
	}
	for i, e := range events {
		b.Col(plan.Column("v"))[i] = b.AppendNumber(float64(e.v))
		b.Col(plan.Column("s"))[i] = b.AppendText([]byte(e.s))
	}
	return b
}

func naiveLists(events []listed) string {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b listed) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.offset, b.offset)) })
	until, counts := "null", map[string]int{}
	var values, all, tally []string
	for _, e := range events {
		if e.v == 3 && until == "null" {
			until = fmt.Sprint(e.at)
		}
		counts[e.s]++
		quoted := `"` + e.s + `"`
		if !slices.Contains(values, quoted) {
			values = append(values, quoted)
		}
		all = append(all, quoted)
	}
	for s, n := range counts {
		tally = append(tally, fmt.Sprintf(`"%s":%d`, s, n))
	}
	slices.Sort(tally)
	return fmt.Sprintf(`,"any_v_3":%v,"until_v_3":%s,"counts_s":{%s},"values_s":[%s],"tail_s":[%s]`, until != "null", until,
		strings.Join(tally, ","), strings.Join(values[:min(4, len(values))], ","), strings.Join(all[max(0, len(all)-3):], ","))
}

// What is captured and replayed adds what the record itself adds.
func TestCaptureAndReplay(t *testing.T) {
	h := newHarness(t)
	b := h.batch(rand.New(rand.NewPCG(1, 9)), 200)
	b.Recs[7].Time = b.Recs[8].Time
	direct, replayed := h.set.NewCells(), h.set.NewCells()
	direct.Grow(1)
	replayed.Grow(1)
	again := &record.Batch{Origin: b.Origin}
	for _, rec := range b.Recs {
		again.Recs = append(again.Recs, record.Rec{Time: rec.Time, Offset: rec.Offset})
	}
	rows, groups := make([]int32, len(b.Recs)), make([]uint32, len(b.Recs))
	for i := range b.Recs {
		rows[i] = int32(i)
		captured := h.set.Capture(nil, b, i)
		if err := h.set.Replay(again, i, captured); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range [][]byte{captured[:len(captured)-1], append(captured, 0)} {
			if h.set.Replay(&record.Batch{Recs: make([]record.Rec, 1)}, 0, wrong) == nil {
				t.Fatalf("%q is taken", wrong)
			}
		}
	}
	direct.Add(b, rows, groups)
	replayed.Add(again, rows, groups)
	row := aggregate.Row{Cells: direct, Length: time.Minute}
	want := string(h.set.AppendFields(nil, row))
	row.Cells = replayed
	if got := string(h.set.AppendFields(nil, row)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
