package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// reconcileFlags is everything that can be said to logctl consume reconcile.
type reconcileFlags struct {
	consume consumeFlags // how the table was filled
	sink    string
	key     string
	repair  bool
	form    string // of what is found

	table stream.Endpoint
}

func newReconcile() *cobra.Command {
	var f reconcileFlags
	cmd := &cobra.Command{
		Use:   "reconcile --from kafka:TOPIC --sink sqlite:FILE#TABLE",
		Short: "Compare a topic with the table it was written to, and repair it",
		Long: `Reconcile reads a topic, or a range of it, and looks for the row of each record in the
table that consume has written. It prints what differs: records that are missing, names
with duplicate rows, and rows that are surplus, because their record is not in the topic.
A record is known by where it came from, or with --key by a field, whose rows may then
come from anywhere.

With --repair it reads the missing records again and writes them. Say --where, --set,
--select and --format as they were when the table was filled. Records from the position on
that the table keeps (consume --delivery exactly-once) are waiting, not missing.

The status is 1 where anything differs, and is not repaired.`,
		Example: `  # Is each record of the topic in the table?
  logctl consume reconcile --from kafka:app-logs --sink sqlite:logs.db -o table

  # What the last hour lacks by its own ids, read again and written
  logctl consume reconcile --from kafka:app-logs --start -1h --sink sqlite:logs.db --key id --repair`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	c, fs := &f.consume, cmd.Flags()
	fs.StringVar(&f.sink, "sink", "", "compare with table `ENDPOINT` sqlite:FILE#TABLE or postgres://HOST/DB#TABLE")
	fs.StringVar(&f.key, "key", "", "`FIELD` that names a record (default where it came from, or what the table's rows "+
		"are unique by)")
	fs.BoolVar(&f.repair, "repair", false, "read the missing records again and write them")
	addForm(fs, &f.form, forms...)
	section(fs, inputSection, some(c.stream.input.add, "from", "format", "multiline", "max-record"))
	section(fs, inputSection, func(fs *pflag.FlagSet) { addWhere(fs, &c.stream.where) })
	section(fs, inputSection, c.change.add)
	section(fs, readingSection, some(c.kafka.add, "start", "stop", "only-partitions", "isolation"))
	section(fs, kafkaSection, c.stream.kafka.add)
	fs.Lookup("stop").DefValue, c.kafka.stop = "end", "end"
	return cmd
}

// some adds the named ones of the flags that add adds.
func some(add func(*pflag.FlagSet), names ...string) func(*pflag.FlagSet) {
	return func(fs *pflag.FlagSet) {
		all := pflag.NewFlagSet("", pflag.ContinueOnError)
		add(all)
		for _, name := range names {
			fs.AddFlag(all.Lookup(name))
		}
	}
}

func (f *reconcileFlags) run(cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	p, err := f.pipeline(cmd)
	if err != nil {
		return err
	}
	column := -1
	if f.key != "" {
		column = p.Plan.Column(f.key)
	}
	c, err := f.open(cmd.Context(), p, column)
	if err != nil {
		return p.close(err)
	}
	return p.close(f.compare(cmd, p, c))
}

// check reads what the flags say, and asks the table what makes its rows unique.
func (f *reconcileFlags) check(cmd *cobra.Command) error {
	var err error
	switch {
	case len(f.consume.stream.input.from) != 1:
		return fault.Usagef("as in --from kafka:app-logs", "reconcile needs one --from")
	case f.sink == "":
		return fault.Usagef("as in --sink sqlite:logs.db#logs", "reconcile needs a --sink to compare with")
	case f.consume.kafka.stop == "":
		return fault.Usagef("as in --stop end", "--stop \"\": reconcile has to end somewhere")
	}
	from := f.consume.stream.input.from[0]
	if e, err := stream.ParseEndpoint(from); err != nil {
		return err
	} else if e.Scheme != stream.Kafka {
		return fault.Usagef("as in --from kafka:app-logs", "--from %q: reconcile reads topics", from)
	}
	if f.table, err = stream.ParseEndpoint(f.sink); err != nil {
		return err
	}
	unique, err := f.uniqueFields(cmd.Context())
	f.consume.stream.output.unique = unique
	switch {
	case err != nil || f.key != "" || len(unique) == 0:
		return err
	case len(unique) > 1:
		return fault.Usagef("as in --key "+unique[0], "rows of %q are unique by %s: want the --key of a record", f.sink,
			strings.Join(unique, ","))
	}
	f.key = unique[0]
	return nil
}

// pipeline returns what reads the records as they were read for the table.
func (f *reconcileFlags) pipeline(cmd *cobra.Command) (*pipeline, error) {
	s := f.consume.stream
	s.output.format, s.output.to = "json", []string{f.sink}
	s.objects = f.consume.change.set != "" || f.consume.change.fields == ""
	p, err := s.newPipeline(cmd, nil)
	if err != nil {
		return nil, err
	}
	p.tables.within = serverWithin
	return p, f.consume.change.apply(p)
}

// compare reads the records, says what differs, and repairs that where it is asked to.
func (f *reconcileFlags) compare(cmd *cobra.Command, p *pipeline, c *store.Comparison) error {
	src, err := f.consume.kafka.open(p, p.endpoints[0])
	if err != nil {
		return err
	}
	p.made = src
	if err := p.feed(c); err != nil {
		return err
	}
	spans := spansOf(src)
	found, err := c.Compare(cmd.Context(), spans)
	if err != nil {
		return err
	}
	if err := printDifferences(cmd, f.form, c.Differences(cmd.Context())); err != nil {
		return err
	}
	note(cmd, "%s", tallied(found))
	if f.repair && found.Missing > 0 {
		if err := f.mend(cmd, c); err != nil {
			return err
		}
		if found, err = c.Compare(cmd.Context(), spans); err != nil {
			return err
		}
		note(cmd, "after the repair: %s", tallied(found))
	}
	if found.Differs() {
		return fault.No("topic and table differ")
	}
	return nil
}

func spansOf(src *kafka.Source) []store.Span {
	var spans []store.Span
	for _, s := range src.Spans() {
		spans = append(spans, store.Span{Source: s.Topic, Partition: s.Partition, From: s.From, To: s.To})
	}
	return spans
}
