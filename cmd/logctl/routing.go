package main

import (
	"os"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// A routing is the rules of a run and where they send.
type routing struct {
	flags   *rulesFlags
	p       *pipeline
	file    *route.File
	options route.Options
	stats   *route.Stats
	live    *route.Live
	dests   *destinations
	book    *rulebook
}

func newRouting(f *rulesFlags, p *pipeline) *routing {
	if field := p.flags.input.timeField; field != "" {
		p.Plan.ReadTime(field)
	}
	stats := new(route.Stats)
	return &routing{
		flags: f, p: p, stats: stats, live: new(route.Live), dests: newDestinations(),
		options: route.Options{Plan: p.Plan, Stats: stats},
	}
}

// load reads the rules and finds what is wrong with them, before anything is
// opened.
func (r *routing) load() (err error) {
	if err := r.flags.check(); err != nil {
		return err
	}
	r.options.First = r.flags.match == matchFirst
	if err := r.openRules(); err != nil {
		return err
	}
	if route.IsEmpty(r.book.text) {
		return emptyRules(r.flags.rules)
	}
	if r.file, err = r.book.read(r.book.text); err != nil {
		return err
	}
	t, err := route.Compile(r.file, r.options)
	if err != nil {
		return err
	}
	return r.checkUse(t.Destinations())
}

// checkUse refuses what says how outputs are written that no rule sends to. Of rules
// that may change it is not known what they will send to.
func (r *routing) checkUse(names []string) error {
	if r.flags.watch || r.p.flags.daemon.listen != "" || r.book.table != nil {
		return nil
	}
	to, err := parseEndpoints(names)
	if err != nil {
		return err
	}
	return r.p.flags.output.checkUse(r.p.cmd, to)
}

// attach has the pipeline route.
func (r *routing) attach() {
	p := r.p
	p.Operator = &route.Router{Live: r.live, Stats: r.stats, Now: func() int64 { return time.Now().UnixNano() }}
	p.Parser = func() engine.Parser { return codec.NewLiveParser(p.decoder, r.live.Plan) }
	p.sink = r.open
	p.notes, p.doubt = append(p.notes, r.summary), r.book.ready
	if r.flags.classify == "" {
		p.routes = append(p.routes, r.book.routes()...)
	}
	p.metrics = append(p.metrics, routeCollector{r})
}

// open opens the destinations, and puts the rules in force.
func (r *routing) open() (stream.Sink, error) {
	p := r.p
	p.atEnd(r.dests.close)
	p.Held = true // what a rule names later may hold batches
	r.dests.base = *p
	r.options.Dests = r.dests.set
	if err := r.dests.openFallback(); err != nil {
		return nil, err
	}
	t, err := route.Compile(r.file, r.options)
	if err != nil {
		return nil, err
	}
	r.live.Set(t)
	p.Plan = t.Plan()
	if r.book.shed != nil {
		if err := r.book.shed.open(); err != nil {
			return nil, err
		}
	}
	p.atEnd(r.book.watch())
	if p.txn != nil {
		return p.txn.Around(route.NewSwitch(r.dests.set), p.members()...), nil
	}
	if r.dests.guard != nil && r.dests.guard.on() {
		return route.Tracked{Switch: route.NewSwitch(r.dests.set)}, nil
	}
	return route.NewSwitch(r.dests.set), nil
}

// readRules reads a file of rules that are to be looked at.
func readRules(path string) (*route.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usagef("", "reading rules: %w", err)
	}
	switch {
	case route.IsEmpty(text):
		return nil, emptyRules(path)
	case route.IsClasses(text):
		return route.ParseClasses(path, text)
	}
	return route.Parse(path, text, newRuleFiles(path).read)
}
