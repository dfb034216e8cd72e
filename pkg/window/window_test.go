package window_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/window"
)

func TestRowsOfATumblingWindow(t *testing.T) {
	d := newDriver(t, window.Config{
		Sizes: sizes(time.Minute), By: []string{"service", "big=status >= 500"}, Grace: time.Second,
		Aggs: "count(), avg(latency_ms), p99(latency_ms), ratio(status >= 500), errors=count(status >= 500), last(msg)",
	})
	for i, e := range []event{
		{Fields: map[string]any{"service": "api", "status": 200, "latency_ms": 10, "msg": "a"}},
		{Fields: map[string]any{"service": "api", "status": 503, "latency_ms": 30, "msg": "b"}},
		{Fields: map[string]any{"service": "api", "status": 200, "latency_ms": 20.5, "msg": "c"}},
		{Fields: map[string]any{"status": "503"}},
	} {
		e.At, e.Offset = start+int64(i)*int64(time.Second), int64(i)
		d.Feed([]event{e})
	}
	if len(d.Out.Rows) != 0 {
		t.Fatalf("rows before the window's end: %v", d.Out.Rows)
	}
	d.Must(d.Op.Tick(start+int64(time.Minute+time.Second)-1, 0, &d.Out))
	if len(d.Out.Rows) != 0 {
		t.Fatalf("rows before the grace is over: %v", d.Out.Rows)
	}
	d.Must(d.Op.Tick(start+int64(time.Minute+time.Second), 0, &d.Out))
	const bounds = `{"window_start":"2026-11-24T10:00:00.000Z","window_end":"2026-11-24T10:01:00.000Z",`
	want := []string{
		bounds + `"service":"api","big":false,"count":2,"avg_latency_ms":15.25,"p99_latency_ms":20.5,` +
			`"ratio_status_500":0,"errors":0,"last_msg":"c"}`,
		bounds + `"service":"api","big":true,"count":1,"avg_latency_ms":30,"p99_latency_ms":30,` +
			`"ratio_status_500":1,"errors":1,"last_msg":"b"}`,
		bounds + `"service":null,"big":true,"count":1,"avg_latency_ms":null,"p99_latency_ms":null,` +
			`"ratio_status_500":1,"errors":1,"last_msg":null}`,
	}
	if diff := cmp.Diff(want, d.Out.Rows); diff != "" {
		t.Error(diff)
	}
	if want := []string{`["api",false]`, `["api",true]`, `[null,true]`}; !slices.Equal(d.Out.Keys, want) {
		t.Errorf("keys %q, want %q", d.Out.Keys, want)
	}
	if end := d.Out.Recs[0].Time; end != start+int64(time.Minute) {
		t.Errorf("time of a row is %v, want its window's end", time.Unix(0, end).UTC())
	}
	if s := d.Op.Stats(); s.Closed != 1 || s.Rows != 3 || s.Open != 0 || s.Groups != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestHoppingWindowsHoldEachEventEquallyOften(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		size, hop time.Duration
		times     int
	}{
		{10 * time.Minute, 2 * time.Minute, 5},
		{time.Minute, 10 * time.Second, 6},
		{5 * time.Minute, 10 * time.Second, 30},
		{15 * time.Minute, 10 * time.Second, 90},
		{time.Minute, time.Minute, 1},
		{time.Minute, 0, 1},
	} {
		for range 20 {
			e := event{At: start + r.Int64N(int64(time.Hour)) - int64(30*time.Minute)}
			rows := rowsOf(t, window.Config{Sizes: sizes(c.size), Hop: fixed(c.hop)}, []event{e})
			if len(rows) != c.times {
				t.Fatalf("%v every %v: an event is in %d windows, want %d", c.size, c.hop, len(rows), c.times)
			}
			for _, row := range rows {
				s, end := proof.At(row["window_start"].(string)), proof.At(row["window_end"].(string))
				if e.At < s || e.At >= end || end-s != int64(c.size) || row["count"] != 1.0 {
					t.Errorf("%v every %v: row %v for an event at %v", c.size, c.hop, row, time.Unix(0, e.At).UTC())
				}
			}
		}
	}
}

func TestSizeThatIsNoMultipleOfTheHop(t *testing.T) {
	var events []event
	for i := range 60 {
		events = append(events, event{At: start + int64(i)*int64(time.Second)})
	}
	rows := rowsOf(t, window.Config{Sizes: sizes(25 * time.Second), Hop: fixed(10 * time.Second)}, events)
	var got []string
	for _, row := range rows {
		got = append(got, fmt.Sprint(row["window_start"].(string)[14:19], " ", row["count"]))
	}
	want := []string{"59:40 5", "59:50 15", "00:00 25", "00:10 25", "00:20 25", "00:30 25", "00:40 20", "00:50 10"}
	if !slices.Equal(got, want) {
		t.Errorf("windows %q, want %q", got, want)
	}
}

func TestWeeksBeginOnMonday(t *testing.T) {
	for _, c := range []struct {
		size, hop time.Duration
		want      []string
	}{
		{oneWeek, 0, []string{"2024-02-05T00:00:00.000Z 1", "2024-02-12T00:00:00.000Z 1"}},
		{2 * oneWeek, oneWeek, []string{"2024-01-29T00:00:00.000Z 1", "2024-02-05T00:00:00.000Z 2", "2024-02-12T00:00:00.000Z 1"}},
		{210 * time.Hour, oneWeek, []string{"2024-02-05T00:00:00.000Z 2", "2024-02-12T00:00:00.000Z 1"}},
	} {
		events := []event{{At: proof.At("2024-02-11T23:59:59.999Z")}, {At: proof.At("2024-02-12T00:00:00.000Z")}}
		var got []string
		for _, row := range rowsOf(t, window.Config{Sizes: sizes(c.size), Hop: fixed(c.hop)}, events) {
			got = append(got, fmt.Sprint(row["window_start"], " ", row["count"]))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v every %v: windows %q, want %q", c.size, c.hop, got, c.want)
		}
	}
	before := rowsOf(t, window.Config{Sizes: sizes(oneWeek)}, []event{{At: proof.At("1969-12-31T00:00:00.000Z")}})
	if got := before[0]["window_start"]; got != "1969-12-29T00:00:00.000Z" {
		t.Errorf("the week of the last day of 1969 begins at %v", got)
	}
}

// oneWeek is the length of a week.
const oneWeek = 7 * 24 * time.Hour

func TestPercentileOfTwoValues(t *testing.T) {
	var events []event
	for i := range 100_000 {
		ms := 5000
		if i%10 == 0 {
			ms = 1
		}
		events = append(events, event{At: start, Fields: map[string]any{"ms": ms}})
	}
	rows := rowsOf(t, window.Config{Sizes: sizes(time.Minute), Aggs: "p95(ms), min(ms), max(ms), count()"}, events)
	if got := rows[0]["p95_ms"]; got != 5000.0 || rows[0]["min_ms"] != 1.0 {
		t.Errorf("row %v, want p95 5000 and min 1", rows[0])
	}
}

func TestAveragesOfARisingSeriesDiffer(t *testing.T) {
	var events []event
	for i := range 15 * 60 {
		events = append(events, event{At: start + int64(i)*int64(time.Second), Fields: map[string]any{"v": i}})
	}
	for size, want := range map[time.Duration]float64{
		time.Minute: 869.5, 5 * time.Minute: 749.5, 15 * time.Minute: 449.5,
	} {
		rows := rowsOf(t, window.Config{Sizes: sizes(size), Hop: fixed(10 * time.Second), Aggs: "avg(v), sum(v), rate()"}, events)
		for _, row := range rows {
			if row["window_end"] != "2026-11-24T10:15:00.000Z" {
				continue
			}
			if row["avg_v"] != want || row["rate"] != 1.0 {
				t.Errorf("%v: row %v, want an average of %v and a rate of 1", size, row, want)
			}
		}
	}
}

func TestBoundsBelongToTheLaterWindow(t *testing.T) {
	events := []event{
		{At: proof.At("1969-12-31T23:59:59.999Z")}, {At: 0}, {At: int64(time.Minute)}, {At: int64(time.Minute) - 1},
	}
	rows := rowsOf(t, window.Config{Sizes: sizes(time.Minute), GraceUnlimited: true}, events)
	var got []string
	for _, row := range rows {
		got = append(got, fmt.Sprint(row["window_start"], " ", row["count"]))
	}
	want := []string{"1969-12-31T23:59:00.000Z 1", "1970-01-01T00:00:00.000Z 2", "1970-01-01T00:01:00.000Z 1"}
	if !slices.Equal(got, want) {
		t.Errorf("windows %q, want %q", got, want)
	}
}

func TestLateRecords(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Minute), Grace: 30 * time.Second})
	sec := func(s int) event {
		return event{At: start + int64(s)*int64(time.Second), Fields: map[string]any{"s": s}}
	}
	d.Run([]event{sec(10), sec(70), sec(80), sec(20), sec(89), sec(59), sec(90), sec(59), sec(60), sec(95), sec(30)}, 3)
	want := []string{
		`{"window_start":"2026-11-24T10:00:00.000Z","window_end":"2026-11-24T10:01:00.000Z","count":3}`,
		`{"window_start":"2026-11-24T10:01:00.000Z","window_end":"2026-11-24T10:02:00.000Z","count":6}`,
	}
	if diff := cmp.Diff(want, d.Out.Rows); diff != "" {
		t.Error(diff)
	}
	if want := []string{`{"s":59}`, `{"s":30}`}; !slices.Equal(d.Out.Late, want) {
		t.Errorf("late records %q, want %q", d.Out.Late, want)
	}
	s := d.Op.Stats()
	if s.Late != 2 || s.Partly != 0 || s.GraceNeeded != 35*time.Second+1 {
		t.Errorf("stats %+v, want 2 late, which a grace of 35 s and a bit would have kept", s)
	}
	kept := newDriver(t, window.Config{Sizes: sizes(time.Minute), Grace: s.GraceNeeded})
	kept.Run([]event{sec(10), sec(95), sec(30)}, 3)
	if s := kept.Op.Stats(); s.Late != 0 {
		t.Errorf("stats %+v: the grace that was named does not keep them", s)
	}
}

func TestLateForSomeWindows(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Minute), Hop: fixed(30 * time.Second)})
	sec := func(s int) event { return event{At: start + int64(s)*int64(time.Second)} }
	d.Run([]event{sec(10), sec(35), sec(65), sec(40), sec(10)}, 1)
	var got []string
	for _, row := range proof.Parsed(t, d.Out.Rows) {
		got = append(got, fmt.Sprint(row["window_start"].(string)[14:19], " ", row["count"]))
	}
	if want := []string{"59:30 1", "00:00 2", "00:30 3", "01:00 1"}; !slices.Equal(got, want) {
		t.Errorf("windows %q, want %q", got, want)
	}
	if s := d.Op.Stats(); s.Late != 1 || s.Partly != 1 || s.Closed != 4 {
		t.Errorf("stats %+v, want one late, one partly late, 4 windows", s)
	}
}

func TestRecordsWithImpossibleTimesAreBad(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Minute), MaxAhead: time.Hour})
	ahead := start + 2*int64(time.Hour)
	b := proof.Batch(d.Plan, proof.File, []event{{At: start}, {At: ahead}, {At: record.NoTime}, {At: math.MaxInt64}})
	b.Arrived = start
	b.SetBad(3, "cut")
	d.Op.Prepare(b)
	var got []string
	for _, f := range b.Faults {
		got = append(got, fmt.Sprint(f.Row, " ", f.Reason))
	}
	want := []string{
		"1 its event time is more than 1h ahead of the time when it was read", "2 it has no event time", "3 cut",
	}
	if !slices.Equal(got, want) || d.Op.Stats().Ahead != 1 {
		t.Errorf("faults %q, want %q; ahead %d", got, want, d.Op.Stats().Ahead)
	}
}

func TestKeysAreWhatJSONSays(t *testing.T) {
	values := []any{
		"api",
		proof.Raw{Kind: record.Escaped, Text: `a\u0070i`},
		503, "503",
		proof.Raw{Kind: record.Number, Text: "503.0"},
		nil, true, "true",
		"bad\xff", "bad\ufffd",
		proof.Raw{Kind: record.Escaped, Text: `q\"`},
		"q\"", "",
	}
	var events []event
	for _, v := range values {
		events = append(events, event{At: start, Fields: map[string]any{"k": v}})
	}
	want := []string{
		`"" 1`, `"503" 1`, `"api" 2`, "\"bad\ufffd\" 2", `"q\"" 2`, `"true" 1`, `503 1`, `503.0 1`, `null 1`, `true 1`,
	}
	for _, by := range [][]string{{"k"}, {"k", "none"}} {
		d := newDriver(t, window.Config{Sizes: sizes(time.Minute), By: by, GraceUnlimited: true})
		var got []string
		for i, row := range d.Run(events, 4) {
			key := strings.TrimSuffix(strings.TrimPrefix(d.Out.Keys[i], "["), ",null]")
			_, count, _ := strings.Cut(row, `"count":`)
			got = append(got, key+" "+strings.TrimSuffix(count, "}"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %v: groups %q, want %q", by, got, want)
		}
	}
}

func TestUpdates(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Minute), By: []string{"k"}, Emit: window.Both, Every: time.Second})
	ev := func(s int, k string) []event {
		return []event{{At: start + int64(s)*int64(time.Second), Fields: map[string]any{"k": k}}}
	}
	tick := func(now time.Duration) { d.Must(d.Op.Tick(d.Mark, int64(now), &d.Out)) }
	d.Feed(ev(1, "a"))
	d.Feed(ev(2, "b"))
	tick(10 * time.Second)
	d.Feed(ev(3, "b"))
	tick(10*time.Second + time.Second/2) // too soon
	d.Feed(ev(4, "b"))
	tick(11 * time.Second)
	tick(12 * time.Second) // nothing has changed
	d.Feed(ev(60, "c"))
	d.Must(d.Op.Finish(&d.Out))
	var got []string
	for _, row := range proof.Parsed(t, d.Out.Rows) {
		got = append(got, fmt.Sprint(row["k"], row["count"], " ", row["final"]))
	}
	want := []string{"a1 false", "b1 false", "b3 false", "a1 true", "b3 true", "c1 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUpdatesOfHoppingWindows(t *testing.T) {
	d := newDriver(t, window.Config{Sizes: sizes(time.Minute), Hop: fixed(30 * time.Second), By: []string{"k"}, Emit: window.Both})
	d.Feed([]event{{At: start, Fields: map[string]any{"k": "a"}}})
	d.Feed([]event{{At: start + int64(40*time.Second), Fields: map[string]any{"k": "b"}}})
	var got []string
	for _, row := range proof.Parsed(t, d.Out.Rows) {
		got = append(got, fmt.Sprint(row["window_start"].(string)[14:19], row["k"], row["count"], " ", row["final"]))
	}
	want := []string{"59:30a1 false", "00:00a1 false", "59:30a1 true", "00:00b1 false", "00:30b1 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrongUsage(t *testing.T) {
	minute := window.Config{Sizes: sizes(time.Minute)}
	with := func(change func(*window.Config)) window.Config { c := minute; change(&c); return c }
	aggs := func(s string) window.Config { return with(func(c *window.Config) { c.Aggs = s }) }
	for _, c := range []struct {
		cfg        window.Config
		text, hint string
	}{
		{window.Config{}, "no size of a window", "--size 1m"},
		{window.Config{Sizes: sizes(1)}, "want at least 1ms", "--size 1m"},
		{window.Config{Sizes: sizes(time.Minute, time.Minute)}, "given twice", ""},
		{window.Config{Sizes: sizes(time.Minute), Gap: time.Minute}, "a gap together with a size", ""},
		{window.Config{Sizes: sizes(time.Minute, time.Hour), Slide: true}, "one fixed size", ""},
		{window.Config{Sizes: sizes(time.Minute), Arrival: true, Grace: 1}, "without event time", "leave --grace out"},
		{window.Config{Sizes: []window.Size{{Days: 1, Zone: time.UTC}}, Hop: fixed(time.Hour)}, "not measured alike", ""},
		{with(func(c *window.Config) { c.Hop = fixed(time.Hour) }), "want at most the size", "larger size"},
		{with(func(c *window.Config) { c.Grace = -1 }), "grace -1ns", ""},
		{aggs("cuont()"), `unknown aggregate "cuont"`, "did you mean count?"},
		{aggs("count(), avg()"), "avg does not take 0 arguments", "write avg(X)"},
		{aggs("quantile(x, 1.5)"), `quantile "1.5": want a number from 0 to 1`, "quantile(latency_ms, 0.99)"},
		{aggs("p101(x)"), `unknown aggregate "p101"`, "percentiles go from p0 to p100"},
		{aggs("mean(x)"), `unknown aggregate "mean"`, "did you mean avg?"},
		{aggs("MEDIAN(x)"), `unknown aggregate "MEDIAN"`, "did you mean p50?"},
		{aggs("count(*)"), "want a value, not *", "write count()"},
		{aggs("count() as n"), "want a comma or an operator, not as", "the name comes first: n=…"},
		{aggs("topk(x, 0)"), `topk of "0"`, "topk(path, 5)"},
		{aggs("count(), count()"), `two fields of a row are called "count"`, "other=count"},
		{aggs("window_end=count()"), `two fields of a row are called "window_end"`, ""},
		{with(func(c *window.Config) { c.By = []string{"count"} }), `two fields of a row are called "count"`, ""},
		{aggs("avg(x"), "", ""},
		{with(func(c *window.Config) { c.By = []string{"a >"} }), "", ""},
	} {
		_, err := window.New(c.cfg, record.NewPlan())
		if err == nil {
			t.Errorf("%+v: no error", c.cfg)
			continue
		}
		hint, status := fault.HintOf(err), fault.Status(err)
		if !strings.Contains(err.Error(), c.text) || !strings.Contains(hint, c.hint) || status != fault.Usage {
			t.Errorf("%+v: error %q, hint %q, status %d", c.cfg, err, hint, status)
		}
	}
}

func TestNamesOfAggregates(t *testing.T) {
	rows := rowsOf(t, window.Config{
		Sizes: sizes(time.Minute),
		Aggs: `count(), avg(latency_ms), p99.9(latency_ms), topk(path, 5), quantile(a.b, 0.5),
			count(level == "ERROR"), sum(größe), n=count(x)`,
	}, []event{{At: start}})
	for _, name := range []string{
		"count", "avg_latency_ms", "p99_9_latency_ms", "topk_path", "quantile_a_b_0_5", "count_level_ERROR", "sum_größe", "n",
	} {
		if _, ok := rows[0][name]; !ok {
			t.Errorf("no field %q in %v", name, rows[0])
		}
	}
}

func TestWarnings(t *testing.T) {
	for hop, want := range map[time.Duration]int{time.Minute: 0, time.Second: 1} {
		op, err := window.New(window.Config{Sizes: sizes(time.Hour), Hop: fixed(hop)}, record.NewPlan())
		if err != nil || len(op.Warnings()) != want {
			t.Errorf("hop %v: warnings %q, error %v, want %d", hop, op.Warnings(), err, want)
		}
	}
}
