package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// consumeFlags is everything that can be said to logctl consume.
type consumeFlags struct {
	stream   streamFlags
	kafka    kafkaInput
	handler  handlerFlags
	dead     deadFlags
	dedup    dedupFlags
	priority priorityFlags
	share    shareFlags
	change   changeFlags
	memory   memoryFlags
	template string
	delivery string
}

func newConsume() *cobra.Command {
	var f consumeFlags
	cmd := &cobra.Command{
		Use:   "consume --from ENDPOINT [--to ENDPOINT]",
		Short: "Read Kafka as a filter: choose, change and pass on records",
		Long: `Consume reads records, from Kafka as a rule, and writes them to stdout, files,
SQLite or Kafka. With --group it goes on where the group has left off, and commits
a record's offset only when what it was written to has taken it.

Several partitions are read in the order of the time that Kafka gave their records,
or of their event time with --time-field.`,
		Example: `  # All that is in a topic now
  logctl consume --from kafka:app-logs --stop end

  # The errors of the last hour, three fields of each, as a table
  logctl consume --from kafka:app-logs --start -1h --stop end --where 'level >= ERROR' \
    --select timestamp,service,path -o table

  # A topic into a database, every record exactly once through any crash
  logctl consume --from kafka:app-logs --stop end --group archive \
    --delivery exactly-once --to sqlite:logs.db

  # Each record to a program that stays and answers it; what it fails with, set aside
  logctl consume --from kafka:app-logs --stop end --group mailer \
    --exec 'cat' --workers 4 --retry 5 --dlq dead.ndjson

  # What is critical first; what is not, after two minutes at the latest
  logctl consume --from kafka:critical-logs,low-logs --stop end --priority strict \
    --promote low=120s --slo critical=800ms`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilCommitted(cmd, func() error { return f.run(cmd, args) })
		},
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, readingSection, f.kafka.add)
	section(fs, readingSection, f.share.add)
	section(fs, readingSection, f.priority.add)
	section(fs, readingSection, f.dedup.add)
	section(fs, handlerSection, f.handler.add)
	section(fs, handlerSection, f.handler.retry.add)
	section(fs, handlerSection, f.dead.add)
	section(fs, outputSection, func(fs *pflag.FlagSet) {
		breakerVars(fs, &f.handler.retry.breaker, &f.handler.retry.openFor)
	})
	f.change.add(fs)
	section(fs, runningSection, f.memory.add)
	fs.StringVar(&f.template, "template", "",
		"write records as `TEXT` with %v value, %k key, %t topic, %p partition, %o offset, %T time, %h headers")
	addDelivery(fs, &f.delivery)
	cmd.AddCommand(newReconcile())
	return cmd
}

func (f *consumeFlags) run(cmd *cobra.Command, args []string) error {
	if len(args)+len(f.stream.input.from) == 0 {
		return fault.Usagef("as in --from kafka:app-logs, or - for standard input", "consume needs an input")
	}
	if err := f.handler.check(cmd, &f.stream.input); err != nil {
		return err
	}
	f.stream.output.template = f.template
	f.stream.objects = f.change.set != "" || f.change.fields == "" && f.stream.output.wantsObjects(cmd)
	p, err := f.stream.newPipeline(cmd, args)
	if err != nil {
		return err
	}
	if err := f.kafka.use(p); err != nil {
		return err
	}
	if err := f.change.apply(p); err != nil {
		return err
	}
	if f.stream.input.timeField != "" {
		p.Plan.ReadTime(f.stream.input.timeField)
	}
	p.Order = f.order(p)
	p.dead = f.dead
	p.producer.timeout = patience // an output that is down holds up reading; nothing is given up for it
	if err := f.guarantee(p); err != nil {
		return err
	}
	if err := f.breakerOf(p); err != nil {
		return err
	}
	if err := f.priority.apply(p, &f.handler.retry); err != nil {
		return err
	}
	if err := f.share.apply(p, f); err != nil {
		return err
	}
	if err := f.dedup.apply(p, f.handler.command != ""); err != nil {
		return err
	}
	if err := f.handler.apply(p); err != nil {
		return err
	}
	free, err := f.memory.apply(p)
	if err != nil {
		return err
	}
	defer free()
	return p.run()
}

// order reads several partitions of a topic in time order. Files are read one
// after the other, as cat does.
func (f *consumeFlags) order(p *pipeline) engine.Order {
	switch {
	case p.endpoints.of(stream.Kafka) > 0:
		return engine.InTime
	case f.stream.input.follow:
		return engine.AsItArrives
	}
	return engine.InSequence
}

// patience is how long consume waits for a topic that it writes to.
const patience = 365 * 24 * time.Hour
