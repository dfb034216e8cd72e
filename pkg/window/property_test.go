package window_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
	"github.com/logctl/logctl/pkg/window"
)

const everyAggregate = `count(), errors=count(status >= 500), sum(latency), avg(latency), min(latency), max(latency),
	stddev(latency), variance(latency), rate(), ratio(status >= 500), distinct(user), p50(latency), p99(latency),
	quantile(latency, 0.9), topk(user, 3), mode(user), first(user), last(user), double=sum(latency * 2),
	collect(user, 3), delta(latency), ewma(latency, 20s), histogram(latency), tail(user, 2), values(user, 4)`

func shuffled(r *rand.Rand, events []event) []event {
	s := slices.Clone(events)
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

func TestRowsDoNotDependOnOrderOrBatches(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	events := randomEvents(r, proof.Some(3000))
	for _, cfg := range []window.Config{
		{Sizes: sizes(30 * time.Second), By: []string{"service"}, GraceUnlimited: true},
		{Sizes: sizes(time.Minute), Hop: fixed(20 * time.Second), By: []string{"service", "status"}, GraceUnlimited: true},
		{Sizes: sizes(25 * time.Second), Hop: fixed(10 * time.Second), GraceUnlimited: true},
		{Sizes: sizes(20 * time.Second), By: []string{"service"}, Grace: time.Hour},
	} {
		cfg.Aggs = everyAggregate
		want := lines(newDriver(t, cfg).Run(events, len(events)))
		for _, size := range []int{1, 7, 500} {
			if got := lines(newDriver(t, cfg).Run(events, size)); got != want {
				t.Fatalf("%+v: batches of %d give other rows", cfg, size)
			}
			if got := lines(newDriver(t, cfg).Run(shuffled(r, events), size)); got != want {
				t.Fatalf("%+v: another order gives other rows:\n%s\nbefore:\n%s", cfg, got, want)
			}
		}
	}
}

// Events are out of order by less than ten seconds: with that grace the rows
// are those of a run that waits for the end.
func TestGraceKeepsWhatIsLateByLess(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(3, 3)), 3000)
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.Offset, b.Offset) })
	for _, hop := range []time.Duration{0, 5 * time.Second} {
		cfg := window.Config{
			Sizes: sizes(10 * time.Second), Hop: fixed(hop), By: []string{"service"}, Aggs: everyAggregate, Grace: 10 * time.Second,
		}
		whole := cfg
		whole.GraceUnlimited = true
		want := newDriver(t, whole).Run(events, 100)
		d := newDriver(t, cfg)
		if got := d.Run(events, 100); lines(got) != lines(want) {
			t.Errorf("hop %v: rows differ", hop)
		}
		if s := d.Op.Stats(); s.Late != 0 || s.GraceNeeded != 0 {
			t.Errorf("hop %v: %+v", hop, s)
		}
	}
}

// With too little grace, which records are late does not depend on batches.
func TestLatenessDoesNotDependOnBatches(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(4, 4)), 2000)
	for _, hop := range []time.Duration{0, 2 * time.Second} {
		cfg := window.Config{Sizes: sizes(4 * time.Second), Hop: fixed(hop), By: []string{"service"}, Grace: time.Second}
		var want string
		for k, size := range []int{1, 2, 13, 400, 2000} {
			d := newDriver(t, cfg)
			got := fmt.Sprintf("%s\n%s\n%+v", lines(d.Run(events, size)), lines(d.Out.Late), d.Op.Stats())
			if k == 0 {
				want = got
				if s := d.Op.Stats(); s.Late == 0 || s.Late == 2000 {
					t.Fatalf("nothing to see: %+v", s)
				}
			}
			if got != want {
				t.Errorf("hop %v: batches of %d give other rows or late records", hop, size)
			}
		}
	}
}

// naive computes the rows of windows from the definition: for each window the
// records in it, for each key the records with it.
func naive(events []event, size, hop int64) map[string]map[string]any {
	groups := map[string][]event{}
	for _, e := range events {
		for s := e.At - e.At%hop; s > e.At-size; s -= hop {
			id := time.Unix(0, s).UTC().Format("2006-01-02T15:04:05.000Z") + " " + keyText(e.Fields["service"])
			groups[id] = append(groups[id], e)
		}
	}
	rows := map[string]map[string]any{}
	for id, g := range groups {
		rows[id] = naiveRow(g, size)
	}
	return rows
}

func keyText(v any) string {
	if r, ok := v.(proof.Raw); ok {
		if r.Kind != record.Escaped {
			return r.Text
		}
		var s string
		if json.Unmarshal([]byte(`"`+r.Text+`"`), &s) != nil {
			panic(r.Text)
		}
		v = s
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func naiveRow(g []event, size int64) map[string]any {
	var lat []float64
	users := map[string]float64{}
	errors, sum, squares := 0.0, 0.0, 0.0
	slices.SortFunc(g, func(a, b event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Offset, b.Offset)) })
	for _, e := range g {
		if f, err := strconv.ParseFloat(fmt.Sprint(e.Fields["latency"]), 64); err == nil {
			lat = append(lat, f)
			sum += f
		}
		if f, err := strconv.ParseFloat(fmt.Sprint(e.Fields["status"]), 64); err == nil && f >= 500 {
			errors++
		}
		users[e.Fields["user"].(string)]++
	}
	n := float64(len(g))
	row := map[string]any{
		"count": n, "errors": errors, "rate": n / (float64(size) / 1e9), "ratio_status_500": errors / n,
		"distinct_user": float64(len(users)), "first_user": g[0].Fields["user"], "last_user": g[len(g)-1].Fields["user"],
		"mode_user": ranked(users)[0],
	}
	for _, name := range []string{"sum", "avg", "min", "max", "stddev", "variance", "p50", "p99"} {
		row[name+"_latency"] = nil
	}
	row["quantile_latency_0_9"], row["double"] = nil, nil
	if len(lat) == 0 {
		return row
	}
	slices.Sort(lat)
	m := float64(len(lat))
	row["sum_latency"], row["avg_latency"], row["double"] = sum, sum/m, 2*sum
	row["min_latency"], row["max_latency"] = lat[0], lat[len(lat)-1]
	for name, q := range map[string]float64{"p50_latency": 0.5, "p99_latency": 0.99, "quantile_latency_0_9": 0.9} {
		row[name] = lat[max(int(math.Ceil(q*m-1e-9)), 1)-1]
	}
	for _, f := range lat {
		squares += (f - sum/m) * (f - sum/m)
	}
	if m > 1 {
		row["variance_latency"], row["stddev_latency"] = squares/(m-1), math.Sqrt(squares/(m-1))
	}
	return row
}

func ranked(count map[string]float64) []string {
	var all []string
	for k := range count {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	return all
}

func TestRowsAreThoseOfANaiveLoop(t *testing.T) {
	for seed := range uint64(proof.Some(5)) {
		r := rand.New(rand.NewPCG(seed, 5))
		events := randomEvents(r, 1500)
		for i := range events {
			if s, ok := events[i].Fields["service"].(string); ok && strings.Contains(s, "\xff") {
				events[i].Fields["service"] = "plain"
			}
		}
		for _, c := range []struct{ size, hop time.Duration }{
			{time.Minute, time.Minute}, {time.Minute, 20 * time.Second}, {25 * time.Second, 10 * time.Second},
		} {
			cfg := window.Config{Sizes: sizes(c.size), Hop: fixed(c.hop), By: []string{"service"}, Aggs: everyAggregate, GraceUnlimited: true}
			d := newDriver(t, cfg)
			rows := proof.Parsed(t, d.Run(events, 200))
			want := naive(events, int64(c.size), int64(c.hop))
			if len(rows) != len(want) {
				t.Errorf("%v every %v: %d rows, want %d", c.size, c.hop, len(rows), len(want))
			}
			order := ""
			for i, row := range rows {
				id := row["window_start"].(string) + " " + d.Out.Keys[i]
				if id <= order {
					t.Errorf("row %s comes behind %s", id, order)
				}
				order = id
				compareRow(t, id, row, want[id])
			}
		}
	}
}

func compareRow(t *testing.T, id string, row, want map[string]any) {
	t.Helper()
	for name, w := range want {
		got := row[name]
		f, isNumber := w.(float64)
		g, ok := got.(float64)
		if !isNumber || !ok {
			if got != w {
				t.Errorf("%s: %s is %v, want %v", id, name, got, w)
			}
			continue
		}
		tolerance := 1e-12
		switch {
		case strings.HasPrefix(name, "p") || strings.HasPrefix(name, "quantile"):
			tolerance = sketch.MaxRelativeError
		case name == "sum_latency" || name == "avg_latency" || name == "double" ||
			name == "variance_latency" || name == "stddev_latency":
			tolerance = 1e-9 // the naive loop's, where terms cancel
		}
		if math.Abs(g-f) > tolerance*max(math.Abs(f), 1e-3) {
			t.Errorf("%s: %s is %v, want %v", id, name, g, f)
		}
	}
}

// Batches are prepared by several goroutines at a time.
func TestPreparingInParallelChangesNothing(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(6, 6)), 2000)
	cfg := window.Config{
		Sizes: sizes(20 * time.Second), By: []string{"service", "big=status >= 500"}, Aggs: everyAggregate, GraceUnlimited: true,
	}
	want := newDriver(t, cfg).Run(events, 100)
	d := newDriver(t, cfg)
	var batches []*record.Batch
	var all sync.WaitGroup
	for chunk := range slices.Chunk(events, 100) {
		b := proof.Batch(d.Plan, proof.File, chunk)
		batches = append(batches, b)
		all.Go(func() { d.Op.Prepare(b) })
	}
	all.Wait()
	for _, b := range batches {
		d.Must(d.Op.Process(b.All(), &d.Out))
	}
	d.Must(d.Op.Finish(&d.Out))
	if lines(d.Out.Rows) != lines(want) {
		t.Error("rows differ")
	}
}

func TestFirstAndLastOfEqualTimes(t *testing.T) {
	plan := record.NewPlan()
	op, err := window.New(window.Config{Sizes: sizes(time.Minute), Aggs: "first(v), last(v)"}, plan)
	if err != nil {
		t.Fatal(err)
	}
	var out proof.Output
	origins := []*record.Origin{
		{Source: "t", Partition: 1, Topic: true},
		{Source: "t", Partition: 0, Topic: true},
		{Source: "s", Partition: 9, Topic: true},
	}
	for k, o := range origins {
		for _, offset := range []int64{8, 5, 6} {
			b := proof.Batch(plan, o, []event{{At: start, Offset: offset, Fields: map[string]any{"v": fmt.Sprint(k, "@", offset)}}})
			op.Prepare(b)
			if err := op.Process(b.All(), &out); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := op.Finish(&out); err != nil {
		t.Fatal(err)
	}
	row := proof.Parsed(t, out.Rows)[0]
	if row["first_v"] != "2@5" || row["last_v"] != "0@8" {
		t.Errorf("row %v, want the first of source s, the last of t's partition 1", row)
	}
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	n := proof.Some(1_000_000)
	plan := record.NewPlan()
	op, err := window.New(window.Config{Sizes: sizes(time.Minute), By: []string{"k"}, Aggs: "count(), sum(v), avg(v)"}, plan)
	if err != nil {
		t.Fatal(err)
	}
	var out proof.Output
	for lo := 0; lo < n; lo += 10_000 {
		b := keysBatch(plan, lo, lo+10_000)
		op.Prepare(b)
		if err := op.Process(b.All(), &out); err != nil {
			t.Fatal(err)
		}
	}
	if err := op.Tick(start+1, 0, &out); err != nil {
		t.Fatal(err)
	}
	if s := op.Stats(); s.Groups != int64(n) || s.Open != 1 {
		t.Errorf("stats %+v, want %d groups", s, n)
	}
	if err := op.Finish(&out); err != nil || len(out.Rows) != n {
		t.Fatalf("%d rows, error %v", len(out.Rows), err)
	}
}

// keysBatch has a record for each of the keys from lo to hi, with a number v.
func keysBatch(plan *record.Plan, lo, hi int) *record.Batch {
	b := &record.Batch{Origin: proof.File}
	for i := lo; i < hi; i++ {
		b.Add(nil).Time = start
	}
	for k, f := range plan.Fields {
		col := b.Col(k)
		for i := range col {
			if f.Path == "k" {
				col[i] = b.AppendText(fmt.Appendf(nil, "key-%d", lo+i))
			} else {
				col[i] = b.AppendNumber(float64((lo + i) % 10))
			}
		}
	}
	return b
}
