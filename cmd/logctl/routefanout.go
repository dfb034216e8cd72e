package main

import (
	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/route"
	"github.com/logctl/logctl/pkg/stream"
)

// How the copies of a record belong together.
const (
	fanoutAll        = "all"
	fanoutTxn        = "txn"
	fanoutBestEffort = "best-effort"
)

// guarantee sets the pipeline to what --fanout and --delivery ask for.
func (f *routeFlags) guarantee(cmd *cobra.Command, p *pipeline, r *routing) error {
	if f.write.txn != "" && f.fanout != fanoutTxn {
		if cmd.Flags().Changed("fanout") {
			return fault.Usagef("leave one of them out", "--txn is the producer of --fanout txn, not of %s", f.fanout)
		}
		f.fanout = fanoutTxn
	}
	switch f.delivery {
	case atMostOnce:
		p.AtMostOnce = true
	case atLeastOnce:
	case exactlyOnce:
		if f.kafka.group == "" {
			return fault.Usagef("add --group NAME", "exactly once is of what a consumer group reads")
		}
		if cmd.Flags().Changed("fanout") && f.fanout != fanoutTxn {
			return fault.Usagef("leave --fanout out", "--delivery exactly-once needs --fanout txn, not %s", f.fanout)
		}
		f.fanout = fanoutTxn
	}
	if err := f.guard.check(); err != nil {
		return err
	}
	if err := f.guard.checkUse(cmd, f.guard.on()); err != nil {
		return err
	}
	if f.guard.on() && f.fanout == fanoutTxn {
		return fault.Usagef("leave one of them out", "--fanout txn waits for all topics: a breaker could not let one pass")
	}
	r.dests.guard = &f.guard
	p.notes = append(p.notes, f.guard.summary)
	r.dests.bestEffort = f.fanout == fanoutBestEffort
	if f.fanout != fanoutTxn {
		return nil
	}
	if p.AtMostOnce {
		return fault.Usagef("leave one of them out", "--fanout txn commits what was sent; --delivery at-most-once before")
	}
	p.inTxn = true
	t, err := route.Compile(r.file, r.options)
	if err != nil {
		return err
	}
	return onlyTopics(t.Destinations())
}

// onlyTopics refuses destinations that take no part in Kafka's transactions.
func onlyTopics(names []string) error {
	for _, name := range names {
		if e, err := stream.ParseEndpoint(name); err != nil || e.Scheme != stream.Kafka && e.Scheme != stream.Null {
			return fault.Usagef("send to kafka:TOPIC or null: alone, also by default (--to)",
				"--fanout txn: %q is no topic, and takes no part in a transaction", name)
		}
	}
	return nil
}
