package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// An outbox has records written into a table first, and sent from there in
// transactions that hold how far they have come.
type outbox struct {
	p      *pipeline
	at     stream.Endpoint // of the table
	to     stream.Endpoint // the topic
	table  *store.Outbox
	source *store.OutboxSource
	id     string // of its producer
	stats  engine.Stats
	done   chan error // what became of sending; nil until it begins
}

// useOutbox has the records of a pipeline go through an outbox.
func (p *pipeline) useOutbox(name string) error {
	at, err := stream.ParseEndpoint(name)
	if err != nil {
		return err
	}
	to, err := p.flags.output.endpoints()
	switch {
	case err != nil:
		return err
	case at.Scheme != stream.SQLite:
		return fault.Usagef("as in --outbox sqlite:outbox.db", "--outbox %q: want a table of SQLite", name)
	case !to.only(stream.Kafka):
		return fault.Usagef("as in --to kafka:app-logs", "an outbox is sent to one topic")
	case p.guard != nil && p.guard.asked:
		return fault.Usagef("leave out --breaker, --critical, --on-open and --spool",
			"an outbox keeps records while the cluster is down: nothing has to be done with them")
	case p.producer.txn != "":
		return fault.Usagef("leave --txn out", "an outbox is sent in transactions of its own")
	case p.producer.acks != "all":
		return fault.Usagef("leave --acks out",
			"an outbox is sent in transactions, which need --acks all, not %q", p.producer.acks)
	}
	p.guard.drop()
	o := &outbox{p: p, at: at, to: to[0]}
	p.sink = o.open
	p.notes = append(p.notes, o.says)
	return nil
}

// open opens the table, and has it sent to its end when all else is done.
func (o *outbox) open() (stream.Sink, error) {
	ctx := o.p.cmd.Context()
	var err error
	if o.table, err = store.OpenOutbox(ctx, o.at.Path, o.at.Table); err != nil {
		return nil, err
	}
	o.p.atEnd(o.close)
	if o.id, err = o.table.ID(ctx); err != nil {
		return nil, err
	}
	if o.source, err = o.table.Source(ctx); err != nil {
		return nil, err
	}
	o.p.starters = append(o.p.starters, func() { o.done = make(chan error, 1); go func() { o.done <- o.relay(ctx) }() })
	return o.table, nil
}

// close sends what was written. What was not flushed is undone before that: rows
// could not be marked as sent while it is under way.
func (o *outbox) close() error {
	err := o.table.Close()
	if o.done != nil {
		o.source.End()
		err = errors.Join(err, <-o.done)
	}
	if o.source != nil {
		err = errors.Join(err, o.source.Close())
	}
	return err
}

// relay sends the table until its end. While the cluster is down it tries again
// and again; when nothing more comes in, once.
func (o *outbox) relay(ctx context.Context) error {
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // of delays
	for attempt := 1; ; attempt++ {
		before := o.stats.Out.Load()
		err := o.send(ctx)
		if err == nil || fault.Status(err) == fault.Usage || ctx.Err() != nil {
			return err
		}
		if o.stats.Out.Load() > before {
			attempt = 1
		}
		if o.source.Ended() && !errors.Is(err, kafka.ErrAborted) {
			return fmt.Errorf("%w; what waits in the outbox is sent by the next run", err)
		}
		note(o.p.cmd, "sending the outbox: %v; trying again", err)
		select {
		case <-time.After(limit.DefaultBackoff.Delay(attempt, chance)):
		case <-o.source.Over():
		case <-ctx.Done():
			return nil
		}
	}
}

// send sends what waits, each transaction with the position behind it.
func (o *outbox) send(ctx context.Context) error {
	conn, err := o.p.flags.kafka.config(o.to)
	if err != nil {
		return err
	}
	txn, err := kafka.OpenTxn(ctx, kafka.TxnConfig{Config: conn, ID: o.id, Codec: o.p.producer.codec})
	if err != nil {
		return err
	}
	defer txn.Close()
	cfg, err := o.p.producer.config(o.to.Topics[0], conn)
	if err != nil {
		return err
	}
	cfg.KeepTime, cfg.OnFailed = true, o.refuse
	sink, err := txn.OpenSink(ctx, cfg)
	if err != nil {
		return err
	}
	mark := txn.Mark(o.to.Topics[0], o.source.Name())
	return engine.Run(ctx, engine.Pipeline{
		Sources: []stream.Source{o.source}, Sink: mark.Around(sink), Exactly: true, Held: true,
		CommitEvery: relayEvery, Drain: o.p.Drain, Stats: &o.stats,
	})
}

// relayEvery is how long a transaction is open: short, since others wait for what
// is in it, and long beside what a commit takes.
const relayEvery = 200 * time.Millisecond

// refuse takes note of rows that the topic will never take.
func (o *outbox) refuse(b *record.Batch) error {
	o.stats.Out.Add(-int64(len(b.Faults)))
	return o.source.Refuse(b)
}

// refused returns how many rows were refused.
func (o *outbox) refused() int64 {
	if o.source == nil {
		return 0
	}
	return o.source.Refused()
}

// says adds what was sent to the summary.
func (o *outbox) says() string {
	s := "relayed " + human.Count(o.stats.Out.Load())
	if n := o.refused(); n > 0 {
		s += ", refused " + human.Count(n)
	}
	if st, err := store.ReadOutboxStatus(context.Background(), o.at.Path, o.at.Table); err == nil && st.Waiting > 0 {
		s += ", waiting in the outbox " + human.Count(st.Waiting)
	}
	return s
}
