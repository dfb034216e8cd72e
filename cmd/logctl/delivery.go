package main

import (
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// The guarantees of --delivery.
const (
	atMostOnce  = "at-most-once"
	atLeastOnce = "at-least-once"
	exactlyOnce = "exactly-once"
)

// guarantee sets the pipeline to what --delivery asks for.
func (f *consumeFlags) guarantee(p *pipeline) error {
	switch f.delivery {
	case atMostOnce:
		p.AtMostOnce = true
	case atLeastOnce:
		p.durable = f.kafka.group != ""
	case exactlyOnce:
		list, err := p.flags.output.endpoints()
		if err != nil {
			return err
		}
		p.Exactly, p.inTxn = true, list.of(stream.Kafka) == len(list)
		if p.inTxn && f.kafka.group == "" {
			return fault.Usagef("as in --group NAME",
				"exactly once into topics needs a group: its offsets are part of the transaction")
		}
	}
	return nil
}
