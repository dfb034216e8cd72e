package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
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
		return g.prepare(p)
	case list.of(databases...) > 0:
		p.trip = &limit.Breaker{Trip: trip, OpenFor: f.handler.retry.openFor}
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

// tableBreaker returns the breaker of one table, nil where there is none.
func (p *pipeline) tableBreaker(e stream.Endpoint) *limit.Breaker {
	if p.trip == nil {
		return nil
	}
	b := &limit.Breaker{Trip: p.trip.Trip, OpenFor: p.trip.OpenFor}
	p.show(cmp.Or(e.Table, table.Default), guard.Metrics(b))
	p.notes = append(p.notes, func() string {
		if b.Opened() == 0 {
			return ""
		}
		return "breaker opened " + human.Count(b.Opened())
	})
	return b
}

// busy returns what says that a database is down or another process's for now. It waits
// while the breaker is open, and gives up when the command was interrupted.
func (p *pipeline) busy(b *limit.Breaker) func(error) error {
	return func(err error) error {
		ctx := p.cmd.Context()
		if ctx.Err() != nil {
			return err
		}
		if b == nil || b.State(time.Now().UnixNano()) != limit.Open {
			note(p.cmd, "%v; waiting for it", err)
			return nil
		}
		wait := b.Wait(time.Now().UnixNano())
		note(p.cmd, "%v; the breaker is open, the next attempt is in %s", err, human.Span(wait.Round(time.Millisecond)))
		select {
		case <-time.After(wait):
			return nil
		case <-ctx.Done():
			return err
		}
	}
}
