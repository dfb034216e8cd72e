package window_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// everything asks for all rows.
var everything = window.Query{From: math.MinInt64, To: math.MaxInt64, Open: true, Closed: true, Limit: 1 << 20}

func ask(t *testing.T, op *window.Op, q window.Query) (rows []map[string]any) {
	t.Helper()
	found, err := op.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		var m map[string]any
		if err := json.Unmarshal(f.Row, &m); err != nil {
			t.Fatalf("%s: %v", f.Row, err)
		}
		rows = append(rows, m)
	}
	return rows
}

// Queries show, at any moment, the rows that were written and those that would be
// written if the input ended now.
func TestQueriesShowWhatIsAndWhatWas(t *testing.T) {
	for name, cfg := range stateConfigs() {
		if cfg.Fill != window.FillNone || cfg.Emit != window.Final || len(cfg.By) == 0 {
			continue
		}
		cfg.Trend = nil // of open windows it is against those that were written, and not yet against open ones
		cfg.Aggs, cfg.Retention = "count(), sum(latency), topk(user, 2)", time.Hour
		events := randomEvents(rand.New(rand.NewPCG(5, 6)), 700)
		d := newDriver(t, cfg)
		d.Feed(events[:500])
		rows := ask(t, d.Op, everything)
		again := newDriver(t, cfg)
		again.Feed(events[:500])
		closed := len(again.Out.Rows)
		again.Must(again.Op.Finish(&again.Out))
		want := proof.Parsed(t, again.Out.Rows)
		for i, row := range want {
			row["final"] = i < closed
		}
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(rows)); diff != "" && !sameSet(want, rows) {
			t.Fatalf("%s: a query shows other rows:\n%s", name, diff)
		}
		kept := vault{}
		kept.save(t, d.Op, false)
		restored := newDriver(t, cfg)
		kept.restore(t, rand.New(rand.NewPCG(1, 1)), restored.Op)
		sameState(t, kept, restored.Op)
		if !sameSet(rows, ask(t, restored.Op, everything)) {
			t.Errorf("%s: after it was restored a query shows other rows", name)
		}
		checkKeys(t, d.Op, rows, cfg.By)
		restored = newDriver(t, cfg)
		kept.restore(t, rand.New(rand.NewPCG(2, 2)), restored.Op)
		restored.Mark = d.Mark
		for _, goesOn := range []*driver{d, restored} {
			goesOn.Feed(events[500:])
		}
		kept.save(t, restored.Op, false)
		sameState(t, kept, restored.Op)
		if !sameSet(ask(t, d.Op, everything), ask(t, restored.Op, everything)) {
			t.Errorf("%s: a run that went on shows other rows", name)
		}
	}
}

// checkKeys asks for each key by itself.
func checkKeys(t *testing.T, op *window.Op, rows []map[string]any, by []string) {
	t.Helper()
	byKey := map[string][]map[string]any{}
	for _, row := range rows {
		var parts []string
		for _, k := range by {
			part := fmt.Sprint(row[k])
			if row[k] == nil {
				part = "null"
			}
			parts = append(parts, part)
		}
		key := strings.Join(parts, ",")
		byKey[key] = append(byKey[key], row)
	}
	for key, want := range byKey {
		if key == "7" || strings.Contains(key, "7,") { // 7 and 7.0 are written alike by this test
			continue
		}
		q := everything
		q.Key = &key
		if got := ask(t, op, q); !sameSet(want, got) {
			t.Errorf("key %q: %d rows, want %d:\n%v\n%v", key, len(got), len(want), got, want)
		}
	}
}

// With a limit the last rows of all are found, open ones and closed ones.
func TestQueriesFindTheLast(t *testing.T) {
	t.Parallel()
	for name, cfg := range stateConfigs() {
		if cfg.Fill != window.FillNone || cfg.Emit != window.Final || len(cfg.By) == 0 {
			continue
		}
		cfg.Aggs, cfg.Retention = "count()", time.Hour
		d := newDriver(t, cfg)
		d.Feed(randomEvents(rand.New(rand.NewPCG(7, 8)), proof.Some(600)))
		all, err := d.Op.Query(everything)
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 2, 7, len(all) / 2, len(all)} {
			q := everything
			q.Limit = limit
			some, err := d.Op.Query(q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(all[len(all)-min(limit, len(all)):], some); diff != "" {
				t.Errorf("%s: with limit %d: %s", name, limit, diff)
			}
		}
	}
}

func sameSet(a, b []map[string]any) bool {
	count := map[string]int{}
	for _, row := range a {
		count[fmt.Sprint(row)]++
	}
	for _, row := range b {
		count[fmt.Sprint(row)]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestQueriesAreBounded(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Second), By: []string{"k"}, Retention: 10 * time.Minute, KeptBytes: 200_000})
	second := int64(time.Second)
	for i := range int64(20_000) {
		d.Feed([]event{{At: start + i*second, Fields: map[string]any{"k": "a"}}})
	}
	all := ask(t, d.Op, everything)
	first := proof.At(all[0]["window_start"].(string))
	if n := len(all); n < 500 || n > 1500 {
		t.Errorf("%d rows are kept, want those of ten minutes and somewhat more", n)
	}
	q := everything
	q.From, q.To, q.Limit = start+19_900*second, start+19_950*second, 10
	part := ask(t, d.Op, q)
	if len(part) != 10 || part[9]["window_start"] != "2026-11-24T15:32:29.000Z" {
		t.Errorf("rows %v, want the last ten before the end of the stretch", part)
	}
	if first < start+18_000*second {
		t.Errorf("the first row is of %v", time.Unix(0, first).UTC())
	}
}

// TestRowsThatCloseAtOnceAreBounded: no more of them are kept than at any other time.
func TestRowsThatCloseAtOnceAreBounded(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Second), By: []string{"k"}, Retention: 10 * time.Minute, KeptBytes: 200_000})
	events := make([]event, 10_000)
	for i := range events {
		events[i] = event{At: start, Fields: map[string]any{"k": fmt.Sprint("user-", i)}}
	}
	d.Feed(events)
	if err := d.Op.Finish(new(discard)); err != nil {
		t.Fatal(err)
	}
	if n := len(ask(t, d.Op, everything)); n < 500 || n > 3_000 {
		t.Errorf("%d rows are kept, want as many as go into 200 kB and a block", n)
	}
}

// BenchmarkQuery measures a query for one key with 300,000 open windows, and as many
// closed ones.
func BenchmarkQuery(b *testing.B) {
	plan := record.NewPlan()
	op, err := window.New(window.Config{
		Sizes: sizes(time.Minute), By: []string{"k"}, Aggs: "count(), sum(v), avg(v)", Retention: time.Hour,
	}, plan)
	if err != nil {
		b.Fatal(err)
	}
	var out discard
	for minute := range int64(2) {
		for lo := 0; lo < 300_000; lo += 50_000 {
			events := make([]event, 50_000)
			for i := range events {
				events[i] = event{At: start + minute*int64(time.Minute), Fields: map[string]any{"k": fmt.Sprint("user-", lo+i), "v": 5}}
			}
			batch := proof.Batch(plan, proof.File, events)
			op.Prepare(batch)
			if err := op.Process(batch.All(), &out); err != nil {
				b.Fatal(err)
			}
		}
		if err := op.Tick(start+minute*int64(time.Minute), 0, &out); err != nil {
			b.Fatal(err)
		}
	}
	key := "user-1234"
	q := window.Query{Key: &key, From: math.MinInt64, To: math.MaxInt64, Open: true, Closed: true, Limit: 1000}
	for b.Loop() {
		if found, err := op.Query(q); err != nil || len(found) != 2 {
			b.Fatal(len(found), err)
		}
	}
}
