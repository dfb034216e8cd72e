package main

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/stream"
)

// dlqFlags say which dead letters a command is about.
type dlqFlags struct {
	from       []string // one
	kafka      kafkaFlags
	classes    []string
	sources    []string
	signatures []string
	since      time.Duration
	anyClass   bool   // a class of which there is no letter is one that may come
	form       string // of rows
}

func newDLQ() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look through dead letters, replay them, put them away",
		Long: `Dead letters are records that could not be dealt with, set aside by --dlq in a topic
or a file: each as it was, byte for byte, with the reason and where it came from in
headers. Dlq shows what there is and sends it back when the cause has gone.`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQList(), newDLQShow(), newDLQStats(), newDLQReplay(), newDLQPurge())
	return cmd
}

func (f *dlqFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.from, "from", nil, "the dead letters: `ENDPOINT` kafka:TOPIC or a file")
	section(fs, kafkaSection, f.kafka.add)
}

// addFilter adds the flags that choose letters.
func (f *dlqFlags) addFilter(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.classes, "class", nil, "only letters of these `CLASSES` (TIMEOUT) or kinds (transient)")
	fs.StringSliceVar(&f.sources, "source", nil, "only letters that came from these `TOPICS` or files")
	fs.StringSliceVar(&f.signatures, "signature", nil, "only letters with these `SIGNATURES`, as stats shows them")
	durationVar(fs, &f.since, "since", 0, "only letters that died within so long (0: ever)")
}

func (f *dlqFlags) filter(now time.Time) dlq.Filter {
	chosen := dlq.Filter{Classes: f.classes, Sources: f.sources, Signatures: f.signatures}
	if f.since > 0 {
		chosen.Since = now.Add(-f.since).UnixNano()
	}
	return chosen
}

// endpoint returns where the letters are.
func (f *dlqFlags) endpoint() (stream.Endpoint, error) {
	if len(f.from) != 1 {
		return stream.Endpoint{}, fault.Usagef("as in --from kafka:app-logs-dlq or --from dead.ndjson",
			"dlq needs one --from")
	}
	e, err := stream.ParseEndpoint(f.from[0])
	switch {
	case err != nil:
		return e, err
	case e.Scheme == stream.Kafka && !e.Pattern && len(e.Topics) == 1, e.Scheme == stream.File && oneFile(e.Path):
		return e, nil
	}
	return e, fault.Usagef("as in --from kafka:app-logs-dlq or --from dead.ndjson",
		"dead letters are in one topic or file, not in %q", f.from[0])
}

// oneFile reports whether a path is no directory and no pattern: what was done
// with letters is noted behind them.
func oneFile(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return !strings.ContainsAny(path, "*?[")
	}
	return !info.IsDir()
}

// longLetter bounds a line of a file of dead letters: the record may be as long
// as any, its envelope is longer.
const longLetter = 64 << 20

// pipeline returns what reads the letters there are now, in the order in which
// they came.
func (f *dlqFlags) pipeline(cmd *cobra.Command) (*pipeline, error) {
	e, err := f.endpoint()
	if err != nil {
		return nil, err
	}
	s := &streamFlags{kafka: f.kafka}
	s.input = inputFlags{
		from: f.from, format: "plain", envelope: e.Scheme == stream.File, maxRecord: longLetter, idle: time.Second,
	}
	s.output.format, s.daemon.drain = "json", 30*time.Second
	p, err := s.newPipeline(cmd, nil)
	if err != nil {
		return nil, err
	}
	if e.Scheme == stream.Kafka {
		p.Order = engine.InTime
	}
	return p, nil
}

// everything is all letters that there are now.
var everything = kafkaInput{stop: "end", isolation: "read_committed"}

var signature = regexp.MustCompile(`^[0-9a-f]{16}$`)

// index looks through the letters.
func (f *dlqFlags) index(cmd *cobra.Command, filter dlq.Filter) (*dlq.Index, error) {
	for _, sign := range filter.Signatures {
		if !signature.MatchString(sign) {
			return nil, fault.Usagef("logctl dlq stats shows them", "--signature %q: want 16 hexadecimal digits", sign)
		}
	}
	p, err := f.pipeline(cmd)
	if err != nil {
		return nil, err
	}
	x := &dlq.Index{Filter: filter}
	err = p.read(x, everything)
	x.Others += int(p.Stats.Bad.Load()) // lines that are no envelopes
	if err != nil || f.anyClass {
		return x, err
	}
	return x, x.CheckClasses()
}

// letters looks through the letters that the flags choose, and says what is odd
// about that: nothing is a letter, or nothing came from where it was looked for.
func (f *dlqFlags) letters(cmd *cobra.Command) (*dlq.Index, error) {
	x, err := f.index(cmd, f.filter(time.Now()))
	if err != nil {
		return nil, err
	}
	if n := x.Others; n > 0 && len(x.Sources()) == 0 {
		note(cmd, "none of the %s records of %s is a dead letter", human.Count(int64(n)), f.from[0])
	}
	for _, name := range f.sources {
		if known := x.Sources(); len(known) > 0 && !slices.Contains(known, name) {
			near := cmp.Or(fault.DidYouMean(name, known), "there are "+strings.Join(known, ", "))
			note(cmd, "no dead letter came from %q; %s", name, near)
		}
	}
	return x, nil
}
