package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/window"
)

// aggregateHelp lists the aggregates.
const aggregateHelp = `count(), count(EXPR), sum(X), avg, min, max, stddev, variance, rate(),
ratio(EXPR), delta(X), ewma(X, HALF_LIFE), p50(X) … p99.9(X), quantile(X, Q),
histogram(X), distinct(X), topk(X, N), mode(X), counts(X), first(X), last(X),
collect(X, N), tail(X, N), values(X, N), any(EXPR), until(EXPR). Quantiles are within
0.8 % of the exact ones; distinct counts are exact up to 1,536, then within about 1 %;
sums, means and variances are exact. docs/GUIDE.md says it of each.`

// windowShape is what is said about the windows themselves.
type windowShape struct {
	size  string
	hop   string
	slide bool
	gap   time.Duration
	time  string
}

func (f *windowShape) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.size, "size", "1m", "`SIZES` of windows: 90s, 1d, 1mo, 1d@Europe/Paris, several as 1m,5m,15m")
	fs.StringVar(&f.hop, "hop", "", "a window begins every `SIZE` (default one after the other)")
	fs.BoolVar(&f.slide, "slide", false, "a window of the size ends at each record, which belongs to it")
	durationVar(fs, &f.gap, "gap", 0, "instead of a size: a window lasts until nothing comes for longer than this")
	f.time = "event"
	choiceVar(fs, &f.time, "time", []string{"event", "processing"},
		"`WHICH` time counts: event (the record's), or processing (when it was read)")
}

// windowRows is what is said about the rows.
type windowRows struct {
	emit   string
	every  time.Duration
	having string
	fill   string
	trend  string
}

func (f *windowRows) add(fs *pflag.FlagSet) {
	f.emit = "final"
	choiceVar(fs, &f.emit, "emit", []string{"final", "update", "both"},
		"`WHEN` rows are written: final (the window has closed), update (as they change), or both")
	durationVar(fs, &f.every, "every", time.Second, "how often --emit update writes what has changed")
	onceVar(fs, &f.having, "having", bothTrue, "only rows for which `EXPR` over their fields is true")
	choiceVar(fs, &f.fill, "fill", []string{"0", "null"}, "rows for empty windows of known keys, with `0 or null`")
	fs.StringVar(&f.trend, "trend", "",
		"changes against the `WINDOWS` before: previous, day (ago), week; alone: all of them")
	fs.Lookup("trend").NoOptDefVal = "previous,day,week"
}

// set says how rows are written.
func (f *windowRows) set(cfg *window.Config) {
	when := map[string]window.Emit{"final": window.Final, "update": window.Update, "both": window.Both}
	fills := map[string]window.Fill{"": window.FillNone, "0": window.FillZero, "null": window.FillNull}
	cfg.Emit, cfg.Fill = when[f.emit], fills[f.fill]
	cfg.Every, cfg.Having, cfg.Trend = f.every, f.having, window.ParseTrend(f.trend)
}

// config returns what the operator is to do.
func (f *windowFlags) config(p *pipeline) (window.Config, error) {
	flags := p.cmd.Flags()
	cfg := window.Config{
		Slide: f.shape.slide, Gap: f.shape.gap, By: f.by, Aggs: f.agg, Grace: f.grace, MaxAhead: f.maxAhead,
	}
	if f.memory > 0 {
		cfg.MaxMemory, cfg.Spill = f.memory, p.spill()
	}
	if f.stream.daemon.listen != "" {
		cfg.Retention, cfg.KeptBytes = f.keep, f.keepSize
	}
	if err := f.shape.sizes(&cfg, p.Plan.Zone, flags.Changed("size")); err != nil {
		return cfg, err
	}
	f.rows.set(&cfg)
	switch {
	case f.shape.time == "processing":
		cfg.Arrival = true
		if !flags.Changed("grace") {
			cfg.Grace = 0
		}
	case !flags.Changed("grace"):
		cfg.GraceUnlimited = f.state.path == "" && !p.live()
	}
	return cfg, nil
}

// sizes reads the sizes and the hop. Those of whole days are counted in zone.
func (f *windowShape) sizes(cfg *window.Config, zone *time.Location, given bool) error {
	if f.gap != 0 && !given && f.hop == "" {
		return nil
	}
	for text := range strings.SplitSeq(f.size, ",") {
		size, err := window.ParseSize(strings.TrimSpace(text), zone, loadZone)
		if err != nil {
			return err
		}
		cfg.Sizes = append(cfg.Sizes, size)
	}
	if f.hop == "" {
		return nil
	}
	var err error
	cfg.Hop, err = window.ParseSize(f.hop, zone, loadZone)
	return err
}

// lateness says how many records came too late, and what would have kept them.
func lateness(n int64, needed time.Duration) string {
	text := "late " + human.Count(n)
	if n > 0 {
		text += fmt.Sprintf(" (--grace %s would have kept them)", human.Span(roundUp(needed)))
	}
	return text
}

// disorder says how far records came behind newer ones, and the grace with which
// none is late.
func disorder(op *window.Op) string {
	d := op.Disorder()
	if d.Most == 0 {
		return ""
	}
	text := fmt.Sprintf("out of order by up to %s (p99 %s)", human.Duration(d.Most), human.Duration(d.Quantile(0.99)))
	if d.KeepsAll > 0 && op.Stats().Late == 0 {
		text += fmt.Sprintf(", --grace %s keeps all", human.Span(roundUp(d.KeepsAll)))
	}
	return text
}

// roundUp rounds up to seconds.
func roundUp(d time.Duration) time.Duration { return d.Truncate(time.Second) + time.Second }
