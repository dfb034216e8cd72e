package main

import (
	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/session"
	"github.com/logctl/logctl/pkg/stream"
)

func newSessionize() *cobra.Command {
	var f sessionizeFlags
	cmd := &cobra.Command{
		Use:   "sessionize [--key FIELDS] [--gap DURATION] [FILE…]",
		Short: "Gather the events of each user into sessions",
		Long: `Sessionize writes one row for each session of a user: a run of events no farther
apart than --gap. Events that come out of order extend sessions, or make one of
two, so that the rows are those of sorted input.

A funnel and what else cuts a session need the events in order: they are held
until --grace has passed, over a file without --grace until its end.`,
		Example: `  # Who visited, for how long, with how many bytes and which last page
  logctl sessionize --key client --agg 'sum(bytes), last(path)' -o table access.log

  # Visits of at most an hour, their pages, and whether there was a download
  logctl sessionize --key client --max-length 1h --page path \
    --convert 'path =~ "^/downloads/"' access.log

  # How far users come, and who gives up on the way
  logctl sessionize --key user_id --funnel 'login=path == "/login", cart=path =~ "cart"' \
    --on-abandon 'funnel_step == 1' app.log

  # The requests themselves, numbered within their sessions
  logctl sessionize --key client --events access.log`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilCommitted(cmd, func() error { return f.run(cmd, args) })
		},
	}
	f.add(cmd)
	cmd.AddCommand(newSessionizeQuery())
	return cmd
}

func (f *sessionizeFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.check(); err != nil {
		return err
	}
	f.stream.objects = f.op.Events
	p, err := f.stream.newPipeline(cmd, args)
	if err == nil {
		err = f.kafka.use(p)
	}
	if err != nil {
		return err
	}
	if f.op.Type == "" {
		p.absent = map[string]string{session.DefaultType: "--type FIELD says where the type of an event is"}
	}
	p.Plan.ReadTime(f.stream.input.timeField)
	p.Plan.Whole = f.op.Events
	op, err := session.New(f.config(cmd, p), p.Plan)
	if err != nil {
		return err
	}
	p.Operator, p.Order = op, engine.InTime
	if len(f.stream.output.unique) == 0 && !f.op.Events {
		f.stream.output.unique = op.RowKey()
	}
	if err := f.state.open(p); err != nil {
		return p.close(err)
	}
	if err := f.openSides(p, op); err != nil {
		return p.close(err)
	}
	f.serve(p, op)
	late := func() int64 { return op.Stats().Late }
	p.notes = append(p.notes,
		func() string { return lateness(late(), op.Stats().GraceNeeded) },
		func() string { return f.cutNote(op.Stats().Cut) },
		p.undated,
		func() string { return p.unfinished("open sessions", op.Stats().Open) })
	by := f.op.Key
	if len(by) == 0 {
		by = []string{session.DefaultKey}
	}
	another := func(stream.Task) stream.Operator { return op.Another() }
	return f.state.run(p, grouping{by, another, late})
}

// mostSequence is how many values tail() keeps at most.
const mostSequence = 1000

// check refuses what cannot be meant.
func (f *sessionizeFlags) check() error {
	if f.op.Events && f.emit == "update" {
		return fault.Usagef("drop one of them",
			"--emit update is for rows of sessions, --events writes the records themselves")
	}
	if f.op.Sequence < 0 || f.op.Sequence > mostSequence {
		return fault.Usagef("as in --sequence 20", "--sequence %d: want a number from 0 to %d", f.op.Sequence, mostSequence)
	}
	return nil
}

// openSides opens where late records and abandoned sessions go.
func (f *sessionizeFlags) openSides(p *pipeline, op *session.Op) error {
	if err := p.openLate(f.late, op.SetLate); err != nil {
		return err
	}
	if f.gaveUp == "" {
		return f.checkAbandoned()
	}
	e, err := stream.ParseEndpoint(f.gaveUp)
	if err != nil {
		return err
	}
	sink, err := p.openSink(e)
	if err != nil {
		return err
	}
	op.SetAbandoned(p.aside(sink))
	return nil
}

// checkAbandoned refuses events in a table whose rows they would replace.
func (f *sessionizeFlags) checkAbandoned() error {
	list, err := f.stream.output.endpoints()
	if err != nil || f.op.Abandon == "" {
		return err
	}
	if list.of(databases...) > 0 {
		return fault.Usagef("say where they go: --abandoned gave-up.ndjson",
			"--on-abandon: its events have the ids of their sessions, whose rows they would replace in a table")
	}
	return nil
}

// cutNote says how many sessions were as long as --max-events allows: bots,
// mostly.
func (f *sessionizeFlags) cutNote(n int64) string {
	if n == 0 {
		return ""
	}
	return "cut by --max-events " + human.Count(n)
}
