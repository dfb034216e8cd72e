package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/stream"
)

// breakerOf has --breaker be that of the output, where no handler has it: of the topic
// that is written to, or of each table.
func (f *consumeFlags) breakerOf(p *pipeline) error {
	trip, err := limit.ParseTrip(f.handler.retry.breaker)
	switch {
	case err != nil:
		return fmt.Errorf("--breaker: %w", err)
	case f.handler.command != "":
		return nil
	case trip.Never():
		own := func(fs *pflag.FlagSet) { breakerVars(fs, new(string), new(time.Duration)) }
		return refuseUnused(p.cmd, own, "a breaker, and there is none", "as in --breaker 10 --breaker-open 30s")
	}
	list, err := p.flags.output.endpoints()
	if err != nil {
		return err
	}
	switch {
	case p.inTxn:
		return fault.Usagef("leave --breaker out: reading waits for the cluster anyway",
			"--breaker is for outputs that are written to without transactions")
	case list.of(stream.Kafka) > 0:
		g := &guardFlags{breaker: f.handler.retry.breaker, openFor: f.handler.retry.openFor}
		return g.use(p)
	case list.of(databases...) > 0:
		p.tables.Breaker = &limit.Breaker{Trip: trip, OpenFor: f.handler.retry.openFor}
		return nil
	default:
		return fault.Usagef("as in --exec 'jq --unbuffered -c .', or --to kafka:TOPIC",
			"--breaker is for what may be down: handlers, topics and databases")
	}
}

// whileOpen are what records do while the breaker of their topic is open.
var whileOpen = map[guard.Policy]string{
	guard.Block: "records wait", guard.Spool: "records go into the spool", guard.Drop: "records are dropped",
}

// turned returns what says that the breaker of a topic has opened, what records do
// meanwhile, and that it is over.
func (p *pipeline) turned(topic, meanwhile string) func(open bool) {
	return func(open bool) {
		if open {
			note(p.cmd, "topic %q: the breaker is open: %s", topic, meanwhile)
		} else {
			note(p.cmd, "topic %q: the breaker is closed again", topic)
		}
	}
}
