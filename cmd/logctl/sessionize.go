package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/session"
)

// sessionizeFlags is everything that can be said to logctl sessionize.
type sessionizeFlags struct {
	stream   streamFlags
	kafka    kafkaInput
	key      []string
	gap      time.Duration
	agg      string
	grace    time.Duration
	maxAhead time.Duration
	late     string
}

func newSessionize() *cobra.Command {
	var f sessionizeFlags
	cmd := &cobra.Command{
		Use:   "sessionize [--key FIELDS] [--gap DURATION] [FILE…]",
		Short: "Gather the events of each user into sessions",
		Long: `Sessionize writes one row for each session of a user: a run of events no farther
apart than --gap. Events that come out of order extend sessions, or make one of
two, so that the rows are those of sorted input.`,
		Example: `  # Who visited, for how long, and how many pages
  logctl sessionize --key client --gap 30m access.log

  # With bytes and the last page of each session, as a table
  logctl sessionize --key client --agg 'sum(bytes), last(path)' -o table access.log`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	fs.StringArrayVar(&f.key, "key", []string{session.DefaultKey}, "sessions are of each value of `FIELDS` or NAME=EXPR (repeatable)")
	durationVar(fs, &f.gap, "gap", 30*time.Minute, "a session is over after so long without events")
	fs.StringVar(&f.agg, "agg", "", "`AGGREGATES` of each session, as in 'sum(bytes), p99(latency_ms)'")
	durationVar(fs, &f.grace, "grace", time.Minute,
		"how late a record may come (default unlimited where the input is finite, else 1m)")
	durationVar(fs, &f.maxAhead, "max-ahead", 0,
		"set records aside that are stamped more than this beyond the wall clock (0: none)")
	fs.StringVar(&f.late, "late", "", "write late records to `ENDPOINT`")
	return cmd
}

func (f *sessionizeFlags) run(cmd *cobra.Command, args []string) error {
	if f.kafka.group != "" {
		return fault.Usagef("leave --group out: every run then reads from --start",
			"sessionize cannot be a member of a group yet: its state would not move with the partitions")
	}
	p, err := f.stream.newPipeline(cmd, args)
	if err == nil {
		err = f.kafka.checkUse(p)
	}
	if err != nil {
		return err
	}
	p.plan.ReadTime(f.stream.input.timeField)
	op, err := session.New(f.config(cmd, p), p.plan)
	if err != nil {
		return err
	}
	p.Operator, p.Order = op, engine.InTime
	if len(f.stream.output.unique) == 0 {
		f.stream.output.unique = op.RowKey()
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
		func() string { return p.unfinished("open sessions", op.Stats().Open) })
	if err := p.run(&f.kafka); err != nil {
		return err
	}
	if f.stream.input.strict && op.Stats().Late > 0 {
		return &fault.Error{Err: errors.New("late records"), Status: fault.Failed, Quiet: true}
	}
	return nil
}

func (f *sessionizeFlags) config(cmd *cobra.Command, p *pipeline) session.Config {
	cfg := session.Config{Key: f.key, Gap: f.gap, Aggs: f.agg, Grace: f.grace, MaxAhead: f.maxAhead}
	if !cmd.Flags().Changed("grace") {
		cfg.GraceUnlimited = !f.stream.input.live(p.endpoints, &f.kafka)
	}
	return cfg
}
