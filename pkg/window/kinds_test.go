package window_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones do not depend on the machine

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// A row of the naive programs below: bounds, key, count and sum.
type plainRow struct {
	start, end int64
	key        string
	count      int
	sum        float64
}

func plainRows(t *testing.T, rows []string) (all []plainRow) {
	t.Helper()
	for _, m := range proof.Parsed(t, rows) {
		all = append(all, plainRow{
			proof.At(m["window_start"].(string)), proof.At(m["window_end"].(string)), fmt.Sprint(m["k"]), int(m["count"].(float64)),
			m["sum_v"].(float64),
		})
	}
	return all
}

// clumps are events of a few keys, in whole milliseconds: bursts with pauses, and
// many at the same moment.
func clumps(r *rand.Rand, n int) []event {
	at, events := start, make([]event, n)
	for i := range events {
		if r.IntN(3) > 0 {
			at += int64(r.IntN(8)) * int64(time.Second) / 2
		}
		back := int64(r.IntN(4)) * int64(time.Second)
		events[i] = event{
			At: at - back, Offset: int64(i),
			Fields: map[string]any{"k": fmt.Sprint("k", r.IntN(3)*r.IntN(3)), "v": float64(r.IntN(1000)) / 10},
		}
	}
	return events
}

// naiveRow adds up the events of a key from start to end, both included, or
// without the first of them.
func addUp(events []event, key string, start, end int64, open bool) plainRow {
	row := plainRow{start: start, end: end, key: key}
	for _, e := range events {
		if e.Fields["k"] == key && (e.At > start || e.At == start && !open) && e.At <= end {
			row.count++
			row.sum += e.Fields["v"].(float64)
		}
	}
	return row
}

func inOrder(rows []plainRow) []plainRow {
	slices.SortFunc(rows, func(a, b plainRow) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key))
	})
	return rows
}

// naiveSessions sorts the events of each key and cuts where a gap is too long.
func naiveSessions(events []event, gap int64) (rows []plainRow) {
	times := map[string][]int64{}
	for _, e := range events {
		k := e.Fields["k"].(string)
		times[k] = append(times[k], e.At)
	}
	for k, ts := range times {
		slices.Sort(ts)
		from := ts[0]
		for i, t := range ts {
			if i == len(ts)-1 || ts[i+1]-t > gap {
				rows = append(rows, addUp(events, k, from, t, false))
				if i < len(ts)-1 {
					from = ts[i+1]
				}
			}
		}
	}
	return inOrder(rows)
}

// naiveSliding adds up what came before each event.
func naiveSliding(events []event, size int64) (rows []plainRow) {
	seen := map[string]bool{}
	for _, e := range events {
		k := e.Fields["k"].(string)
		if id := fmt.Sprint(k, e.At); !seen[id] {
			seen[id] = true
			rows = append(rows, addUp(events, k, e.At-size, e.At, true))
		}
	}
	return inOrder(rows)
}

var nearly = gocmp.Comparer(func(a, b plainRow) bool {
	return a.start == b.start && a.end == b.end && a.key == b.key && a.count == b.count && a.sum-b.sum < 1e-6 && b.sum-a.sum < 1e-6
})

// Sessions and sliding windows are those of a naive program, in whatever order the
// records come, as far as the grace allows, and however they are cut into batches.
func TestKindsAreThoseOfANaiveProgram(t *testing.T) {
	t.Parallel()
	for seed := range uint64(proof.Some(8)) {
		r := rand.New(rand.NewPCG(seed, 3))
		events := clumps(r, 250)
		for _, d := range []time.Duration{time.Second, 3 * time.Second, 10 * time.Second} {
			for name, c := range map[string]struct {
				cfg  window.Config
				want []plainRow
			}{
				"sessions": {window.Config{Gap: d}, naiveSessions(events, int64(d))},
				"sliding":  {window.Config{Sizes: sizes(d), Slide: true}, naiveSliding(events, int64(d))},
			} {
				c.cfg.By, c.cfg.Aggs = []string{"k"}, "count(), sum(v)"
				for _, grace := range []time.Duration{-1, 3 * time.Second, time.Hour} {
					for _, size := range []int{1, 7, 400} {
						c.cfg.Grace, c.cfg.GraceUnlimited = max(grace, 0), grace < 0
						in := events
						if grace != 3*time.Second {
							in = shuffled(r, events)
						}
						dr := newDriver(t, c.cfg)
						got := plainRows(t, dr.Run(in, size))
						if late := dr.Op.Stats().Late; late > 0 {
							t.Fatalf("%s, grace %v: %d late", name, grace, late)
						}
						if diff := gocmp.Diff(c.want, got, nearly, gocmp.AllowUnexported(plainRow{})); diff != "" {
							t.Fatalf("seed %d, %s of %v, grace %v, batches of %d:\n%s", seed, name, d, grace, size, diff)
						}
						if n := dr.Op.Open(); n != 0 {
							t.Fatalf("%s: %d are open after the end", name, n)
						}
					}
				}
			}
		}
	}
}

// Which records of sessions and sliding windows are late does not depend on
// batches.
func TestLatenessOfKindsDoesNotDependOnBatches(t *testing.T) {
	events := clumps(rand.New(rand.NewPCG(5, 5)), 1500)
	for i := range events {
		events[i].At -= int64(i%7) * int64(2*time.Second)
	}
	for name, cfg := range map[string]window.Config{
		"sessions": {Gap: time.Second, By: []string{"k"}},
		"sliding":  {Sizes: sizes(5 * time.Second), Slide: true, By: []string{"k"}, Grace: time.Second},
	} {
		want := ""
		for _, size := range []int{1, 3, 100, 1500} {
			d := newDriver(t, cfg)
			got := fmt.Sprintf("%s\n%s\n%+v", lines(d.Run(events, size)), lines(d.Out.Late), d.Op.Stats())
			if want == "" {
				want = got
				if s := d.Op.Stats(); s.Late == 0 || s.GraceNeeded == 0 {
					t.Fatalf("%s: nothing to see: %+v", name, s)
				}
				kept := cfg
				kept.Grace = d.Op.Stats().GraceNeeded
				if s := newDriver(t, kept); s.Run(events, 100) == nil || s.Op.Stats().Late > 0 {
					t.Errorf("%s: a grace of %v does not keep all: %+v", name, kept.Grace, s.Op.Stats())
				}
			}
			if got != want {
				t.Errorf("%s: batches of %d give other rows or late records", name, size)
			}
		}
	}
}

func TestEventsExactlyAGapApartAreOneSession(t *testing.T) {
	second := int64(time.Second)
	for gap, want := range map[time.Duration]int{10 * time.Second: 1, 10*time.Second - 1: 2} {
		d := newDriver(t, window.Config{Gap: gap})
		rows := proof.Parsed(t, d.Run([]event{{At: start}, {At: start + 10*second}}, 1))
		if len(rows) != want {
			t.Errorf("gap %v: %d sessions, want %d", gap, len(rows), want)
		}
		if last := rows[len(rows)-1]; proof.At(last["window_end"].(string)) != start+10*second {
			t.Errorf("gap %v: the session ends at %v, want its last event", gap, last["window_end"])
		}
	}
	d := newDriver(t, window.Config{Gap: 10 * time.Second, Grace: time.Minute})
	one := proof.Parsed(t, d.Run([]event{{At: start}, {At: start + 20*second}, {At: start + 10*second}}, 1))
	if len(one) != 1 || one[0]["count"] != 3.0 {
		t.Errorf("an event between two sessions does not join them: %v", one)
	}
}

// Several sizes at once are what each of them is alone, in one order.
func TestSeveralSizesAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	events := randomEvents(r, proof.Some(1500))
	for _, hop := range []time.Duration{0, 5 * time.Second, 10 * time.Second} {
		cfg := window.Config{Hop: fixed(hop), By: []string{"service"}, Aggs: everyAggregate, Grace: 10 * time.Second}
		var alone []string
		for _, size := range []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute} {
			one := cfg
			one.Sizes = sizes(size)
			alone = append(alone, newDriver(t, one).Run(events, 70)...)
		}
		cfg.Sizes = sizes(10*time.Second, 30*time.Second, 2*time.Minute)
		d := newDriver(t, cfg)
		together := slices.Clone(d.Run(events, 70))
		order := func(row string) string { return row[len(`{"window_start":"2026-11-24T10:00:00.000Z",`):] + row }
		if !slices.IsSortedFunc(d.Out.Recs, func(a, b record.Rec) int { return cmp.Compare(a.Time, b.Time) }) {
			t.Errorf("hop %v: rows are not in the order of their windows' ends", hop)
		}
		for _, rows := range [][]string{alone, together} {
			slices.SortFunc(rows, func(a, b string) int { return cmp.Compare(order(a), order(b)) })
		}
		if lines(alone) != lines(together) {
			t.Errorf("hop %v: rows differ from those of each size alone", hop)
		}
	}
}

// A 10 s hop gives 6, 30 and 90 windows of 1, 5 and 15 minutes, and a series that
// rises gives three different averages.
func TestThreeSizesOfOneSeries(t *testing.T) {
	cfg := window.Config{
		Sizes: sizes(time.Minute, 5*time.Minute, 15*time.Minute), Hop: fixed(10 * time.Second), Aggs: "count(), avg(v)",
	}
	lengths := map[time.Duration]int{}
	for _, row := range rowsOf(t, cfg, []event{{At: start, Fields: map[string]any{"v": 1}}}) {
		lengths[time.Duration(proof.At(row["window_end"].(string))-proof.At(row["window_start"].(string)))]++
	}
	if want := map[time.Duration]int{time.Minute: 6, 5 * time.Minute: 30, 15 * time.Minute: 90}; !gocmp.Equal(lengths, want) {
		t.Errorf("windows %v, want %v", lengths, want)
	}
	var events []event
	for i := range 15 * 60 {
		events = append(events, event{At: start + int64(i)*int64(time.Second), Fields: map[string]any{"v": i}})
	}
	var averages []any
	for _, row := range rowsOf(t, cfg, events) {
		if row["window_end"] == "2026-11-24T10:15:00.000Z" {
			averages = append(averages, row["avg_v"])
		}
	}
	if want := []any{449.5, 749.5, 869.5}; !gocmp.Equal(averages, want) {
		t.Errorf("averages %v, want %v", averages, want)
	}
}

func TestDaysOfTheCalendar(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	first := proof.At("2026-03-27T23:00:00Z") // Paris midnight, two days before clocks go forward
	for h := range 24 * 4 {
		events = append(events, event{At: first + int64(h)*int64(time.Hour)})
	}
	plan := record.NewPlan()
	plan.Zone = paris
	op, err := window.New(window.Config{Sizes: []window.Size{{Days: 1, Zone: paris}}, Aggs: "count(), rate()"}, plan)
	if err != nil {
		t.Fatal(err)
	}
	d := proof.NewDriver(t, op, plan)
	var got []string
	for _, row := range proof.Parsed(t, d.Run(events, 10)) {
		got = append(got, fmt.Sprint(row["window_start"], " ", row["count"]))
	}
	want := []string{
		"2026-03-28T00:00:00.000+01:00 24", "2026-03-29T00:00:00.000+01:00 23", "2026-03-30T00:00:00.000+02:00 24",
		"2026-03-31T00:00:00.000+02:00 24", "2026-04-01T00:00:00.000+02:00 1",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// By the clock, windows close when their time is over, nothing is late, and what
// was read before is in the window of its time.
func TestWindowsOfArrival(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Second), Arrival: true})
	arrive := func(at int64) {
		b := proof.Batch(d.Plan, proof.File, []event{{At: 1}})
		b.Arrived = at
		d.Op.Prepare(b)
		d.Must(d.Op.Process(b.All(), &d.Out))
	}
	arrive(start)
	arrive(start + int64(time.Second) - 1)
	d.Must(d.Op.Tick(start, start+int64(time.Second)-1, &d.Out))
	if len(d.Out.Rows) != 0 {
		t.Fatalf("rows before the window's end: %v", d.Out.Rows)
	}
	d.Must(d.Op.Tick(start, start+int64(time.Second), &d.Out))
	if len(d.Out.Rows) != 1 {
		t.Fatalf("rows %v, want one", d.Out.Rows)
	}
	arrive(start + 5) // it was read before the tick, but processed after it
	d.Must(d.Op.Finish(&d.Out))
	if s := d.Op.Stats(); s.Late != 0 || len(d.Out.Rows) != 2 {
		t.Errorf("rows %v, stats %+v: nothing is late by the clock", d.Out.Rows, s)
	}
}

// Updates of sessions and of sliding windows: who keeps the last row of each has
// the final ones.
func TestUpdatesEndInWhatIsFinal(t *testing.T) {
	events := clumps(rand.New(rand.NewPCG(11, 11)), 300)
	for name, cfg := range map[string]window.Config{
		"sessions": {Gap: 3 * time.Second}, "sliding": {Sizes: sizes(5 * time.Second), Slide: true},
		"hopping": {Sizes: sizes(time.Minute), Hop: fixed(5 * time.Second)}, "tumbling": {Sizes: sizes(10 * time.Second)},
		"several": {Sizes: sizes(20*time.Second, time.Minute), Hop: fixed(2 * time.Second)},
	} {
		cfg.By, cfg.Aggs, cfg.Grace = []string{"k"}, "count(), sum(v)", 4*time.Second
		want := plainRows(t, newDriver(t, cfg).Run(events, 50))
		for emit, size := range map[window.Emit]int{window.Update: 9, window.Both: 30} {
			cfg.Emit = emit
			d := newDriver(t, cfg)
			updates, last := 0, map[string]plainRow{}
			for i, row := range plainRows(t, d.Run(events, size)) {
				id := fmt.Sprint(row.start, " ", row.end, " ", row.key)
				last[id] = row
				if proof.Parsed(t, d.Out.Rows[i:i+1])[0]["final"] == false {
					updates++
				}
			}
			if updates == 0 {
				t.Errorf("%s: no updates", name)
			}
			for _, row := range want {
				id := fmt.Sprint(row.start, " ", row.end, " ", row.key)
				if !nearlyEqual(last[id], row) {
					t.Errorf("%s: the last update is %+v, the final row %+v", name, last[id], row)
				}
			}
		}
	}
}

func nearlyEqual(a, b plainRow) bool { return gocmp.Equal(a, b, nearly) }
