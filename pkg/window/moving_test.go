package window_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
	"github.com/logctl/logctl/pkg/window"
)

// spread gives events values of all sizes and signs, or none.
func spread(r *rand.Rand, events []event) []event {
	for i := range events {
		events[i].Fields["v"] = []any{
			math.Exp(r.NormFloat64()*0.9 + 3), float64(r.IntN(2000)), r.NormFloat64() * 100, 0.0, nil,
			math.Ldexp(r.Float64()-0.5, r.IntN(400)-200),
		}[min(r.IntN(8), 5)]
	}
	return events
}

// naiveQuantiles are the last fields of the rows of sliding windows, from the values
// of each.
func naiveQuantiles(events []event, size int64) (rows []string) {
	for _, w := range naiveSliding(withNumbers(events), size) {
		var q sketch.Quantiles
		for _, e := range events {
			if v, ok := e.Fields["v"].(float64); ok && e.Fields["k"] == w.key && e.At > w.start && e.At <= w.end {
				q.Add(v)
			}
		}
		row := fmt.Sprintf("%d %s %d", w.end, w.key, w.count)
		for _, p := range []float64{0.01, 0.5, 0.99} {
			if q.Count() == 0 {
				row += " null"
				continue
			}
			row += " " + string(record.AppendNumber(nil, q.Quantile(p)))
		}
		rows = append(rows, row)
	}
	return rows
}

// withNumbers has zeros where events have no number.
func withNumbers(events []event) []event {
	all := slices.Clone(events)
	for i := range all {
		all[i].Fields = map[string]any{"k": events[i].Fields["k"], "v": 0.0}
	}
	return all
}

// Quantiles of sliding windows, which are not computed anew for each, are those of
// the values in it, bit for bit: for any order, and where the run is interrupted.
func TestQuantilesOfSlidingWindows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(proof.Some(8)) {
		r := rand.New(rand.NewPCG(seed, 51))
		events := spread(r, clumps(r, 600))
		for _, d := range []time.Duration{time.Second, 20 * time.Second, 5 * time.Minute} {
			cfg := window.Config{
				Sizes: sizes(d), Slide: true, By: []string{"k"}, Grace: 3 * time.Second,
				Aggs: "count(), a=p1(v), b=p50(v), c=p99(v)",
			}
			var got []string
			for _, row := range proof.Parsed(t, interrupted(t, r, cfg, events)) {
				line := fmt.Sprintf("%d %v %v", proof.At(row["window_end"].(string)), row["k"], row["count"])
				for _, name := range []string{"a", "b", "c"} {
					if v, ok := row[name].(float64); ok {
						line += " " + string(record.AppendNumber(nil, v))
					} else {
						line += " null"
					}
				}
				got = append(got, line)
			}
			if want := naiveQuantiles(events, int64(d)); lines(got) != lines(want) {
				for i := range want {
					if i >= len(got) || got[i] != want[i] {
						t.Fatalf("seed %d, windows of %v: row %d is\n%s\nwant\n%s", seed, d, i, slices.Concat(got, []string{"none"})[min(i, len(got))], want[i])
					}
				}
				t.Fatalf("seed %d, windows of %v: %d rows, want %d", seed, d, len(got), len(want))
			}
		}
	}
}

// interrupted runs events in operators that go on from the state of each other.
func interrupted(t *testing.T, r *rand.Rand, cfg window.Config, events []event) (rows []string) {
	t.Helper()
	d, kept := newDriver(t, cfg), vault{}
	for chunk := range slices.Chunk(events, 25) {
		d.Feed(chunk)
		if r.IntN(4) > 0 {
			continue
		}
		kept.save(t, d.Op, false)
		again := newDriver(t, cfg)
		kept.restore(t, r, again.Op)
		rows = append(rows, d.Out.Rows...)
		again.Mark, d = d.Mark, again
	}
	d.Must(d.Op.Finish(&d.Out))
	return append(rows, d.Out.Rows...)
}
