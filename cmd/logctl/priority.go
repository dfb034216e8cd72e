package main

import (
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/priority"
	"github.com/logctl/logctl/pkg/stream"
)

// priorityFlags say which topics are more urgent than others.
type priorityFlags struct {
	mode    string
	promote []string
	slo     []string
}

// promoteAfter is when records are promoted of which nothing is said.
const promoteAfter = 2 * time.Minute

func (f *priorityFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.mode, "priority", "", "topics are classes, the most urgent one first: `MODE` is strict (a "+
		"class when those before it have nothing), or weighted=8:4:2:1 (shares, a weight for each)")
	fs.StringSliceVar(&f.promote, "promote", nil, "a record that waits for so long is as urgent as any: "+
		"`CLASS=TIME,…` (default 2m for all but the first class)")
	fs.StringSliceVar(&f.slo, "slo", nil, "say when records took longer from their time to the output: "+
		"`CLASS=TIME,…`")
}

// apply has the topics of the input read as classes, each by a client of its own:
// what is fetched of one holds up no other.
func (f *priorityFlags) apply(p *pipeline, again *retryFlags) error {
	if f.mode == "" {
		own := func(fs *pflag.FlagSet) { new(priorityFlags).add(fs) }
		return refuseUnused(p.cmd, own, "classes of records, and there are none", "as in --priority strict")
	}
	topics, err := f.split(p)
	switch {
	case err != nil:
		return err
	case again.topic != "":
		return fault.Usagef("without it, records wait in memory",
			"--retry-topic has no class: it cannot be combined with --priority")
	}
	classes, err := priority.Parse(f.mode, topics)
	if err != nil {
		return err
	}
	if err := priority.SetPromote(classes, f.promote, promoteAfter); err != nil {
		return err
	}
	if err := priority.SetSLO(classes, f.slo); err != nil {
		return err
	}
	s := priority.New(classes)
	s.Note = p.say
	p.Order, p.Choose = engine.AsItArrives, s
	p.metrics = append(p.metrics, &classCollector{s, p})
	p.notes = append(p.notes, func() string { return s.Summary(time.Since(p.started)) })
	return nil
}

// split makes an endpoint of each topic, and returns the topics.
func (f *priorityFlags) split(p *pipeline) (topics []string, err error) {
	var list endpoints
	for _, e := range p.endpoints {
		if e.Scheme != stream.Kafka || e.Pattern {
			return nil, fault.Usagef("as in kafka:critical,normal,low",
				"--priority wants the names of topics, the most urgent one first")
		}
		for _, t := range e.Topics {
			if slices.Contains(topics, t) {
				return nil, fault.Usagef("each topic is one class", "--priority: topic %q is named twice", t)
			}
			list = append(list, stream.Endpoint{Scheme: stream.Kafka, Topics: []string{t}, Brokers: e.Brokers})
			topics = append(topics, t)
		}
	}
	if len(topics) < 2 {
		return nil, fault.Usagef("as in kafka:critical,normal,low",
			"--priority wants two topics or more, and there is one")
	}
	p.endpoints = list
	return topics, nil
}
