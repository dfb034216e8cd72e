package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/transform"
)

// produceFlags is everything that can be said to logctl produce.
type produceFlags struct {
	stream   streamFlags
	kafka    kafkaOutput
	guard    guardFlags
	key      string
	profiles profileFlags
	outbox   string
	rate     string
	rateWait time.Duration
	report   bool
	generate generateFlags
}

func newProduce() *cobra.Command {
	var f produceFlags
	cmd := &cobra.Command{
		Use:   "produce --to kafka:TOPIC [FILE…]",
		Short: "Ship lines, files or generated load into Kafka or any sink",
		Long: `Produce ships every line of its input as one record, byte for byte. It ends when
all of them are acknowledged, and says how many were.`,
		Example: `  # A log, each client's lines in one partition
  logctl produce --to kafka:access --key client access.log

  # Follow a file across rotation
  logctl produce --to kafka:app-logs --follow app.log

  # What a file holds, no faster than 500 records a second
  logctl produce --to kafka:app-logs --rate 500/s app.log

  # An HTTP gateway: 202 when the records are acknowledged, 429 when they come too fast
  logctl produce --to kafka:app-logs --from http::8080 --rate 50k/s

  # 100,000 made-up requests, 50,000 a second, and how fast they were acknowledged
  logctl produce --to kafka:load --generate http --limit 100000 --rate 50k/s --report`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.stream.add(cmd)
	fs := cmd.Flags()
	section(fs, writingSection, f.kafka.add)
	section(fs, writingSection, f.guard.add)
	section(fs, writingSection, func(fs *pflag.FlagSet) {
		fs.StringVar(&f.outbox, "outbox", "",
			"write records into a table first, `sqlite:FILE[#TABLE]`, and send them from there, each once")
	})
	section(fs, writingSection, f.profiles.add)
	cmd.AddCommand(newOutbox())
	section(fs, loadSection, f.generate.add)
	fs.StringVarP(&f.key, "key", "k", "", "key of each record: a field or an `EXPR`")
	fs.StringVar(&f.rate, "rate", "", "how many records a second: `RATE`, ramp:1k..50k/60s or burst:1k..20k/5s/60s "+
		"(default as fast as possible)")
	durationVar(fs, &f.rateWait, "rate-wait", 100*time.Millisecond,
		"posted records: how long a request may wait for --rate before it is refused with 429")
	fs.BoolVar(&f.report, "report", false, "print what was sent and acknowledged, and how fast, on stderr")
	return cmd
}

func (f *produceFlags) run(cmd *cobra.Command, args []string) error {
	f.stream.objects = f.stream.output.wantsObjects(cmd)
	p, err := f.stream.newPipeline(cmd, args)
	if err != nil {
		return err
	}
	p.producer = &f.kafka
	if err := f.checkUse(p); err != nil {
		return err
	}
	if f.outbox != "" {
		if err := p.useOutbox(f.outbox); err != nil {
			return err
		}
	}
	if err := f.profiles.use(p); err != nil {
		return err
	}
	if err := f.generate.checkUse(cmd); err != nil {
		return err
	}
	if f.key != "" {
		key, err := transform.NewKey(f.key, p.Plan)
		if err != nil {
			return err
		}
		p.Prepare = append(p.Prepare, key)
	}
	if f.kafka.keepTime || f.stream.input.timeField != "" {
		p.Plan.ReadTime(f.stream.input.timeField)
		f.kafka.keepTime = true
	}
	if f.stream.input.envelope {
		f.kafka.keepTime = true // that of the envelope
	}
	if f.stream.input.follow || p.takesPosts() {
		p.Order = engine.AsItArrives
	}
	if f.report {
		p.notes = append(p.notes, p.reports)
	}
	schedule, err := f.setPace(p)
	if err != nil {
		return err
	}
	inputs := len(args)+len(f.stream.input.from) > 0
	tell := func(s string) { note(cmd, "%s", s) }
	if p.made, err = f.generate.source(schedule, f.stream.limit, inputs, tell); err != nil {
		return err
	}
	return p.run()
}

// checkUse reads what is said of topics that are written to, and refuses flags
// that nothing reads.
func (f *produceFlags) checkUse(p *pipeline) error {
	to, err := f.stream.output.endpoints()
	if err == nil {
		err = f.kafka.checkUse(p.cmd, to)
	}
	if err == nil {
		err = f.guard.use(p)
	}
	if err == nil {
		err = f.guard.checkUse(p.cmd, p.guard != nil)
	}
	if err == nil && given(p.cmd, "rate-wait") && !(p.takesPosts() && f.rate != "") {
		err = fault.Usagef("as in --from http::8080 --rate 500/s",
			"--rate-wait is for posted records that come faster than --rate")
	}
	return err
}

// setPace has --rate kept: by whoever makes records, by refusing posted ones, or
// by holding back what is written.
func (f *produceFlags) setPace(p *pipeline) (limit.Schedule, error) {
	schedule, err := limit.ParseSchedule(f.rate)
	switch {
	case err != nil || schedule.Unlimited() || f.generate.profile != "":
	case !p.takesPosts():
		p.pace = &schedule
	case len(p.endpoints) > 1:
		return schedule, fault.Usagef("run one for each",
			"--rate is for posted records or for other inputs, not for both at once")
	default:
		f.stream.http.bucket, f.stream.http.wait = &limit.Bucket{Schedule: schedule}, f.rateWait
	}
	return schedule, err
}
