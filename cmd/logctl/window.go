package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/window"
)

// windowFlags is everything that can be said to logctl window.
type windowFlags struct {
	stream   streamFlags
	kafka    kafkaInput
	size     time.Duration
	hop      time.Duration
	by       []string
	agg      string
	grace    time.Duration
	maxAhead time.Duration
	late     string
	emit     string
	every    time.Duration
	state    stateFlags
}

func newWindow() *cobra.Command {
	var f windowFlags
	cmd := &cobra.Command{
		Use:   "window --size DURATION [--by FIELDS] [--agg AGGREGATES] [FILE…]",
		Short: "Aggregate records over windows of event time",
		Long: `Window counts and aggregates records over windows of event time: one row for
each window and key, written when the window closes.

Aggregates: count(), count(EXPR), sum, avg, min, max, stddev, variance, rate(),
ratio(EXPR), distinct(X), p50(X) … p99.9(X), quantile(X, Q), topk(X, N), mode(X),
first(X), last(X), any(EXPR), until(EXPR), counts(X), values(X), tail(X, N). Quantiles are within 0.8 % of the exact ones; distinct counts are
exact up to 1,536, then within about 1 %.`,
		Example: `  # Requests, error rate and slow responses a minute
  logctl window --size 1m --agg 'count(), ratio(status >= 500), p99(latency_ms)' app.log

  # The busiest clients of each hour, as a table
  logctl window --size 1h --by client --agg 'n=count(), sum(bytes)' -o table access.log

  # Every minute from cron: what is new in a log that grows and is rotated
  logctl window --checkpoint app.ckpt --to rows.ndjson app.log

  # Ten-minute windows every two minutes, from Kafka
  logctl window --from kafka:app-logs --stop end --size 10m --hop 2m --by service`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	durationVar(fs, &f.size, "size", time.Minute, "length of a window")
	durationVar(fs, &f.hop, "hop", 0, "a window begins every so often (default --size)")
	fs.StringArrayVar(&f.by, "by", nil, "a row for each value of `FIELDS` or NAME=EXPR (repeatable)")
	fs.StringVar(&f.agg, "agg", "count()", "`AGGREGATES` of each row, as in 'n=count(), p99(latency_ms)'")
	durationVar(fs, &f.grace, "grace", time.Minute,
		"how late a record may come (default unlimited where the input is finite, else 1m)")
	durationVar(fs, &f.maxAhead, "max-ahead", 0,
		"set records aside that are stamped more than this beyond the wall clock (0: none)")
	fs.StringVar(&f.late, "late", "", "write late records to `ENDPOINT`")
	fs.StringVar(&f.emit, "emit", "final",
		"`WHEN` rows are written: final (the window has closed) or update (as they change)")
	durationVar(fs, &f.every, "every", time.Second, "how often --emit update writes what has changed")
	f.state.add(fs)
	return cmd
}

func (f *windowFlags) run(cmd *cobra.Command, args []string) error {
	if f.kafka.group != "" {
		return fault.Usagef("leave --group out: every run then reads from --start",
			"window cannot be a member of a group yet: its state would not move with the partitions")
	}
	if known := []string{"final", "update"}; !slices.Contains(known, f.emit) {
		return fault.Usagef(fault.DidYouMean(f.emit, known), "--emit %q: want final or update", f.emit)
	}
	p, err := f.stream.newPipeline(cmd, args)
	if err == nil {
		err = f.kafka.checkUse(p)
	}
	if err != nil {
		return err
	}
	p.plan.ReadTime(f.stream.input.timeField)
	op, err := window.New(f.config(cmd, p), p.plan)
	if err != nil {
		return err
	}
	for _, w := range op.Warnings() {
		note(cmd, "%s", w)
	}
	p.Operator, p.Order = op, engine.InTime
	if len(f.stream.output.unique) == 0 {
		f.stream.output.unique = op.RowKey()
	}
	if err := f.state.open(p); err != nil {
		return p.close(err)
	}
	if f.late != "" {
		sink, err := p.sideSink(f.late)
		if err != nil {
			return err
		}
		op.SetLate(sink)
	}
	p.notes = append(p.notes,
		func() string { return lateness(op.Stats().Late, op.Stats().GraceNeeded) },
		func() string { return p.unfinished("open windows", int64(op.Open())) })
	if err := p.run(&f.kafka); err != nil {
		return err
	}
	if f.stream.input.strict && op.Stats().Late > 0 {
		return &fault.Error{Err: errors.New("late records"), Status: fault.Failed, Quiet: true}
	}
	return nil
}

func (f *windowFlags) config(cmd *cobra.Command, p *pipeline) window.Config {
	cfg := window.Config{
		Size: f.size, Hop: f.hop, By: f.by, Aggs: f.agg, Grace: f.grace, MaxAhead: f.maxAhead,
		Update: f.emit == "update", Every: f.every,
	}
	if !cmd.Flags().Changed("grace") {
		cfg.GraceUnlimited = f.state.path == "" && !f.stream.input.live(p.endpoints, &f.kafka)
	}
	return cfg
}

// lateness says how many records came too late, and what would have kept them.
func lateness(n int64, needed time.Duration) string {
	text := "late " + human.Count(n)
	if n > 0 {
		text += fmt.Sprintf(" (--grace %s would have kept them)", human.Span(needed.Truncate(time.Second)+time.Second))
	}
	return text
}
