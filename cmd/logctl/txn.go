package main

import (
	"crypto/rand"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// openTxn opens the producer that all topics are written by, in transactions that
// hold the offsets of the group that is read, if one is.
func (p *pipeline) openTxn() error {
	var group *kafka.Source
	for _, s := range p.Sources {
		src, ok := s.(*kafka.Source)
		if !ok {
			continue
		}
		if name, _ := src.Member(); name == "" {
			continue
		}
		if group != nil {
			return fault.Usagef("name the topics in one: kafka:a,b",
				"one transaction takes the offsets of one input, not of several")
		}
		group = src
	}
	conn, err := p.flags.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	cfg := kafka.TxnConfig{Config: conn, ID: p.producer.txn, Codec: p.producer.codec}
	if cfg.ID == "" {
		cfg.ID = txnID(p.cmd.Name(), group)
	}
	if p.txn, err = kafka.OpenTxn(p.cmd.Context(), cfg); err != nil {
		return err
	}
	p.group, p.Exactly = group, group != nil
	p.closers = append(p.closers, func() error { p.txn.Close(); return nil })
	return nil
}

// txnID returns the id of the producer. That of a stable member of a group is
// stable, too: started again it ends at once what it has left open.
func txnID(command string, group *kafka.Source) string {
	if group != nil {
		if name, instance := group.Member(); instance != "" {
			return "logctl-" + command + "-" + name + "-" + instance
		}
	}
	return "logctl-" + command + "-" + rand.Text()
}

// openInTxn opens a topic that is written in transactions.
func (p *pipeline) openInTxn(e stream.Endpoint, cfg kafka.SinkConfig) (*kafka.Sink, error) {
	if len(e.Brokers) > 0 && !slices.Equal(e.Brokers, p.flags.kafka.brokers) {
		return nil, fault.Usagef("leave the addresses out",
			"a transaction is of one cluster: topic %q is on another", e.Topics[0])
	}
	cfg.Txn = ""
	return p.txn.OpenSink(p.cmd.Context(), cfg)
}

// ofOutput tells the metrics of an output from those of others: the main one, late
// records and dead letters may all go to Kafka, and to one topic.
func (p *pipeline) ofOutput(topic string, c prometheus.Collector) prometheus.Collector {
	name := topic
	for n := 2; slices.Contains(p.outputs, name); n++ {
		name = topic + "#" + strconv.Itoa(n)
	}
	p.outputs = append(p.outputs, name)
	return prometheus.WrapCollectorWith(prometheus.Labels{"output": name}, c)
}
