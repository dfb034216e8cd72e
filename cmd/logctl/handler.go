package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/exec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/retry"
	"github.com/logctl/logctl/pkg/stream"
)

// handlerFlags say what is done with records by other programs.
type handlerFlags struct {
	command   string
	perRecord bool
	workers   int
	order     string
	timeout   time.Duration
	retry     retryFlags

	envelope bool // handlers read envelopes
}

func (f *handlerFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.command, "exec", "", "give each record, a line, to `COMMAND` (for sh -c), which stays and "+
		`answers a line for each: {"ack":"ok"}, {"ack":"retry","error":…}, {"ack":"fail","error":…}, or output`)
	fs.BoolVar(&f.perRecord, "exec-per-record", false,
		"start --exec once for each record: status 0 is done, 75 asks for another attempt")
	fs.IntVar(&f.workers, "workers", 1, "handlers at a time")
	f.order = orders[0]
	choiceVar(fs, &f.order, "order", orders,
		"records of one `WHAT` are handled one after the other: key, partition or none")
	durationVar(fs, &f.timeout, "exec-timeout", time.Minute, "a handler that does not answer for so long is started again")
}

// orders are the values of --order.
var orders = []string{"key", "partition", "none"}

// check refuses what contradicts itself, and notes who reads envelopes.
func (f *handlerFlags) check(cmd *cobra.Command, in *inputFlags) error {
	own := func(fs *pflag.FlagSet) { new(handlerFlags).add(fs); new(retryFlags).add(fs) }
	if f.command == "" {
		return refuseUnused(cmd, own, "handlers, and there is none", "as in --exec 'jq --unbuffered -c .'")
	}
	if f.retry.breaker == "" && given(cmd, "breaker-open") {
		return fault.Usagef("as in --breaker 10", "--breaker-open is for --breaker, and there is none")
	}
	if f.workers < 1 {
		return fault.Usagef("", "--workers %d: want 1 or more", f.workers)
	}
	if f.timeout <= 0 {
		return fault.Usagef("", "--exec-timeout %v: want more than nothing", f.timeout)
	}
	f.envelope = in.envelope
	if !slices.ContainsFunc(in.from, func(from string) bool { return !strings.HasPrefix(from, "kafka:") }) {
		in.envelope = false // of Kafka, the records are what the envelopes are made of
	}
	return nil
}

// apply has the pipeline's records handled, between its sources and its sinks.
func (f *handlerFlags) apply(p *pipeline) error {
	if f.command == "" {
		return nil
	}
	if p.Exactly {
		return fault.Usagef("a handler that knows an id of what it did makes a second time harmless",
			"exactly once cannot be kept with --exec: what a handler has done cannot be taken back")
	}
	if err := exec.Find(f.command); err != nil {
		return err
	}
	opt := exec.Options{
		Command: f.command, Workers: f.workers, Order: exec.Order(slices.Index(orders, f.order)), PerRecord: f.perRecord,
		Envelope: f.envelope, Timeout: f.timeout, MaxLine: int(p.flags.input.maxRecord), Stderr: p.cmd.ErrOrStderr(),
		Note: p.say, Wrote: func(n int64) { p.Stats.Out.Add(n) },
	}
	if p.Choose != nil {
		opt.Ahead = aheadOfWorker * f.workers
	}
	var err error
	if opt.Policy, err = f.retry.policy(); err != nil {
		return err
	}
	if p.share() != nil && !p.cmd.Flags().Changed("retry") {
		opt.Policy.Most = 0 // the brokers deliver it again
	}
	trip, err := limit.ParseTrip(f.retry.breaker)
	if err != nil {
		return fmt.Errorf("--breaker: %w", err)
	}
	opt.Breaker = &limit.Breaker{Trip: trip, OpenFor: f.retry.openFor}
	if err := f.retry.readTopic(p); err != nil {
		return err
	}
	p.Held, p.Counts = true, true
	p.wrap = func(out stream.Sink) (stream.Sink, error) { return f.open(p, opt, out) }
	return nil
}

// aheadOfWorker is how many records a handler is given at once where some are more
// urgent than others: one that comes waits for so many at most.
const aheadOfWorker = 4

// open opens the handlers before a sink.
func (f *handlerFlags) open(p *pipeline, opt exec.Options, out stream.Sink) (stream.Sink, error) {
	opt.Out, opt.Dead = out, p.Dead
	if f.retry.topic != "" {
		e, err := stream.ParseEndpoint("kafka:" + f.retry.topic)
		if err != nil {
			return nil, err
		}
		if opt.Later, err = p.openTopic(e, nil); err != nil {
			return nil, err
		}
		opt.RetryTopic = f.retry.topic
	}
	letters := "dead letters"
	if share := p.share(); share != nil {
		opt.Dead, opt.Returns = &verdicts{share: share, dead: p.Dead}, true
		if p.Dead == nil {
			letters = "rejected"
		}
	}
	s := exec.Open(opt)
	p.metrics = append(p.metrics, &s.Stats)
	p.notes = append(p.notes, func() string { return s.Stats.Summary(letters) })
	return p.closing(s)
}

// retryFlags say what becomes of records that a handler has failed with.
type retryFlags struct {
	most    int
	backoff string
	on      []string
	rules   string
	topic   string
	breaker string        // of handlers, or of the output where there are none: see consumeFlags.breakerOf
	openFor time.Duration // likewise
}

func (f *retryFlags) add(fs *pflag.FlagSet) {
	fs.IntVar(&f.most, "retry", retry.DefaultMost, "attempts after the first, for each different error")
	fs.StringVar(&f.backoff, "backoff", "100ms..10s",
		"wait `FROM..TO` between attempts, twice as long each time, half of it by chance")
	fs.StringSliceVar(&f.on, "retry-on", []string{retry.Transient, retry.Ambiguous},
		"kinds and classes of `ERRORS` that are tried again; others go to the dead letters")
	fs.StringVar(&f.rules, "retry-rules", "", "kinds and classes of errors by what they say: the lines of `FILE`, as "+
		"'transient TIMEOUT (?i)timed? out'")
	fs.StringVar(&f.topic, "retry-topic", "",
		"records that have to wait for more than a second do so in `TOPIC`, with their count")
}

func (f *retryFlags) policy() (p retry.Policy, err error) {
	if f.most < 0 {
		return p, fault.Usagef("0 is none", "--retry %d: want 0 or more", f.most)
	}
	p.Most = f.most
	if p.Backoff, err = limit.ParseBackoff(f.backoff); err != nil {
		return p, fmt.Errorf("--backoff: %w", err)
	}
	if p.On, err = retry.ParseOn(f.on); err != nil {
		return p, fmt.Errorf("--retry-on: %w", err)
	}
	if f.rules == "" {
		return p, nil
	}
	text, err := os.ReadFile(f.rules)
	if err != nil {
		return p, fault.Usagef("", "reading the rules of errors: %w", err)
	}
	p.Rules, err = retry.ParseRules(string(text), f.rules)
	return p, err
}

// readTopic has the retry topic read beside the others.
func (f *retryFlags) readTopic(p *pipeline) error {
	if f.topic == "" {
		return nil
	}
	for i, e := range p.endpoints {
		if e.Scheme != stream.Kafka {
			continue
		}
		if e.Pattern {
			p.endpoints[i].Except = append(e.Except, f.topic) // not twice
			again := stream.Endpoint{Scheme: stream.Kafka, Topics: []string{f.topic}, Brokers: e.Brokers}
			p.endpoints = append(p.endpoints, again)
		} else {
			p.endpoints[i].Topics = append(slices.Clone(e.Topics), f.topic)
		}
		return nil
	}
	return fault.Usagef("without it, records wait in memory", "--retry-topic is for reading topics, and no input is one")
}
