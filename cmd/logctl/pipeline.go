package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/fleet"
	"github.com/logctl/logctl/pkg/httpapi"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/member"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
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
		addWhere(fs, &f.where)
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

func addWhere(fs *pflag.FlagSet, where *string) {
	onceVar(fs, where, "where", bothTrue, "only records for which `EXPR` is true")
}

// A pipeline is a run being put together: what the flags say so far, and what is open.
type pipeline struct {
	engine.Pipeline
	opened
	cmd     *cobra.Command
	flags   *streamFlags
	started time.Time

	// What is read, and how.
	endpoints endpoints
	made      stream.Source // is there already, instead of the endpoints
	consumer  *kafkaInput   // how topics are read; nil where they are not
	decoder   *codec.Decoder
	absent    map[string]string // what to say of fields that no record has

	// How it is written.
	producer *kafkaOutput                           // how records go to Kafka
	guard    *topicGuard                            // what to do while that is down; nil: fail
	tables   tableOutput                            // how rows go to databases
	pace     *limit.Schedule                        // how fast records are written; nil: as fast as they come
	dead     deadFlags                              // how dead letters are written
	durable  bool                                   // files are synced before offsets are committed
	sink     func() (stream.Sink, error)            // instead of what --to names
	wrap     func(stream.Sink) (stream.Sink, error) // puts something before the sink; may be nil

	// State, transactions and groups.
	checkpoint *checkpoint  // what is kept for the next run; nil: nothing
	inTxn      bool         // all topics are written in one transaction, with the offsets of the groups
	txn        *kafka.Txn   // open if inTxn
	slot       *member.Slot // the place of this member of a group; nil for none
	fleet      *fleet.Fleet // answers questions about the state; nil for none

	// What others see of the run.
	lag    *lagSum         // how far the reading of topics is behind
	doubt  func() error    // why nobody should rely on the run; may be nil
	routes []httpapi.Route // what is also served under --listen
	notes  []func() string // add to the summary; "" adds nothing

	// What is called when.
	starters []func() // when all is open
	ended    func()   // when the run has ended, before the summary; may be nil
}

// newPipeline reads the flags that all commands share. Nothing is opened yet.
func (f *streamFlags) newPipeline(cmd *cobra.Command, args []string) (*pipeline, error) {
	if f.limit < 0 {
		return nil, fault.Usagef("", "--limit %d: want 0, which is no limit, or more", f.limit)
	}
	if err := f.output.check(cmd.Flags().Changed("output")); err != nil {
		return nil, err
	}
	if err := f.daemon.check(); err != nil {
		return nil, err
	}
	list, err := f.input.endpoints(args)
	if err != nil {
		return nil, err
	}
	if err := f.leaveOut(cmd, list); err != nil {
		return nil, err
	}
	dec, err := f.input.decoder(f.objects)
	if err != nil {
		return nil, err
	}
	p := &pipeline{
		cmd: cmd, flags: f, endpoints: list, decoder: dec,
		producer: &kafkaOutput{partition: -1}, started: time.Now(), lag: newLagSum(),
	}
	p.Plan = record.NewPlan()
	if p.Plan.Zone, err = loadZone(f.zone); err != nil {
		return nil, err
	}
	p.Stats = new(engine.Stats)
	p.Parser = func() engine.Parser { return p.decoder.NewParser(p.Plan) }
	p.Strict, p.Limit, p.Idle, p.Drain = f.input.strict, f.limit, f.input.idle, f.daemon.drain
	p.Begin, p.Names = dec.Begin, codec.FieldNames
	if f.where != "" {
		where, err := transform.NewWhere(f.where, p.Plan)
		if err != nil {
			return nil, err
		}
		p.Prepare = append(p.Prepare, where)
		p.Plan.Placed = false // it comes first: whatever else becomes of records, it knows
	}
	return p, nil
}

// open opens sources and sinks, once the plan is complete. Where nothing reads
// fields, records are passed on unparsed.
func (p *pipeline) open() error {
	if err := p.checkUse(); err != nil {
		return err
	}
	var err error
	if p.Sources, err = p.openSources(); err != nil {
		return err
	}
	if p.inTxn {
		if err := p.openTxn(); err != nil {
			return err
		}
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
	p.keepPace()
	if p.wrap != nil {
		if p.Sink, err = p.wrap(p.Sink); err != nil {
			return err
		}
	}
	return p.checkpoint.resume(p.cmd.Context(), p)
}
