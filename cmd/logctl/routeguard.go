package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// routeGuard says what to do while the cluster behind a destination is down. Each
// topic has a breaker, and a spool, of its own.
type routeGuard struct {
	guardFlags
	fallback string

	limit limit.Trip
	aside stream.Sink // of fallback
	sinks []*guarded
}

func (f *routeGuard) add(fs *pflag.FlagSet) {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags = false
	f.guardFlags.add(own)
	own.VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "critical" { // rules say what matters
			fs.AddFlag(flag)
		}
	})
	fs.StringVar(&f.fallback, "fallback", "", "records go to `ENDPOINT` while the breaker of their topic is open")
}

// check reads the flags.
func (f *routeGuard) check() (err error) {
	if f.breaker == "" && (f.spoolDir != "" || f.fallback != "") {
		f.breaker = defaultTrip
	}
	switch {
	case f.spoolDir != "" && f.fallback != "":
		return fault.Usagef("leave one of them out",
			"both --spool and --fallback say where records go while a breaker is open")
	case f.fallback != "" && f.onOpen != "":
		return fault.Usagef("leave one of them out",
			"both --fallback and --on-open say what records do while a breaker is open")
	case f.fallback != "":
		f.onOpen = string(guard.Drop) // what is dropped is what goes there
	case f.onOpen == "" && f.spoolDir != "":
		f.onOpen = string(guard.Spool)
	case f.onOpen == "":
		f.onOpen = string(guard.Block)
	case f.onOpen == string(guard.Spool) && f.spoolDir == "":
		return fault.Usagef("as in --spool /var/spool/logctl", "--on-open spool needs a --spool to put records into")
	}
	f.limit, err = limit.ParseTrip(f.breaker)
	return err
}

// on reports whether topics are guarded.
func (f *routeGuard) on() bool { return !f.limit.Never() }

// A guarded is a topic with a breaker, and what takes its records while that is
// open.
type guarded struct {
	*guard.Sink
	name   string
	aside  stream.Sink // nil for none
	failed error
}

// open opens a topic with its guard.
func (f *routeGuard) open(p *pipeline, e stream.Endpoint) (stream.Sink, error) {
	trip := &limit.Breaker{Trip: f.limit, OpenFor: f.openFor}
	var dir *spool.Spool
	if f.spoolDir != "" {
		var err error
		if dir, err = p.openSpool(filepath.Join(f.spoolDir, spoolName(e)), f.spoolBytes); err != nil {
			return nil, err
		}
	}
	to, err := p.openGuarded(e, f.openFor, func(sc *kafka.SinkConfig) { sc.Breaker = trip })
	if err != nil {
		return nil, err
	}
	g := &guarded{name: e.Topics[0], aside: f.aside}
	cfg := guard.Config{
		Breaker: trip, OnOpen: guard.Policy(f.onOpen), Timeout: p.producer.timeout,
		Dropped: g.divert, Fallback: f.aside != nil, Spool: dir, TTL: f.spoolTTL,
		Turned: p.turned(e.Topics[0], f.meanwhile()),
	}
	g.Sink = guard.New(p.cmd.Context(), to, cfg)
	p.metrics = append(p.metrics, g.Sink)
	f.sinks = append(f.sinks, g)
	return g, nil
}

// spoolName names the spool of a topic; one of a cluster of its own is not that of its
// namesake in the configured one.
func spoolName(e stream.Endpoint) string {
	return strings.Join(append([]string{e.Topics[0]}, e.Brokers...), "@")
}

// meanwhile says what records do while a breaker is open.
func (f *routeGuard) meanwhile() string {
	if f.aside != nil {
		return "records go to the fallback"
	}
	return whileOpen[guard.Policy(f.onOpen)]
}

// divert takes what the breaker holds back.
func (g *guarded) divert(b *record.Batch) {
	if g.aside != nil && g.failed == nil {
		g.failed = g.aside.Write(b.All())
	}
}

// Write sends rows on, or does with them what is to be done while the breaker is
// open.
func (g *guarded) Write(rows record.Rows) error {
	if err := g.Sink.Write(rows); err != nil {
		return err
	}
	return g.failed
}

// Flush returns when all is settled that can be, that which went elsewhere
// included.
func (g *guarded) Flush(ctx context.Context) error {
	err := errors.Join(g.failed, g.Sink.Flush(ctx))
	if fl, ok := g.aside.(stream.Flusher); ok {
		err = errors.Join(err, fl.Flush(ctx))
	}
	return err
}

// summary says what the breakers have done.
func (f *routeGuard) summary() string {
	var said []string
	for _, g := range f.sinks {
		if text := g.Summary(); text != "" {
			said = append(said, fmt.Sprintf("%s: %s", g.name, text))
		}
	}
	return strings.Join(said, "; ")
}
