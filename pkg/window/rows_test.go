package window_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

// Rows that do not meet the condition are as if they had not been written.
func TestHaving(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(1, 4)), 1000)
	cfg := window.Config{Sizes: sizes(10 * time.Second), By: []string{"service"}, Aggs: "n=count(), avg(latency), topk(user, 2)"}
	for cond, holds := range map[string]func(row map[string]any) bool{
		"n > 3": func(row map[string]any) bool { return row["n"].(float64) > 3 },
		`service == "api" or avg_latency < 10`: func(row map[string]any) bool {
			avg, ok := row["avg_latency"].(float64)
			return row["service"] == "api" || ok && avg < 10
		},
		`time(window_start) >= time("2026-11-24T10:02:00Z")`: func(row map[string]any) bool {
			return row["window_start"].(string) >= "2026-11-24T10:02"
		},
	} {
		var want []string
		d := newDriver(t, cfg)
		for i, row := range proof.Parsed(t, d.Run(events, 50)) {
			if holds(row) {
				want = append(want, d.Out.Rows[i])
			}
		}
		having := cfg
		having.Having = cond
		h := newDriver(t, having)
		var got []string
		for i, row := range h.Run(events, 50) {
			if h.Out.Recs[i].Live() {
				got = append(got, row)
				if end := proof.Parsed(t, []string{row})[0]["window_end"].(string); h.Out.Recs[i].Time != proof.At(end) {
					t.Errorf("having %s: the time of a row is not its window's end", cond)
				}
			}
		}
		if lines(got) != lines(want) || h.Op.Stats().Rows != int64(len(want)) {
			t.Errorf("having %s: %d rows (%d counted), want %d", cond, len(got), h.Op.Stats().Rows, len(want))
		}
	}
	_, err := window.New(window.Config{Sizes: sizes(time.Second), Having: "cuont > 3"}, record.NewPlan())
	if err == nil || !strings.Contains(err.Error(), `no field "cuont"`) || !strings.Contains(fault.HintOf(err), "count") {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

// Filled windows: for each key a row of every window from its first on, up to a
// thousand empty ones, and up to the last window that has records.
func TestFill(t *testing.T) {
	second := int64(time.Second)
	events := []event{
		{At: start, Fields: map[string]any{"k": "a", "v": 1}},
		{At: start + 2*second, Fields: map[string]any{"k": "b", "v": 2}},
		{At: start + 3*second, Fields: map[string]any{"k": "a", "v": 3}},
		{At: start + 2000*second, Fields: map[string]any{"k": "b", "v": 4}},
	}
	for _, grace := range []time.Duration{-1, 0, time.Minute} {
		d := newDriver(t, window.Config{
			Sizes: sizes(time.Second), By: []string{"k"}, Aggs: "count(), max(v), collect(v, 2), last(v)",
			Fill: window.FillZero, Grace: max(grace, 0), GraceUnlimited: grace < 0,
		})
		rows := d.Run(events, 1)
		counts := map[string]int{}
		for _, row := range proof.Parsed(t, rows) {
			counts[fmt.Sprint(row["k"], " ", row["count"], " ", row["max_v"], " ", row["collect_v"], " ", row["last_v"])]++
		}
		want := map[string]int{
			"a 1 1 [1] 1": 1, "a 1 3 [3] 3": 1, "b 1 2 [2] 2": 1, "b 1 4 [4] 4": 1,
			"a 0 0 [] <nil>": 2 + 1000, "b 0 0 [] <nil>": 1000,
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("grace %v:\n%s", grace, diff)
		}
		ends := ""
		for _, row := range proof.Parsed(t, rows) {
			if order := fmt.Sprint(row["window_end"], row["k"]); order <= ends {
				t.Fatalf("row %v comes behind %s", row, ends)
			} else {
				ends = order
			}
		}
	}
	null := rowsOf(t, window.Config{Sizes: sizes(time.Second), Fill: window.FillNull}, events[:2])
	if len(null) != 3 || null[1]["count"] != nil {
		t.Errorf("rows %v, want one with null in between", null)
	}
}

// What is filled does not depend on batches, nor on when windows close.
func TestFillDoesNotDependOnBatches(t *testing.T) {
	events := clumps(rand.New(rand.NewPCG(2, 9)), 200)
	cfg := window.Config{
		Sizes: sizes(time.Second, 7*time.Second), By: []string{"k"}, Aggs: "count(), sum(v)", Fill: window.FillZero,
		Trend: []string{"previous", "day"}, Grace: 3 * time.Second,
	}
	want := lines(newDriver(t, cfg).Run(events, 200))
	for _, size := range []int{1, 13} {
		for _, grace := range []time.Duration{3 * time.Second, time.Hour} {
			cfg.Grace = grace
			if got := lines(newDriver(t, cfg).Run(events, size)); got != want {
				t.Errorf("batches of %d, grace %v: rows differ", size, grace)
			}
		}
	}
}

func TestTrend(t *testing.T) {
	hour, count := int64(time.Hour), 0
	var events []event
	for h := range int64(9 * 24) { // day d has d+1 events every hour, half as many on odd hours
		for i := range h/24 + 1 {
			if h%2 == 1 && i%2 == 1 {
				continue
			}
			count++
			events = append(events, event{At: start + h*hour + i, Fields: map[string]any{"v": 2, "s": "x"}})
		}
	}
	cfg := window.Config{
		Sizes: sizes(time.Hour), Aggs: "count(), avg(v), last(s)", Trend: []string{"previous", "day", "week"},
		Grace: time.Hour,
	}
	d := newDriver(t, cfg)
	rows := proof.Parsed(t, d.Run(events, 100))
	for i, row := range rows {
		n := row["count"].(float64)
		for name, back := range map[string]int{"previous": 1, "day": 24, "week": 7 * 24} {
			var want any
			if i >= back {
				before := rows[i-back]["count"].(float64)
				want = (n - before) / before
			}
			if got := row["count_vs_"+name]; got != want {
				t.Fatalf("window %d: count %v against %s is %v, want %v", i, n, name, got, want)
			}
		}
		if _, ok := row["last_s_vs_day"]; ok || i > 0 && row["avg_v_vs_previous"] != 0.0 {
			t.Fatalf("window %d: row %v", i, row)
		}
	}
	for _, wrong := range []window.Config{
		{Sizes: sizes(time.Hour), Trend: []string{"yesterday"}},
		{Gap: time.Hour, Trend: []string{"day"}},
		{Gap: time.Hour, Fill: window.FillZero},
	} {
		if _, err := window.New(wrong, record.NewPlan()); err == nil || fault.Status(err) != fault.Usage {
			t.Errorf("%+v: error %v", wrong, err)
		}
	}
}
