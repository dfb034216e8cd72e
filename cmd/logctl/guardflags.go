package main

import (
	"cmp"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// guardFlags say what to do while the cluster that is written to is down.
type guardFlags struct {
	breaker    string
	openFor    time.Duration
	onOpen     string
	critical   string
	spoolDir   string
	spoolBytes int64
	spoolTTL   time.Duration

	asked bool           // by a flag of its own, and not for the sake of an input
	trip  *limit.Breaker // nil for none
	cond  *expr.Expr     // of --critical, or nil
	spool *spool.Spool   // nil for none
	sink  *guard.Sink
	late  *lateTopic // what it guards, where that was not there when the run began
}

func (f *guardFlags) add(fs *pflag.FlagSet) {
	breakerVars(fs, &f.breaker, &f.openFor)
	choiceVar(fs, &f.onOpen, "on-open", policies,
		"what records do while the breaker is open: `POLICY` block, drop or spool (default spool with --spool, else block)")
	fs.StringVar(&f.critical, "critical", "", "records for which `EXPR` is true go into the --spool all the same")
	fs.StringVar(&f.spoolDir, "spool", "", "directory `DIR` in which records wait, to be sent in order later")
	sizeVar(fs, &f.spoolBytes, "spool-bytes", spool.DefaultMaxBytes,
		"greatest size of the spool; when it is full records wait")
	durationVar(fs, &f.spoolTTL, "spool-ttl", 0,
		"records that have waited in the spool for longer are counted and not sent (0: none)")
}

// breakerVars declares what is said of a breaker, wherever there is one. Without
// --breaker produce has one of defaultTrip with --spool or posted records.
func breakerVars(fs *pflag.FlagSet, trip *string, openFor *time.Duration) {
	fs.StringVar(trip, "breaker", "",
		"stop trying for --breaker-open after `N` failures in a row, or P%/N: P % of the last N")
	durationVar(fs, openFor, "breaker-open", limit.DefaultOpenFor, "how long it stays open; then one attempt is made")
}

// defaultTrip is when the breaker opens of what has one without being told to.
const defaultTrip = "10"

var policies = []string{string(guard.Block), string(guard.Drop), string(guard.Spool)}

// prepare reads the flags; what --critical reads becomes part of the plan.
func (f *guardFlags) prepare(p *pipeline) error {
	if err := f.check(p); err != nil {
		return err
	}
	trip, err := limit.ParseTrip(f.breaker)
	if err != nil || trip.Never() {
		return err
	}
	f.trip = &limit.Breaker{Trip: trip, OpenFor: f.openFor}
	if f.critical != "" {
		if f.cond, err = expr.CompileBool(f.critical, p.Plan); err != nil {
			return err
		}
	}
	p.guard = f
	p.flags.http.closed = f.closed
	p.notes = append(p.notes, func() string {
		if f.sink == nil {
			return ""
		}
		return f.sink.Summary()
	})
	return nil
}

// check refuses what contradicts itself.
func (f *guardFlags) check(p *pipeline) error {
	if f.onOpen == "" {
		f.onOpen = string(guard.Block)
		if f.spoolDir != "" && f.critical == "" {
			f.onOpen = string(guard.Spool)
		}
	}
	list, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	one := list.only(stream.Kafka) && p.producer.txn == ""
	f.asked = cmp.Or(f.breaker, f.critical, f.spoolDir) != ""
	if f.breaker == "" && (f.spoolDir != "" || one && p.takesPosts()) {
		f.breaker = defaultTrip
	}
	switch {
	case f.spoolDir == "" && (f.critical != "" || f.onOpen == string(guard.Spool)):
		return fault.Usagef("as in --spool /var/spool/logctl",
			"--critical and --on-open spool need a --spool to put records into")
	case f.asked && !one:
		return fault.Usagef("write to one kafka:TOPIC, without --txn",
			"a breaker and a spool are for one topic that is written to without transactions")
	}
	return nil
}

// closed says why posted records are not taken in for now.
func (f *guardFlags) closed() (why string, retry time.Duration) {
	keeps := f.onOpen == string(guard.Spool) || f.onOpen == string(guard.Drop) && f.cond != nil
	wait := f.trip.Wait(time.Now().UnixNano())
	absent := f.late != nil && !f.late.there() // the one attempt while it is half open is not theirs
	if (wait > 0 || absent) && !keeps {
		return "the cluster that records go to is down: the breaker is open", wait
	}
	return "", 0
}

// openSpool opens the spool, if there is to be one, before anything is connected to.
func (f *guardFlags) openSpool(p *pipeline) (err error) {
	if f.spoolDir != "" {
		f.spool, err = p.openSpool(f.spoolDir, f.spoolBytes)
	}
	return err
}

// wrap guards a topic that is written to.
func (f *guardFlags) wrap(p *pipeline, to guard.Target) (stream.Sink, error) {
	cfg := guard.Config{
		Breaker: f.trip, OnOpen: guard.Policy(f.onOpen), Timeout: p.producer.timeout,
		Kept: f.tell(p, false), Dropped: f.tell(p, true),
	}
	list, err := p.flags.output.endpoints()
	if err != nil {
		return nil, err
	}
	meanwhile := whileOpen[cfg.OnOpen]
	if f.cond != nil && cfg.OnOpen != guard.Spool {
		meanwhile += ", critical ones go into the spool"
	}
	cfg.Turned = p.turned(list[0].Topics[0], meanwhile)
	if f.cond != nil {
		cfg.Critical = f.cond.True
	}
	cfg.Spool, cfg.TTL = f.spool, f.spoolTTL
	if f.spool != nil && f.spool.Len() > 0 {
		note(p.cmd, "%s records of an earlier run wait in the spool: they are sent first", human.Count(f.spool.Len()))
	}
	f.late, _ = to.(*lateTopic)
	f.sink = guard.New(p.cmd.Context(), to, cfg)
	p.metrics = append(p.metrics, f.sink)
	return f.sink, nil
}

// openSpool opens a spool for as long as the run lasts. What is missing of it is said.
func (p *pipeline) openSpool(dir string, most int64) (*spool.Spool, error) {
	s, err := spool.Open(dir, spool.Config{MaxBytes: most, Lost: func(n int64) {
		note(p.cmd, "spool %q: %s records that were in it are missing: a file of it was cut off or removed; "+
			"what is left is sent", dir, human.Count(n))
	}})
	if err == nil {
		p.atEnd(s.Close)
	}
	return s, err
}

// tell has those who posted records know that they are in the spool, or were
// dropped.
func (f *guardFlags) tell(p *pipeline, dropped bool) func(*record.Batch) {
	return func(b *record.Batch) {
		if dropped {
			p.Stats.Out.Add(-int64(len(b.Recs))) // they were counted when they came to the sink
		}
		for _, in := range p.flags.http.opened {
			in.Settle(b, dropped)
		}
	}
}
