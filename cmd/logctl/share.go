package main

import (
	"github.com/spf13/pflag"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
	"github.com/logctl/logctl/pkg/stream"
)

// shareFlags say that topics are work queues.
type shareFlags struct{ group string }

func (f *shareFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.group, "share-group", "", "read as a member of share group `NAME`, to which the brokers hand out "+
		"single records: more members than partitions, and no order (Kafka 4.1)")
}

// apply has the topics read as a work queue.
func (f *shareFlags) apply(p *pipeline, c *consumeFlags) error {
	if f.group == "" {
		return nil
	}
	if err := f.check(p, c); err != nil {
		return err
	}
	e := p.endpoints[0]
	conn, err := p.flags.kafka.config(e)
	if err != nil {
		return err
	}
	cfg := kafka.ShareConfig{
		Config: conn, Topics: e.Topics, Group: f.group, Latest: c.kafka.start == "end",
		MaxRecord: int(p.flags.input.maxRecord),
	}
	if c.handler.command != "" {
		cfg.Most = int32(aheadOfWorker * c.handler.workers) // all in hand is done before the brokers' patience ends
	}
	src, err := kafka.OpenShare(p.cmd.Context(), cfg)
	if err != nil {
		return err
	}
	p.atEnd(src.Close)
	p.metrics = append(p.metrics, src.Metrics())
	p.made, p.Order = src, engine.AsItArrives
	return nil
}

// share returns the source that a share group reads, nil where there is none.
func (p *pipeline) share() *kafka.ShareSource {
	src, _ := p.made.(*kafka.ShareSource)
	return src
}

// check refuses what share groups do not have.
func (f *shareFlags) check(p *pipeline, c *consumeFlags) error {
	for flag, why := range map[string]string{
		"group": "is another kind of group", "stop": "needs offsets", "only-partitions": "needs partitions",
		"priority": "needs a group or none", "retry-topic": "is what releasing records is for",
		"warn-lag": "needs offsets", "isolation": "is the group's own setting, share.isolation.level",
	} {
		if p.cmd.Flags().Changed(flag) {
			return fault.Usagef("the brokers hand out records one by one", "--share-group and --%s: that %s", flag, why)
		}
	}
	switch {
	case c.delivery != atLeastOnce:
		return fault.Usagef("with --group NAME there is exactly once",
			"--delivery %s cannot be kept with --share-group: brokers may deliver a record again", c.delivery)
	case c.kafka.start != "" && c.kafka.start != "beginning" && c.kafka.start != "end":
		return fault.Usagef("beginning or end", "--start %s: a share group has no offsets of its own", c.kafka.start)
	case !p.endpoints.only(stream.Kafka) || p.endpoints[0].Pattern:
		return fault.Usagef("as in --from kafka:orders", "--share-group wants the names of topics in one input")
	}
	return nil
}

// verdicts is where the handlers of a share group write what they have failed with:
// the brokers are told instead. What may go better the next time is released, to be
// delivered again; what will not is a dead letter, or rejected where none are kept.
type verdicts struct {
	share *kafka.ShareSource
	dead  stream.Sink // nil: none are kept
}

// Write takes letters of records.
func (v *verdicts) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		st, _ := letter.Read(rows.Batch, i)
		again := st.Kind != retry.Permanent
		if !again && v.dead != nil {
			if err := v.dead.Write(record.Rows{Batch: rows.Batch, Lo: i, Hi: i + 1}); err != nil {
				return err
			}
			continue
		}
		v.share.Settle(rows.Origin.Source, rows.Origin.Partition, rows.Recs[i].Offset, again)
	}
	return nil
}
