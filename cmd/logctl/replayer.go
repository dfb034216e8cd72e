package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/dlq"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A replayer is a sink of dead letters that sends the chosen ones to where they
// came from, and marks them. Between two topics of one cluster letter and mark
// are in one transaction; elsewhere the mark comes when the letter is there.
type replayer struct {
	cmd    *cobra.Command
	f      *replayFlags
	from   stream.Endpoint
	to     stream.Endpoint // none: the original
	trip   limit.Trip
	pace   limit.Bucket
	chosen map[dlq.Place]bool

	p     *pipeline  // what opens sinks outside of the transaction
	txn   *kafka.Txn // nil where there is none
	sinks map[string]stream.Sink
	marks stream.Sink
	ready *record.Batch // marks of what was sent since the last commit

	began     time.Time
	committed time.Time
	checked   time.Time
	sent      int64
	pending   int64 // sent since the last commit
}

// errCameBack ends a replay that its breaker stops.
var errCameBack = errors.New("replayed letters come back")

// open opens the transaction, or what takes its place, before the letters are
// looked through: what a replay that was killed has left open is aborted by it.
func (r *replayer) open() error {
	var err error
	if r.p, err = r.f.pipeline(r.cmd); err != nil {
		return err
	}
	r.ready = record.NewBatch()
	if r.from.Scheme == stream.Kafka && (r.to.Scheme == "" || r.to.Scheme == stream.Kafka && len(r.to.Brokers) == 0) {
		conn, err := r.f.kafka.config(r.from)
		if err != nil {
			return err
		}
		cfg := kafka.TxnConfig{Config: conn, ID: "logctl-dlq-replay-" + r.from.Topics[0]}
		if r.txn, err = kafka.OpenTxn(r.cmd.Context(), cfg); err != nil {
			return err
		}
	}
	if r.marks, err = r.markSink(); err != nil {
		return r.end(err)
	}
	return nil
}

// markSink returns what marks are written to: the dead letters themselves.
func (r *replayer) markSink() (stream.Sink, error) {
	if r.txn != nil {
		return r.txn.OpenSink(r.cmd.Context(), kafka.SinkConfig{Topic: r.from.Topics[0]})
	}
	return r.p.sideSink(r.f.from[0])
}

// Write replays the chosen ones of rows.
func (r *replayer) Write(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() || !r.chosen[dlq.PlaceOf(rows.Batch, i)] {
			continue
		}
		l, ok := dlq.ReadLetter(rows.Batch, i)
		if !ok {
			continue
		}
		if err := r.wait(); err != nil {
			return err
		}
		if err := r.send(rows.Batch, i, &l); err != nil {
			return err
		}
	}
	return nil
}

// wait keeps to the rate. It commits before a longer wait, and now and then.
func (r *replayer) wait() error {
	const often, long = 500 * time.Millisecond, 100 * time.Millisecond
	pause := r.pace.Take(time.Now().UnixNano(), 1)
	if r.pending > 0 && (pause > long || time.Since(r.committed) > often) {
		if err := r.commit(); err != nil {
			return err
		}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return r.check()
	case <-r.cmd.Context().Done():
		return errInterrupted
	}
}

var errInterrupted = errors.New("interrupted")

func (r *replayer) send(b *record.Batch, row int, l *dlq.Letter) error {
	to, err := r.sink(l)
	if err != nil {
		return err
	}
	again := record.NewBatch()
	defer again.Release()
	again.Origin = &record.Origin{Source: l.Source, Topic: l.Topic, Partition: l.Partition}
	again.Arrived = time.Now().UnixNano()
	rec := letter.AppendPlain(again, b, row)
	rec.Offset = l.Offset
	letter.SetHeader(again, rec, letter.Again, strconv.Itoa(l.State.Replayed+1))
	if err := to.Write(again.All()); err != nil {
		return err
	}
	dlq.AddMark(r.ready, l.Place, dlq.Replayed)
	r.sent++
	r.pending++
	return nil
}

// sink returns where a letter is sent to.
func (r *replayer) sink(l *dlq.Letter) (stream.Sink, error) {
	name := ""
	if r.to.Scheme == "" || r.to.Scheme == stream.Kafka {
		name = l.Source
		if r.to.Scheme == stream.Kafka {
			name = r.to.Topics[0]
		} else if !l.Topic {
			return nil, fault.Hint(fmt.Errorf("%s came from no topic: it cannot be sent back", l.ID()), "--to ENDPOINT takes it")
		}
	}
	if s := r.sinks[name]; s != nil {
		return s, nil
	}
	s, err := r.openSink(name)
	if err == nil {
		r.sinks[name] = s
	}
	return s, err
}

func (r *replayer) openSink(topic string) (stream.Sink, error) {
	if r.txn != nil {
		return r.txn.OpenSink(r.cmd.Context(), kafka.SinkConfig{Topic: topic})
	}
	e := r.to
	if topic != "" {
		e = stream.Endpoint{Scheme: stream.Kafka, Topics: []string{topic}, Brokers: r.to.Brokers}
	}
	return r.p.openSink(e)
}

// commit makes durable what was sent, and that it was.
func (r *replayer) commit() error {
	r.committed = time.Now()
	ctx := context.WithoutCancel(r.cmd.Context())
	if r.txn == nil {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if len(r.ready.Recs) > 0 {
		if err := r.marks.Write(r.ready.All()); err != nil {
			return err
		}
		r.ready.Release()
		r.ready = record.NewBatch()
	}
	var err error
	if r.txn != nil {
		err = r.txn.Commit(ctx, nil, nil)
	} else if f, ok := r.marks.(stream.Flusher); ok {
		err = f.Flush(ctx)
	}
	if err == nil {
		r.pending = 0
	}
	return err
}

func (r *replayer) flush(ctx context.Context) error {
	for _, s := range r.sinks {
		if f, ok := s.(stream.Flusher); ok {
			if err := f.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// check looks, once a second, how many letters have come back since the replay
// began.
func (r *replayer) check() error {
	if r.trip.Never() || time.Since(r.checked) < time.Second {
		return nil
	}
	r.checked = time.Now()
	p, err := r.f.pipeline(r.cmd)
	if err != nil {
		return err
	}
	k := everything
	k.start = r.began.UTC().Format(time.RFC3339Nano)
	x := &dlq.Index{Filter: dlq.Filter{Since: r.began.UnixNano()}}
	if err := p.read(x, k); err != nil {
		return err
	}
	back := int64(x.Again())
	if r.trip.Failures > 0 && back >= int64(r.trip.Failures) ||
		r.trip.Percent > 0 && r.sent >= int64(r.trip.Of) && back*100 >= int64(r.trip.Percent)*r.sent {
		return fault.Hint(fmt.Errorf("%w: %s of %s; the others wait", errCameBack, human.Count(back), human.Count(r.sent)),
			"replay again when the cause has gone: what was sent is not sent twice")
	}
	return nil
}

// end commits what was sent, unless that is what failed, and closes everything.
func (r *replayer) end(err error) error {
	if r.pending > 0 && (err == nil || errors.Is(err, errCameBack) || errors.Is(err, errInterrupted)) {
		err = errors.Join(err, r.commit())
	}
	r.sent, r.pending = r.sent-r.pending, 0 // what was not committed is sent by the next replay
	if errors.Is(err, errInterrupted) {
		err = nil // what is left is replayed by the next one
	}
	if r.txn != nil {
		r.txn.Close()
	}
	if r.p != nil {
		err = r.p.close(err)
	}
	return err
}
