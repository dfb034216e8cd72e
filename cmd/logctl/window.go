package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/api"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/window"
)

// windowFlags is everything that can be said to logctl window.
type windowFlags struct {
	stream   streamFlags
	kafka    kafkaInput
	shape    windowShape
	by       []string
	agg      string
	grace    time.Duration
	maxAhead time.Duration
	late     string
	rows     windowRows
	state    stateFlags
	keep     time.Duration
	keepSize int64
	memory   int64
}

func newWindow() *cobra.Command {
	f := windowFlags{agg: "count()"}
	cmd := &cobra.Command{
		Use:   "window [--size SIZES | --gap DURATION] [--by FIELDS] [--agg AGGREGATES] [FILE…]",
		Short: "Aggregate records over windows of time",
		Long: `Window counts and aggregates records over windows of time: one row for each window
and key, written when the window closes.

Windows are one after the other (--size), begin every so often and overlap (--hop),
end at each record (--slide), or last as long as records come (--gap). Sizes are
durations, or days, weeks, months and years of a time zone: 1d@Europe/Paris, 1mo.
Several are separated by commas.

Aggregates: ` + aggregateHelp,
		Example: `  # Requests, error rate and slow responses a minute
  logctl window --size 1m --agg 'count(), ratio(status >= 500), p99(latency_ms)' app.log

  # The load over one, five and fifteen minutes, every ten seconds
  logctl window --size 1m,5m,15m --hop 10s --agg 'rate(), avg(latency_ms)' app.log

  # How each day in Paris was, and each month, as a table
  logctl window --size 1d,1mo --tz Europe/Paris -o table access.log

  # Errors of a service in the five minutes before each of them
  logctl window --size 5m --slide --by service --where 'level >= ERROR' app.log

  # Visits: requests of a client no more than half an hour apart
  logctl window --gap 30m --by client --agg 'count(), first(path), last(path)' access.log

  # Hours of many errors; how the load of each hour has changed
  logctl window --size 1h --agg 'bad=ratio(status >= 500)' --having 'bad > 0.1' app.log
  logctl window --size 1h --fill 0 --trend=previous,day app.log

  # Every minute from cron: what is new in a log that grows and is rotated
  logctl window --checkpoint app.ckpt --to rows.ndjson app.log

  # Ten-minute windows every two minutes, from Kafka
  logctl window --from kafka:app-logs --stop end --size 10m --hop 2m --by service`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilCommitted(cmd, func() error { return f.run(cmd, args) })
		},
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	f.shape.add(fs)
	fs.StringArrayVar(&f.by, "by", nil, "a row for each value of `FIELDS` or NAME=EXPR (repeatable)")
	onceVar(fs, &f.agg, "agg", bothIn, "`AGGREGATES` of each row, as in 'n=count(), p99(latency_ms)'")
	durationVar(fs, &f.grace, "grace", time.Minute,
		"how late a record may come (default unlimited where the input is finite, else 1m)")
	durationVar(fs, &f.maxAhead, "max-ahead", 0,
		"set records aside that are stamped more than this beyond the wall clock (0: none)")
	fs.StringVar(&f.late, "late", "", "write late records to `ENDPOINT`")
	f.rows.add(fs)
	f.state.add(fs)
	durationVar(fs, &f.keep, "retention", time.Hour, "with --listen: how long rows of closed windows are kept for queries")
	sizeVar(fs, &f.keepSize, "retention-size", 64<<20, "and how many bytes of them at most")
	sizeVar(fs, &f.memory, "max-memory", 0,
		"about how many `BYTES` of state stay in memory; beyond it, it goes to disk (0: no bound)")
	cmd.AddCommand(newWindowQuery())
	return cmd
}

func (f *windowFlags) run(cmd *cobra.Command, args []string) error {
	p, err := f.stream.newPipeline(cmd, args)
	if err == nil {
		err = f.kafka.use(p)
	}
	if err != nil {
		return err
	}
	if f.shape.time == "event" {
		p.Plan.ReadTime(f.stream.input.timeField)
	}
	cfg, err := f.config(p)
	if err != nil {
		return err
	}
	op, err := window.New(cfg, p.Plan)
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
	if err := p.openLate(f.late, op.SetLate); err != nil {
		return p.close(err)
	}
	p.metrics = append(p.metrics, figures[window.Stats]{windowCounts, op.Stats})
	p.routes = append(p.routes, api.Windows{Fleet: p.openFleet(), Aggregates: op.Aggregates()}.Routes()...)
	late := func() int64 { return op.Stats().Late }
	p.notes = append(p.notes,
		func() string { return lateness(late(), op.Stats().GraceNeeded) },
		func() string { return disorder(op) },
		p.undated,
		func() string { return p.unfinished("open windows", max(int64(op.Open()), op.Stats().Open)) })
	another := func(stream.Task) stream.Operator { return op.Another() }
	return f.state.run(p, grouping{f.by, another, late})
}
