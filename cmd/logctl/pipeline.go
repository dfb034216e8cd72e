package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/member"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/term"
	"github.com/logctl/logctl/pkg/transform"
)

// streamFlags are those of every command that takes records from sources to
// sinks.
type streamFlags struct {
	input  inputFlags
	output outputFlags
	http   httpInput
	kafka  kafkaFlags
	daemon daemonFlags
	where  string
	limit  int64
	zone   string

	objects bool // records are to be JSON objects
}

func (f *streamFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	section(fs, inputSection, f.input.add)
	section(fs, inputSection, func(fs *pflag.FlagSet) {
		fs.StringVar(&f.where, "where", "", "only records for which `EXPR` is true")
		fs.Int64Var(&f.limit, "limit", 0, "end after `N` records (0: no limit)")
	})
	section(fs, outputSection, f.output.add)
	section(fs, outputSection, func(fs *pflag.FlagSet) {
		fs.StringVar(&f.zone, "tz", "UTC", "show times in `ZONE`, where days begin too: Europe/Berlin, Local, +02:00")
	})
	section(fs, receivingSection, f.http.add)
	section(fs, kafkaSection, f.kafka.add)
	section(fs, runningSection, f.daemon.add)
}

// A pipeline is a run being put together: what the flags say so far.
type pipeline struct {
	engine.Pipeline
	cmd       *cobra.Command
	flags     *streamFlags
	endpoints []stream.Endpoint
	decoder   *codec.Decoder
	plan      *record.Plan
	made      stream.Source   // generated records, instead of the endpoints
	producer  *kafkaOutput    // how records go to Kafka
	guard     *guardFlags     // what to do while that is down; nil: fail
	pace      *limit.Schedule // how fast records are written; nil: as fast as they come

	dedup *dedupFlags                            // of a table that drops duplicates; nil for none
	dead  deadFlags                              // how dead letters are written
	wrap  func(stream.Sink) (stream.Sink, error) // puts something before the sink; may be nil

	durable    bool               // files are synced before offsets are committed
	checkpoint *checkpoint        // what is kept for the next run; nil: nothing
	inTxn      bool               // all topics are written in one transaction, with the offsets of the group
	txn        *kafka.Txn         // open, where inTxn
	group      *kafka.Source      // whose offsets are in it; nil for none
	share      *kafka.ShareSource // the source, where it is a share group's
	slot       *member.Slot       // the place of this member of a group; nil for none

	signature  string          // of the operator whose state a table keeps beside the rows
	resetState bool            // what it keeps is discarded
	shuffled   *kafka.Shuffled // the input is a topic of package shuffle
	noDead     bool            // another pipeline sees to the dead letters
	ended      func()          // called when the run has ended, before the summary; may be nil

	topics  []*kafka.Sink  // for their reports
	opened  []func()       // called when all is open
	closers []func() error // called at the end, the last one first
	metrics []prometheus.Collector
	outputs []string                    // topics written to, as metrics call them
	doubt   func() error                // why nobody should rely on the run; may be nil
	routes  []httpapi.Route             // what is served besides under --listen
	parser  func() engine.Parser        // instead of the decoder's own for the plan
	sink    func() (stream.Sink, error) // instead of what --to names
	notes   []func() string             // add to the summary; "" adds nothing
	started time.Time
}

// newPipeline reads the flags that all commands share. Nothing is opened yet.
func (f *streamFlags) newPipeline(cmd *cobra.Command, args []string) (*pipeline, error) {
	if f.limit < 0 {
		return nil, fault.Usagef("", "--limit %d: want 0, which is no limit, or more", f.limit)
	}
	if err := f.output.check(cmd.Flags().Changed("output")); err != nil {
		return nil, err
	}
	list, err := f.input.endpoints(args)
	if err != nil {
		return nil, err
	}
	dec, err := f.input.decoder(f.objects)
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		cmd: cmd, flags: f, endpoints: list, decoder: dec, plan: record.NewPlan(),
		producer: &kafkaOutput{partition: -1}, started: time.Now(),
	}
	if p.plan.Zone, err = loadZone(f.zone); err != nil {
		return nil, err
	}
	p.Stats = new(engine.Stats)
	p.Strict, p.Limit, p.Idle, p.Drain = f.input.strict, f.limit, f.input.idle, f.daemon.drain
	p.Begin, p.Names = dec.Begin, codec.FieldNames
	if f.where != "" {
		where, err := transform.NewWhere(f.where, p.plan)
		if err != nil {
			return nil, err
		}
		p.Prepare = append(p.Prepare, where)
	}
	return p, nil
}

// open opens sources and sinks, once the plan is complete. Where nothing reads
// fields, records are passed on unparsed.
func (p *pipeline) open(k *kafkaInput) error {
	if err := p.flags.http.checkUse(p); err != nil {
		return err
	}
	sources, err := p.openSources(k)
	if err != nil {
		return err
	}
	p.Sources, p.Plan = sources, p.plan
	if p.inTxn {
		if err := p.openTxn(); err != nil {
			return err
		}
	}
	p.Parser = p.parser
	if p.Parser == nil {
		p.Parser = func() engine.Parser { return p.decoder.NewParser(p.plan) }
	}
	if err := p.openDead(); err != nil {
		return err
	}
	if p.sink != nil {
		p.Sink, err = p.sink()
	} else {
		err = p.openSinks()
	}
	if err != nil {
		return err
	}
	if p.wrap != nil {
		if p.Sink, err = p.wrap(p.Sink); err != nil {
			return err
		}
	}
	return p.checkpoint.resume(p.cmd.Context(), p)
}

// refused takes what a topic refuses for its own sake, as too large.
func (p *pipeline) refused(b *record.Batch) error {
	p.Stats.Bad.Add(int64(len(b.Faults)))
	p.Stats.Out.Add(-int64(len(b.Faults)))
	if p.Strict || p.Dead == nil {
		return fault.Hint(fmt.Errorf("%s: %s", engine.Place(b, b.Faults[0].Row), b.Faults[0].Reason),
			"--dlq ENDPOINT sets such records aside and goes on")
	}
	return engine.WriteDead(p.Dead, b)
}

// run opens and runs the pipeline with all that surrounds it: progress,
// --listen, the summary, and the closing of what was opened. k says how topics
// are read; nil where they are not.
func (p *pipeline) run(k *kafkaInput) error {
	stop := func() {}
	err := p.open(k)
	if err == nil {
		stop, err = p.flags.daemon.serve(p.cmd, p.ready, p.routes, append(p.metrics, p.Stats)...)
	}
	if err != nil {
		return p.close(err)
	}
	defer stop()
	for _, f := range p.opened {
		f()
	}
	quiet, _ := p.cmd.Flags().GetBool("quiet")
	progress := term.StartProgress(p.cmd.ErrOrStderr(), quiet, p.progress)
	err = engine.Run(p.cmd.Context(), p.Pipeline)
	progress.Stop()
	if p.ended != nil {
		p.ended()
	}
	if err = p.close(err); errors.Is(err, syscall.EPIPE) {
		return err // whoever read the output has had enough: nothing is worth saying
	}
	if errors.Is(err, kafka.ErrAborted) {
		return err // it begins again
	}
	p.summary()
	if err == nil && p.Strict && p.Stats.Bad.Load() > 0 {
		return &fault.Error{Err: errors.New("bad records"), Status: fault.Failed, Quiet: true}
	}
	return err
}

// ready says why nobody should rely on the run yet: its state is not there.
func (p *pipeline) ready() error {
	if n := p.Stats.Restoring.Load(); n > 0 {
		return fmt.Errorf("state is being restored: %s of its tasks are not ready", human.Count(n))
	}
	if p.doubt != nil {
		return p.doubt()
	}
	return nil
}

// close closes what was opened, and adds what goes wrong to err unless that
// says it already.
func (p *pipeline) close(err error) error {
	for _, v := range slices.Backward(p.closers) {
		if e := v(); !errors.Is(err, e) {
			err = errors.Join(err, e)
		}
	}
	p.closers = nil
	return err
}

// summary says on stderr what came in and what became of it.
func (p *pipeline) summary() {
	var b strings.Builder
	b.WriteString(p.Stats.Summary())
	for _, n := range p.notes {
		if s := n(); s != "" {
			b.WriteString(", " + s)
		}
	}
	if n := p.mismatches(); n > 0 {
		fmt.Fprintf(&b, ", type mismatches %s", human.Count(n))
	}
	note(p.cmd, "%s", b.String())
	for _, path := range p.Stats.Unseen(p.plan) {
		if p.Stats.In.Load() == p.Stats.Bad.Load() {
			break // none could be read at all
		}
		hint := ""
		if names := p.Stats.Names(); !slices.Contains(names, path) { // else the format has it, and no record
			hint = fault.DidYouMean(path, names)
		}
		note(p.cmd, "no record has a field %q%s", path, suffix(hint))
	}
}

// mismatches returns how many comparisons met a value of another type, as text
// beside a number.
func (p *pipeline) mismatches() (n int64) {
	count := func(part any) {
		if m, ok := part.(interface{ Mismatches() int64 }); ok {
			n += m.Mismatches()
		}
	}
	count(p.Operator)
	for _, part := range p.Prepare {
		count(part)
	}
	return n
}

func suffix(hint string) string {
	if hint == "" {
		return ""
	}
	return "; " + hint
}

// progress reports how far the run is, for the terminal.
func (p *pipeline) progress() term.State {
	now := term.State{Records: p.Stats.In.Load()}
	known := true
	for _, s := range p.Sources {
		src, ok := s.(interface{ Progress() (read, total int64) })
		if !ok {
			known = false
			continue
		}
		read, total := src.Progress()
		now.Bytes += read
		now.Total += total
		known = known && total > 0
	}
	if !known {
		now.Total = 0
	}
	if now.Bytes == 0 {
		now.Bytes = p.Stats.Bytes.Load()
	}
	return now
}
