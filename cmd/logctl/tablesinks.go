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

// tableOutput says how rows are written into the tables of databases. Each has a breaker
// like Breaker.
type tableOutput struct {
	table.Options
	within time.Duration // how long a server may be down; 0: for ever
}

// openTable opens a table to write to.
func (p *pipeline) openTable(e stream.Endpoint) (stream.Sink, error) {
	opt := p.tables.Options
	opt.Unique, opt.Breaker = p.flags.output.unique, p.tableBreaker(e)
	opt.Busy = p.busy(opt.Breaker)
	if e.Scheme == stream.SQLite {
		// Of two endpoints both may read the same topic.
		onward := p.Exactly && p.endpoints.only(stream.Kafka)
		s, err := store.OpenSink(p.cmd.Context(), e.Path, e.Table, store.SinkOptions{Options: opt, Onward: onward})
		if err != nil {
			return nil, err
		}
		return p.closing(s)
	}
	s, err := postgres.OpenSink(p.cmd.Context(), e.URL, e.Table, postgres.SinkOptions{
		Options: opt, Spill: p.spill(), Within: p.tables.within,
	})
	if err != nil {
		return nil, err
	}
	return p.closing(s)
}

// tableBreaker returns the breaker of one table, nil where there is none.
func (p *pipeline) tableBreaker(e stream.Endpoint) *limit.Breaker {
	if p.tables.Breaker == nil {
		return nil
	}
	b := &limit.Breaker{Trip: p.tables.Breaker.Trip, OpenFor: p.tables.Breaker.OpenFor}
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
