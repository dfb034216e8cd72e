package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/transform"
	"github.com/logctl/logctl/pkg/window"
)

// A way is how input is cut and worked on: nothing that may show in the output.
type way struct {
	seed    uint64 // of the lengths of reads; 0: as long as asked for
	parsers int
	arena   int
}

// shortReads reads pieces of random length.
type shortReads struct {
	r   io.Reader
	rnd *rand.Rand
}

func (s *shortReads) Read(p []byte) (int, error) {
	n := 1 + s.rnd.IntN(1<<(1+s.rnd.IntN(13)))
	return s.r.Read(p[:min(n, len(p))])
}

// sources opens texts as live input, cut in the given way.
func (w way) sources(d *codec.Decoder, maxRecord int, texts []string) (all []stream.Source) {
	for i, text := range texts {
		var r io.Reader = strings.NewReader(text)
		if w.seed > 0 {
			r = &shortReads{r, rand.New(rand.NewPCG(w.seed, uint64(i)))}
		}
		opt := stdio.Options{Format: d, MaxRecord: maxRecord}
		all = append(all, stdio.NewReader(r, fmt.Sprintf("in%d", i), opt))
	}
	return all
}

// run returns all that a pipeline over texts writes: output, dead letters, late
// records and the counts.
func (w way) run(t *testing.T, format string, texts []string, build func(*engine.Pipeline, *record.Plan, stream.Sink)) string {
	t.Helper()
	const maxRecord = 3000
	d, err := codec.New(codec.Options{Format: format, MaxRecord: maxRecord})
	if err != nil {
		t.Fatal(err)
	}
	var out, dead, late bytes.Buffer
	sinks := map[*bytes.Buffer]*stdio.Writer{}
	for _, b := range []*bytes.Buffer{&out, &dead, &late} {
		sinks[b] = stdio.NewWriter(b, "buffer", nil)
	}
	plan := record.NewPlan()
	p := engine.Pipeline{
		Sources: w.sources(d, maxRecord, texts), Sink: sinks[&out], Dead: sinks[&dead], Stats: new(engine.Stats),
		Parser: func() engine.Parser { return d.NewParser(plan) }, Parsers: w.parsers, Arena: w.arena,
	}
	build(&p, plan, sinks[&late])
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, s := range sinks {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	letters := dead.String()
	if len(texts) > 1 { // bad records have no time that could order those of several sources
		lines := strings.SplitAfter(letters, "\n")
		slices.Sort(lines)
		letters = strings.Join(lines, "")
	}
	s := p.Stats
	return fmt.Sprintf("%s\n--- dead\n%s\n--- late\n%s\n--- in %d out %d bad %d dropped %d empty %d", &out, letters, &late,
		s.In.Load(), s.Out.Load(), s.Bad.Load(), s.Dropped.Load(), s.Empty.Load())
}

// messyLog makes NDJSON in slight disorder, with empty and broken lines, lines
// that are too long, and line ends of both kinds.
func messyLog(seed uint64, n int) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	at := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	for range n {
		at = at.Add(time.Duration(rnd.IntN(400)) * time.Millisecond)
		stamp := at.Add(-time.Duration(rnd.IntN(20)*rnd.IntN(20)*rnd.IntN(20)) * time.Millisecond * 20)
		end := "\n"
		if rnd.IntN(5) == 0 {
			end = "\r\n"
		}
		switch rnd.IntN(40) {
		case 0:
			b.WriteString(end)
		case 1:
			b.WriteString(`{"ts":"2026-01-01T10:00:00Z","service":` + end)
		case 2:
			b.WriteString(strings.Repeat("long ", 500+rnd.IntN(3000)) + end)
		default:
			fmt.Fprintf(&b, `{"ts":%q,"service":"s%d","ms":%d,"note":%q}%s`, stamp.Format(time.RFC3339Nano),
				rnd.IntN(5), rnd.IntN(1000), strings.Repeat("n", rnd.IntN(200)), end)
		}
	}
	return b.String()
}

var ways = []way{
	{parsers: 1, arena: 512 << 10},
	{parsers: 4, arena: 8 << 10},
	{seed: 1, parsers: 1, arena: 4 << 10},
	{seed: 2, parsers: 2, arena: 16 << 10},
	{seed: 3, parsers: 3, arena: 64 << 10},
	{seed: 4, parsers: 4, arena: 5000},
}

// sameEveryWay runs a pipeline in all ways and checks that nothing shows.
func sameEveryWay(t *testing.T, format string, texts []string, build func(*engine.Pipeline, *record.Plan, stream.Sink)) string {
	t.Helper()
	want := ways[0].run(t, format, texts, build)
	for _, w := range ways[1:] {
		if d := cmp.Diff(want, w.run(t, format, texts, build)); d != "" {
			t.Fatalf("%+v changes the output:\n%.2000s", w, d)
		}
	}
	return want
}

func TestPassingThroughIsTheSameHoweverInputIsCut(t *testing.T) {
	text := messyLog(1, 3000)
	all := sameEveryWay(t, "plain", []string{text}, func(*engine.Pipeline, *record.Plan, stream.Sink) {})
	if out, _, _ := strings.Cut(all, "\n--- dead"); len(out) < len(text)/4 {
		t.Fatalf("only %d of %d bytes came out", len(out), len(text))
	}
	inExpressions := func(p *engine.Pipeline, plan *record.Plan, _ stream.Sink) {
		where, err := transform.NewWhere(`ms > 300 and service != "s2"`, plan)
		if err != nil {
			t.Fatal(err)
		}
		set, err := transform.NewSet(`ms=ms / 1000, who=upper(service)`, plan)
		if err != nil {
			t.Fatal(err)
		}
		p.Prepare = append(p.Prepare, where, set)
	}
	sameEveryWay(t, "ndjson", []string{text, messyLog(2, 500)}, inExpressions)
	text = messyLog(6, 600)
	spread := strings.NewReplacer(`,"ms"`, ",\n\t\"ms\"", "}\n", "\n},", "}\r", "} ").Replace(text)
	all = sameEveryWay(t, "json", []string{text, "[" + spread + "]"}, inExpressions)
	if out, dead, _ := strings.Cut(all, "\n--- dead"); len(out) < len(text)/4 || len(dead) < len(text)/50 {
		t.Fatalf("of %d bytes only %d came out, and %d are dead", len(text), len(out), len(dead))
	}
}

func TestWindowsAreTheSameHoweverInputIsCut(t *testing.T) {
	t.Parallel()
	half, ten := []window.Size{window.Fixed(30 * time.Second)}, window.Fixed(10*time.Second)
	several := []window.Size{window.Fixed(7 * time.Second), window.Fixed(20 * time.Second)}
	for name, cfg := range map[string]window.Config{
		"hopping": {Sizes: half, Hop: ten}, "several": {Sizes: several, Fill: window.FillZero, Trend: []string{"previous"}},
		"sliding": {Sizes: half, Slide: true}, "sessions": {Gap: 800 * time.Millisecond},
	} {
		cfg.By = []string{"service"}
		cfg.Aggs = "count(), sum(ms), p90(ms), first(note), last(ms), distinct(note), topk(ms, 3)"
		for _, grace := range []time.Duration{0, 5 * time.Second, time.Hour} {
			for _, texts := range [][]string{{messyLog(3, 1500)}, {messyLog(4, 700), messyLog(5, 700), ""}} {
				cfg.Grace = grace
				windowsAreTheSame(t, name, cfg, texts)
			}
		}
	}
}

func windowsAreTheSame(t *testing.T, name string, cfg window.Config, texts []string) {
	t.Helper()
	all := sameEveryWay(t, "ndjson", texts, func(p *engine.Pipeline, plan *record.Plan, late stream.Sink) {
		plan.ReadTime("")
		op, err := window.New(cfg, plan)
		if err != nil {
			t.Fatal(err)
		}
		op.SetLate(late)
		p.Operator, p.Order = op, engine.InTime
	})
	_, late, _ := strings.Cut(all, "\n--- late\n")
	if wanted := cfg.Grace < time.Hour; wanted != strings.HasPrefix(late, "{") {
		t.Errorf("%s, grace %v: late records are %.80q", name, cfg.Grace, late)
	}
}

// TestSplitRecordsAreTheSameHoweverInputIsCut has lines that are several records,
// and lines that are none.
func TestSplitRecordsAreTheSameHoweverInputIsCut(t *testing.T) {
	var requests, columns strings.Builder
	columns.WriteString("#separator \\x09\n#fields\tts\tn\n#types\ttime\tcount\n")
	var extended strings.Builder
	extended.WriteString("#Version: 1.0\n#Fields: date time n\n")
	for i := range 300 {
		requests.WriteString(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeLogs":[{"logRecords":[`)
		for k := range i % 7 {
			requests.WriteString([]string{"", ","}[min(k, 1)])
			fmt.Fprintf(&requests, `{"timeUnixNano":"%d","body":{"intValue":"%d"}}`, 1767261600_000000000+int64(i)*1e9, i*10+k)
		}
		requests.WriteString("]}]}]}\n")
		fmt.Fprintf(&extended, "2026-01-01 10:%02d:%02d %d\n%s", i/60, i%60, i, []string{"", "#Fields: date time n\n"}[i%2])
		fmt.Fprintf(&columns, "%d.5\t%d\n%s", 1767261600+i, i, []string{"", "#close\tx\n"}[i%2])
	}
	for format, text := range map[string]string{"otlp": requests.String(), "zeek": columns.String(), "w3c": extended.String()} {
		for _, where := range []string{"", `service == "s" or n > 5`} {
			all := sameEveryWay(t, format, []string{text}, func(p *engine.Pipeline, plan *record.Plan, _ stream.Sink) {
				if where == "" {
					return
				}
				w, err := transform.NewWhere(where, plan)
				if err != nil {
					t.Fatal(err)
				}
				p.Prepare = append(p.Prepare, w)
			})
			if !strings.Contains(all, " bad 0 ") || strings.Count(all, "\n") < 290 {
				t.Errorf("%s: %.300s", format, all[max(len(all)-300, 0):])
			}
		}
	}
}
