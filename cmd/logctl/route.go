package main

import (
	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/engine"
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
each, and to the default where it matches none: --to, else the file's own, else stdout.

A rule matches by fields (when: a list is any of, keys are all of, * and ? are patterns),
by an expression (match) or by a Sigma rule in a file of its own (sigma), and may set,
drop, rename and mask fields of what it sends, send a share of it (sample) or no more
than so much (limit):

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
	f.fanout = fanoutAll
	choiceVar(fs, &f.fanout, "fanout", []string{fanoutAll, fanoutTxn, fanoutBestEffort},
		"`HOW` copies of a record belong together: all (each destination must take its own), txn (all in one "+
			"Kafka transaction, or none), best-effort (the first of each rule must)")
	addDelivery(fs, &f.delivery)
	cmd.AddCommand(newRouteCheck(), newRouteTest(), newRouteExplain())
	return cmd
}

func (f *routeFlags) run(cmd *cobra.Command, args []string) error {
	f.stream.objects = f.stream.output.wantsObjects(cmd)
	p, err := f.stream.newPipeline(cmd, args)
	if err != nil {
		return err
	}
	if err := f.kafka.use(p); err != nil {
		return err
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
	return p.run()
}

// routeOrder reads topics and growing files as they come: routing needs no order
// but that of each partition.
func routeOrder(p *pipeline) engine.Order {
	if p.endpoints.of(stream.Kafka) > 0 || p.flags.input.follow {
		return engine.AsItArrives
	}
	return engine.InSequence
}
