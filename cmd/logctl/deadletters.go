package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/guard"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/load"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// deadFlags say how dead letters are written, beyond --dlq.
type deadFlags struct {
	rate       string
	spoolDir   string
	spoolBytes int64

	elsewhere bool // another pipeline sees to them
}

func (f *deadFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.rate, "dlq-rate", "",
		"no more than so many dead letters a second, as `10/s`: reading slows down to it")
	fs.StringVar(&f.spoolDir, "dlq-spool", "",
		"dead letters are in `DIR` first, and go on to the topic of --dlq when it can be reached")
	sizeVar(fs, &f.spoolBytes, "dlq-spool-bytes", spool.DefaultMaxBytes,
		"greatest size of it; when it is full records wait")
}

// openDead opens where dead letters go to.
func (p *pipeline) openDead() error {
	if p.dead.elsewhere {
		return nil
	}
	if p.flags.input.dlq == "" {
		if p.dead.rate != "" || p.dead.spoolDir != "" {
			return fault.Usagef("as in --dlq kafka:app-logs-dlq",
				"--dlq-rate and --dlq-spool are for dead letters, which --dlq keeps")
		}
		return nil
	}
	rate, err := limit.ParseSchedule(p.dead.rate)
	if err != nil {
		return fmt.Errorf("--dlq-rate: %w", err)
	}
	to, err := p.openLetters()
	if err != nil {
		return err
	}
	if !rate.Unlimited() {
		const atOnce = 1 // when the run is interrupted, nothing is left behind
		to = load.Pace(p.cmd.Context(), to, rate, atOnce)
	}
	p.Dead = stream.Locked(to)
	return nil
}

// openLetters opens the topic or the file of --dlq, and the spool before it.
func (p *pipeline) openLetters() (stream.Sink, error) {
	e, err := stream.ParseEndpoint(p.flags.input.dlq)
	if err != nil {
		return nil, err
	}
	if e.Scheme != stream.Kafka || p.txn != nil {
		if p.dead.spoolDir != "" {
			return nil, fault.Usagef("as in --dlq kafka:app-logs-dlq",
				"--dlq-spool is for a topic of dead letters without --txn")
		}
		return p.sideSink(p.flags.input.dlq)
	}
	var to letterTopic
	refit := func(c *kafka.SinkConfig) {
		c.OnFailed = func(b *record.Batch) error {
			short, err := shorter(b)
			if err != nil {
				return fmt.Errorf("topic %q: %w", e.Topics[0], err)
			}
			return to.Write(short.All())
		}
	}
	if p.dead.spoolDir == "" {
		to, err = p.openTopic(e, refit)
		return to, err
	}
	dir, err := p.openSpool(p.dead.spoolDir, p.dead.spoolBytes)
	if err != nil {
		return nil, err
	}
	if to, err = p.openLater(e, refit); err != nil {
		return nil, err
	}
	relay := guard.NewRelay(p.cmd.Context(), dir, to)
	p.atEnd(func() error {
		left, err := relay.Close()
		if left > 0 {
			note(p.cmd, "%s dead letters wait in %q: the next run with it sends them", human.Count(left), p.dead.spoolDir)
		}
		return err
	})
	return relay, nil
}

// A letterTopic takes dead letters.
type letterTopic interface {
	stream.Sink
	InFlight() bool
}

// openLater opens a topic at once or, where no broker answers, as soon as one does.
func (p *pipeline) openLater(e stream.Endpoint, edit func(*kafka.SinkConfig)) (letterTopic, error) {
	s, err := p.openTopic(e, edit)
	if err == nil || !kafka.Unreachable(err) {
		return s, err
	}
	cfg, wrong := p.topicConfig(e, edit)
	if wrong != nil {
		return nil, wrong
	}
	note(p.cmd, "%v: it is tried again every %s, dead letters are in %q meanwhile",
		err, human.Span(limit.DefaultOpenFor), p.dead.spoolDir)
	return awaited{p.later(cfg, &limit.Breaker{OpenFor: limit.DefaultOpenFor})}, nil
}

// An awaited topic is given nothing before it is there.
type awaited struct{ *lateTopic }

// InFlight reports whether nothing is to be written now: what waits is somewhere else.
func (a awaited) InFlight() bool {
	return a.look() == nil && (a.sink == nil || a.sink.InFlight())
}

// shorter returns letters that are too large for their topic, each with the first
// half of its value and marked as truncated. A letter that is nothing but headers
// gets no shorter.
func shorter(b *record.Batch) (*record.Batch, error) {
	short := record.NewBatch()
	short.Origin, short.Arrived = b.Origin, b.Arrived
	for i := range b.Recs {
		s, _ := letter.Read(b, i)
		if s.Truncated && b.Recs[i].Value.Len == 0 {
			return nil, fault.Hint(fmt.Errorf("a dead letter without its value is refused, too: %s", b.Faults[i].Reason),
				"raise max.message.bytes of the topic: the headers say why a record is there")
		}
		s.Truncated = true
		b.Recs[i].Value.Len /= 2
		letter.Append(short, b, i, &s)
	}
	return short, nil
}
