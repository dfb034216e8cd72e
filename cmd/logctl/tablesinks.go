package main

import (
	"cmp"
	"time"

	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/postgres"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// tableOutput says how rows are written into the tables of databases.
type tableOutput struct {
	breaker   *limit.Breaker // each has one like this; nil for none
	within    time.Duration  // how long a server may be down; 0: for ever
	dedup     *dedupFlags    // nil where duplicates are not dropped
	signature string         // of the operator whose state is kept beside the rows
	reset     bool           // that state is discarded
}

// tableOptions says how rows are written.
func (p *pipeline) tableOptions(e stream.Endpoint) store.SinkOptions {
	b := p.tableBreaker(e)
	opt := store.SinkOptions{
		Unique: p.flags.output.unique, Busy: p.busy(b), Breaker: b, Signature: p.tables.signature, Reset: p.tables.reset,
		// Of two endpoints both may read the same topic.
		Onward: p.Exactly && p.endpoints.only(stream.Kafka),
	}
	if d := p.tables.dedup; d != nil {
		opt.Once, opt.OnceTTL, opt.Dropped = d.once, d.ttl, d.drop
	}
	return opt
}

// serverOptions says how rows are written into a server's table.
func (p *pipeline) serverOptions(e stream.Endpoint) postgres.SinkOptions {
	b := p.tableBreaker(e)
	opt := postgres.SinkOptions{
		Unique: p.flags.output.unique, Busy: p.busy(b), Breaker: b, Signature: p.tables.signature, Reset: p.tables.reset,
		Spill: p.spill(), Within: p.tables.within,
	}
	if d := p.tables.dedup; d != nil {
		opt.Once, opt.OnceTTL, opt.Dropped = d.once, d.ttl, d.drop
	}
	return opt
}

// tableBreaker returns the breaker of one table, nil where there is none.
func (p *pipeline) tableBreaker(e stream.Endpoint) *limit.Breaker {
	if p.tables.breaker == nil {
		return nil
	}
	b := &limit.Breaker{Trip: p.tables.breaker.Trip, OpenFor: p.tables.breaker.OpenFor}
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
