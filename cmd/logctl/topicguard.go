package main

import (
	"cmp"
	"time"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// A topicGuard sees to the records of the topic that a pipeline writes to while its
// cluster is down.
type topicGuard struct {
	*guardFlags
	p *pipeline

	asked bool // for by a flag, and not for the sake of an input
	trip  *limit.Breaker
	cond  *expr.Expr  // of --critical, or nil
	sink  *guard.Sink // nil until it is open
	late  *lateTopic  // what it guards, where that was not there when the run began
}

// use has the topic that p writes to guarded where it is to be; what --critical reads
// becomes part of the plan.
func (f *guardFlags) use(p *pipeline) error {
	g := &topicGuard{guardFlags: f, p: p}
	if err := g.check(); err != nil {
		return err
	}
	trip, err := limit.ParseTrip(f.breaker)
	if err != nil || trip.Never() {
		return err
	}
	g.trip = &limit.Breaker{Trip: trip, OpenFor: f.openFor}
	if f.critical != "" {
		if g.cond, err = expr.CompileBool(f.critical, p.Plan); err != nil {
			return err
		}
	}
	p.guard, p.flags.http.closed = g, g.closed
	p.notes = append(p.notes, g.says)
	return nil
}

// check refuses what contradicts itself.
func (g *topicGuard) check() error {
	if g.onOpen == "" {
		g.onOpen = string(guard.Block)
		if g.spoolDir != "" && g.critical == "" {
			g.onOpen = string(guard.Spool)
		}
	}
	list, err := g.p.flags.output.endpoints()
	if err != nil {
		return err
	}
	one := list.only(stream.Kafka) && g.p.producer.txn == ""
	g.asked = cmp.Or(g.breaker, g.critical, g.spoolDir) != ""
	if g.breaker == "" && (g.spoolDir != "" || one && g.p.takesPosts()) {
		g.breaker = defaultTrip
	}
	switch {
	case g.spoolDir == "" && (g.critical != "" || g.onOpen == string(guard.Spool)):
		return fault.Usagef("as in --spool /var/spool/logctl",
			"--critical and --on-open spool need a --spool to put records into")
	case g.asked && !one:
		return fault.Usagef("write to one kafka:TOPIC, without --txn",
			"a breaker and a spool are for one topic that is written to without transactions")
	}
	return nil
}

// drop gives the guard of a pipeline up, for a way to write that needs none.
func (g *topicGuard) drop() {
	if g != nil {
		g.p.guard, g.p.flags.http.closed = nil, nil
	}
}

// closed says why posted records are not taken in for now.
func (g *topicGuard) closed() (why string, retry time.Duration) {
	keeps := g.onOpen == string(guard.Spool) || g.onOpen == string(guard.Drop) && g.cond != nil
	wait := g.trip.Wait(time.Now().UnixNano())
	absent := g.late != nil && !g.late.there() // the one attempt while it is half open is not theirs
	if (wait > 0 || absent) && !keeps {
		return "the cluster that records go to is down: the breaker is open", wait
	}
	return "", 0
}

// open opens the topic; edit may change how. The spool comes before anything is
// connected to.
func (g *topicGuard) open(e stream.Endpoint, edit func(*kafka.SinkConfig)) (stream.Sink, error) {
	cfg := guard.Config{
		Breaker: g.trip, OnOpen: guard.Policy(g.onOpen), Timeout: g.p.producer.timeout, TTL: g.spoolTTL,
		Kept: g.tell(false), Dropped: g.tell(true), Turned: g.p.turned(e.Topics[0], g.meanwhile()),
	}
	var err error
	if g.spoolDir != "" {
		if cfg.Spool, err = g.p.openSpool(g.spoolDir, g.spoolBytes); err != nil {
			return nil, err
		}
	}
	to, err := g.p.openGuarded(e, g.openFor, func(sc *kafka.SinkConfig) {
		edit(sc)
		sc.Breaker = g.trip
	})
	if err != nil {
		return nil, err
	}
	if g.cond != nil {
		cfg.Critical = g.cond.True
	}
	if s := cfg.Spool; s != nil && s.Len() > 0 {
		note(g.p.cmd, "%s records of an earlier run wait in the spool: they are sent first", human.Count(s.Len()))
	}
	g.late, _ = to.(*lateTopic)
	g.sink = guard.New(g.p.cmd.Context(), to, cfg)
	g.p.metrics = append(g.p.metrics, g.sink)
	return g.sink, nil
}

// meanwhile says what records do while the breaker is open.
func (g *topicGuard) meanwhile() string {
	text := whileOpen[guard.Policy(g.onOpen)]
	if g.cond != nil && g.onOpen != string(guard.Spool) {
		text += ", critical ones go into the spool"
	}
	return text
}

// says adds what was guarded to the summary.
func (g *topicGuard) says() string {
	if g.sink == nil {
		return ""
	}
	return g.sink.Summary()
}

// tell has those who posted records know that they are in the spool, or were
// dropped.
func (g *topicGuard) tell(dropped bool) func(*record.Batch) {
	return func(b *record.Batch) {
		if dropped {
			g.p.Stats.Out.Add(-int64(len(b.Recs))) // they were counted when they came to the sink
		}
		for _, in := range g.p.flags.http.opened {
			in.Settle(b, dropped)
		}
	}
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
