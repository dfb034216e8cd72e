package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/api"
	"github.com/logctl/logctl/pkg/session"
)

// sessionizeFlags is everything that can be said to logctl sessionize.
type sessionizeFlags struct {
	stream streamFlags
	kafka  kafkaInput
	state  stateFlags
	op     session.Config
	late   string
	emit   string
	gaveUp string // where the events of abandoned sessions go

	retention time.Duration
}

func (f *sessionizeFlags) add(cmd *cobra.Command) {
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	fs.StringArrayVar(&f.op.Key, "key", []string{session.DefaultKey},
		"sessions are of each value of `FIELDS` or NAME=EXPR (repeatable)")
	durationVar(fs, &f.op.Gap, "gap", 30*time.Minute, "a session is over after so long without events")
	durationVar(fs, &f.op.MaxLength, "max-length", 0, "no session is longer: a later event begins another one (0: any)")
	fs.Uint64Var(&f.op.MaxEvents, "max-events", 0, "no session has more than `N` events, as those of bots (0: any)")
	fs.StringVar(&f.op.StartWhen, "start-when", "", "an event for which `EXPR` is true begins a session")
	fs.StringVar(&f.op.EndWhen, "end-when", "", "an event for which `EXPR` is true ends its session")
	fs.StringArrayVar(&f.op.Keep, "keep", nil,
		"the first value of `FIELDS` or NAME=EXPR, as in 'device=deviceType, country' (repeatable)")
	fs.StringVar(&f.op.Type, "type", "", "count events by the value of `FIELD`")
	fs.IntVar(&f.op.Sequence, "sequence", 0, "the types of the last `N` events (0: none)")
	fs.StringVar(&f.op.Page, "page", "", "the different values of `FIELD` in order, the first and the last one")
	fs.StringVar(&f.op.Convert, "convert", "", "whether there was an event for which `EXPR` is true, and how soon")
	fs.StringVar(&f.op.Funnel, "funnel", "",
		"how many of `STEPS` were reached one after the other: types, or NAME=EXPR, as in 'view, cart, paid=total > 0'")
	onceVar(fs, &f.op.Aggs, "agg", bothIn, "`AGGREGATES` of each session, as in 'sum(bytes), p99(latency_ms)'")
	durationVar(fs, &f.op.Grace, "grace", time.Minute,
		"how late a record may come (default unlimited where the input is finite, else 1m)")
	durationVar(fs, &f.op.MaxAhead, "max-ahead", 0,
		"set records aside that are stamped more than this beyond the wall clock (0: none)")
	fs.StringVar(&f.late, "late", "", "write late records to `ENDPOINT`")
	f.emit = "closed"
	choiceVar(fs, &f.emit, "emit", []string{"closed", "update"},
		"`WHEN` rows are written: closed (the session is over) or update (as they change)")
	durationVar(fs, &f.op.Every, "every", time.Second, "how often --emit update writes what has changed")
	fs.StringVar(&f.op.Abandon, "on-abandon", "",
		"write an event when a session is over for which `EXPR` is true: of its fields, and of the types that it had")
	fs.StringVar(&f.gaveUp, "abandoned", "", "write these events to `ENDPOINT` (default behind the row)")
	fs.BoolVar(&f.op.Events, "events", false,
		"write the records, in order, with session_id, session_seq and session_age_ms")
	durationVar(fs, &f.retention, "retention", 24*time.Hour,
		"how long closed sessions are kept for questions under --listen, 64 MiB of them at most")
	f.state.add(fs)
	sizeVar(fs, &f.op.MaxMemory, "max-memory", 0,
		"about how many `BYTES` of state stay in memory; beyond it, it goes to disk (0: no bound)")
}

func (f *sessionizeFlags) config(cmd *cobra.Command, p *pipeline) session.Config {
	cfg := f.op
	cfg.Update = f.emit == "update"
	if cfg.MaxMemory > 0 {
		cfg.Spill = p.spill()
	}
	if !cmd.Flags().Changed("grace") {
		cfg.GraceUnlimited = f.state.path == "" && !p.live()
	}
	return cfg
}

// serve has questions answered under --listen.
func (f *sessionizeFlags) serve(p *pipeline, op *session.Op) {
	p.metrics = append(p.metrics, figures[session.Stats]{sessionCounts, op.Stats})
	if f.stream.daemon.listen == "" {
		return
	}
	op.KeepHistory(f.retention)
	answers := &api.Sessions{Fleet: p.openFleet(), Convert: f.op.Convert != "", Abandon: f.op.Abandon != ""}
	p.routes = append(p.routes, answers.Routes()...)
}
