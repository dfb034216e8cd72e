package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// routeFlags is everything that can be said to logctl route.
type routeFlags struct {
	stream streamFlags
	kafka  kafkaInput
	write  kafkaOutput
	rules  rulesFlags
	shed   shedFlags
	guard  routeGuard

	fanout   string
	delivery string
}

func newRoute() *cobra.Command {
	var f routeFlags
	cmd := &cobra.Command{
		Use:   "route --rules FILE [--to ENDPOINT] [FILE…]",
		Short: "Send each record where rules say",
		Long: `Route sends each record to the destinations of all rules that it matches, once to
each, and to the default where it matches none: the file's own, else --to, else stdout.

A rule matches by fields (when: a list is any of, keys are all of, * and ? are patterns)
or by an expression (match), and may set, drop, rename and mask fields of what it sends,
send a share of it (sample) or no more than so much (limit):

  rules:
    - name: security
      priority: 1
      when: {level: [ERROR, FATAL], service: [auth, payment-*]}
      to: [kafka:logs-security, kafka:logs-critical]
    - name: failed-logins
      match: message =~ '(?i)failed login' and status >= 400
      to: kafka:logs-security
      set: {team: '"security"'}
      redact: [email, ipv4]
  default: kafka:logs-default`,
		Example: `  # Sort a log into files
  logctl route --rules rules.yaml app.log

  # Why does each record go where it goes?
  logctl route explain --rules rules.yaml app.log

  # Before the rules go live: are they right, and do their examples pass?
  logctl route check rules.yaml
  logctl route test rules.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilCommitted(cmd, func() error { return f.run(cmd, args) })
		},
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	section(fs, writingSection, f.write.add)
	f.rules.add(fs)
	fs.BoolVar(&f.rules.watch, "watch", false, "take a changed file of rules at once; "+
		"a wrong one leaves the last good one in force")
	f.shed.add(fs)
	f.guard.add(fs)
	fs.StringVar(&f.fanout, "fanout", fanoutAll, "`HOW` copies of a record belong together: all (each destination must "+
		"take its own), txn (all in one Kafka transaction, or none), best-effort (the first of each rule must)")
	fs.StringVar(&f.delivery, "delivery", atLeastOnce, "`GUARANTEE`: at-most-once, at-least-once or exactly-once")
	cmd.AddCommand(newRouteCheck(), newRouteTest(), newRouteExplain())
	return cmd
}

func (f *routeFlags) run(cmd *cobra.Command, args []string) error {
	f.stream.objects = f.stream.output.wantsObjects(cmd)
	p, err := f.stream.newPipeline(cmd, args)
	if err != nil {
		return err
	}
	if err := f.kafka.checkUse(p); err != nil {
		return err
	}
	if f.stream.input.timeField != "" {
		p.plan.ReadTime(f.stream.input.timeField)
	}
	p.producer, p.durable = &f.write, f.kafka.group != ""
	p.Order = routeOrder(p)
	r := newRouting(&f.rules, p)
	if len(f.stream.output.to) > 0 {
		r.options.Default = f.stream.output.to
	}
	if err := r.load(); err != nil {
		return err
	}
	if err := f.guarantee(cmd, p, r); err != nil {
		return err
	}
	if r.book.shed, err = f.shed.newShedder(r.book); err != nil {
		return err
	}
	r.attach()
	return p.run(&f.kafka)
}

// routeOrder reads topics and growing files as they come: routing needs no order
// but that of each partition.
func routeOrder(p *pipeline) engine.Order {
	for _, e := range p.endpoints {
		if e.Scheme == stream.Kafka || p.flags.input.follow {
			return engine.AsItArrives
		}
	}
	return engine.InSequence
}

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
	stats := new(route.Stats)
	return &routing{
		flags: f, p: p, stats: stats, live: new(route.Live), dests: newDestinations(p),
		options: route.Options{Plan: p.plan, Stats: stats},
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
	if r.file, err = r.book.parse(r.flags.rules, r.book.text); err != nil {
		return err
	}
	if r.file.Default == nil && r.options.Default == nil {
		r.options.Default = []string{"-"}
	}
	_, err = route.Compile(r.file, r.options)
	return err
}

// attach has the pipeline route.
func (r *routing) attach() {
	p := r.p
	p.Operator = &route.Router{Live: r.live, Stats: r.stats, Now: func() int64 { return time.Now().UnixNano() }}
	p.parser = func() engine.Parser { return codec.NewLiveParser(p.decoder, r.live.Plan) }
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
	p.closers = append(p.closers, r.dests.close)
	r.options.Dests = r.dests.set
	if err := r.dests.openFallback(); err != nil {
		return nil, err
	}
	t, err := route.Compile(r.file, r.options)
	if err != nil {
		return nil, err
	}
	r.live.Set(t)
	p.plan, p.Plan = t.Plan(), t.Plan()
	if r.book.shed != nil {
		if err := r.book.shed.open(); err != nil {
			return nil, err
		}
	}
	p.closers = append(p.closers, r.book.watch())
	if p.txn != nil {
		return p.txn.Around(route.NewSwitch(r.dests.set), p.group), nil
	}
	if r.dests.guard != nil && r.dests.guard.on() {
		return route.Tracked{Switch: route.NewSwitch(r.dests.set)}, nil
	}
	return route.NewSwitch(r.dests.set), nil
}

// readRules reads a file of rules.
func readRules(path string) (*route.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usagef("", "reading rules: %w", err)
	}
	return route.Parse(path, text)
}
