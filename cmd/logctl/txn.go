package main

import (
	"crypto/rand"
	"slices"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// openTxn opens the producer that all topics are written by, in transactions that
// hold the offsets of the groups' members that read, if there are some.
func (p *pipeline) openTxn() error {
	if err := p.checkApart(); err != nil {
		return err
	}
	members := p.members()
	conn, err := p.flags.kafka.config(stream.Endpoint{})
	if err != nil {
		return err
	}
	cfg := kafka.TxnConfig{Config: conn, ID: p.producer.txn, Codec: p.producer.codec}
	if cfg.ID == "" {
		cfg.ID = txnID(p.cmd.Name(), members)
	}
	if p.txn, err = kafka.OpenTxn(p.cmd.Context(), cfg); err != nil {
		return err
	}
	p.Exactly = len(members) > 0
	p.atEnd(func() error { p.txn.Close(); return nil })
	return nil
}

// members returns the sources that are members of groups, whose offsets are in the
// transaction.
func (p *pipeline) members() (list []*kafka.Source) {
	for _, s := range p.Sources {
		if src, ok := s.(*kafka.Source); ok {
			if group, _ := src.Member(); group != "" {
				list = append(list, src)
			}
		}
	}
	return list
}

// checkApart refuses inputs of which two may read the same topic: a position would not
// say whose it is.
func (p *pipeline) checkApart() error {
	read := map[string]bool{}
	for _, e := range p.endpoints {
		for _, topic := range e.Topics {
			if read[topic] || e.Pattern && p.endpoints.of(stream.Kafka) > 1 {
				return fault.Usagef("name the topics in one: kafka:a,b",
					"topic %q is, or may be, in two inputs of one transaction", topic)
			}
			read[topic] = true
		}
	}
	return nil
}

// txnID returns the id of the producer. That of a stable member of a group is
// stable, too: started again it ends at once what it has left open.
func txnID(command string, members []*kafka.Source) string {
	if len(members) > 0 {
		if name, instance := members[0].Member(); instance != "" {
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
	return p.txn.OpenSink(p.cmd.Context(), p.forTxn(cfg))
}

// promptBuffer bounds what is in flight where some records are more urgent than others:
// a commit waits until all of it is acknowledged, and an urgent record for the commit.
const promptBuffer = 8 << 20

// forTxn returns cfg as it is for a topic that is written in transactions.
func (p *pipeline) forTxn(cfg kafka.SinkConfig) kafka.SinkConfig {
	cfg.Txn = ""
	if p.Choose != nil && (cfg.Buffer == 0 || cfg.Buffer > promptBuffer) {
		cfg.Buffer = promptBuffer
	}
	return cfg
}
