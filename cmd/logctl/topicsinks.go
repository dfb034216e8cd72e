package main

import (
	"fmt"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// topicConfig says how a topic is written to; edit may change that.
func (p *pipeline) topicConfig(e stream.Endpoint, edit func(*kafka.SinkConfig)) (kafka.SinkConfig, error) {
	cfg, err := p.flags.kafka.config(e)
	if err != nil {
		return kafka.SinkConfig{}, err
	}
	sc, err := p.producer.config(e.Topics[0], cfg)
	sc.OnFailed = p.refused
	sc.Note = p.say
	if edit != nil {
		edit(&sc)
	}
	return sc, err
}

// openTopic opens a topic to write to; edit may change how.
func (p *pipeline) openTopic(e stream.Endpoint, edit func(*kafka.SinkConfig)) (*kafka.Sink, error) {
	sc, err := p.topicConfig(e, edit)
	if err != nil {
		return nil, err
	}
	p.Held = true
	open := func() (*kafka.Sink, error) { return kafka.OpenSink(p.cmd.Context(), sc) }
	if p.txn != nil {
		open = func() (*kafka.Sink, error) { return p.openInTxn(e, sc) }
	}
	s, err := open()
	if err != nil {
		return nil, err
	}
	p.topics = append(p.topics, s)
	p.show(e.Topics[0], s.Metrics())
	p.atEnd(s.Close)
	return s, nil
}

// openMain opens what the pipeline writes to, guarded where that is asked for.
func (p *pipeline) openMain(e stream.Endpoint) (stream.Sink, error) {
	if e.Scheme != stream.Kafka {
		return p.openSink(e)
	}
	exhaust := func(sc *kafka.SinkConfig) { sc.Exhaust = p.Dead != nil }
	if p.guard == nil {
		return p.openTopic(e, exhaust)
	}
	return p.guard.open(e, exhaust)
}

// refused takes what a topic refuses for its own sake, as too large.
func (p *pipeline) refused(b *record.Batch) error {
	p.Stats.Bad.Add(int64(len(b.Faults)))
	p.Stats.Out.Add(-int64(len(b.Faults)))
	if p.Strict || p.Dead == nil {
		return fault.Hint(fmt.Errorf("%s: %s", engine.Place(b, b.Faults[0].Row), b.Faults[0].Reason),
			"--dlq ENDPOINT sets such records aside and goes on")
	}
	return engine.WriteDead(p.Dead, b)
}

// givenUp says that records were not acknowledged and are dead letters.
func (p *pipeline) givenUp() error {
	n := int64(0)
	for _, t := range p.topics {
		n += t.Report().GivenUp
	}
	if n == 0 {
		return nil
	}
	dead := p.flags.input.dlq
	return fault.Hint(fmt.Errorf("%s records were not acknowledged; they are in %s", human.Count(n), dead),
		"`logctl dlq replay --from "+dead+" --to kafka:TOPIC` sends them again; some may have been stored all the same")
}
