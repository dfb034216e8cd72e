package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// counts are what a sink knows of its deliveries, measured at the
// acknowledgements.
type counts struct {
	sent, done, failed, bytes atomic.Int64
	givenUp                   atomic.Int64 // of failed
	progress                  atomic.Int64 // when something was settled last, ns since 1970

	mu      sync.Mutex
	latency sketch.Quantiles
}

// settled counts n records that were sent at the given time and are now
// acknowledged, or have failed.
func (c *counts) settled(n int64, sent time.Time) {
	now := time.Now()
	c.done.Add(n)
	c.progress.Store(now.UnixNano())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latency.Add(now.Sub(sent).Seconds())
}

// A Report is what became of the records that a sink was given.
type Report struct {
	Sent    int64 // given to the client
	Acked   int64 // acknowledged
	Failed  int64 // refused or not acknowledged in time
	GivenUp int64 // of these, what was not acknowledged and SinkConfig.OnFailed was given
	Bytes   int64 // of keys and values that were acknowledged

	// Latency in seconds from Write to acknowledgement. One acknowledgement
	// in 64 is measured, and the last of 512.
	Latency sketch.Quantiles
}

// Report returns the figures so far. It may be called at any time.
func (s *Sink) Report() Report {
	c := &s.counts
	r := Report{Failed: c.failed.Load(), GivenUp: c.givenUp.Load(), Bytes: c.bytes.Load()}
	r.Acked = max(c.done.Load()-r.Failed, 0)
	r.Sent = c.sent.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Latency.Merge(&c.latency)
	return r
}

// notDelivered notes that a record failed: for what it is, and then the others
// go on, or for good.
func (s *Sink) notDelivered(c *chunk, r *kgo.Record, err error) {
	s.counts.failed.Add(1)
	if s.ctx.Err() != nil {
		return
	}
	reason := s.reasonOf(r, err)
	if reason == "" && s.cfg.Exhaust {
		if reason = s.exhausted(err); reason != "" {
			s.counts.givenUp.Add(1)
		}
	}
	if reason == "" {
		s.fail(s.lost(err))
		return
	}
	if s.cfg.OnFailed == nil {
		s.fail(fault.Hint(fmt.Errorf("topic %q: %s", s.cfg.Topic, reason),
			"--dlq takes such records and lets the others go on"))
		return
	}
	s.keepRefused(c, r, reason)
}

// exhausted says that a record was sent as often as it may be, or for as long; "" where
// something else is the matter.
func (s *Sink) exhausted(err error) string {
	switch {
	case errors.Is(err, kgo.ErrAborting) && !s.transactional():
		return fmt.Sprintf("not acknowledged within %s%s", human.Span(s.cfg.Timeout), s.lastError())
	case errors.Is(err, kgo.ErrRecordRetries):
		return fmt.Sprintf("not acknowledged after %d sendings%s", s.cfg.Retries, s.lastError())
	case kerr.IsRetriable(err):
		return fmt.Sprintf("not acknowledged after %d sendings (%v)", s.cfg.Retries, err)
	}
	return ""
}

// reasonOf says what is wrong with a record itself, or "" where it is not the
// record's fault that it failed.
func (s *Sink) reasonOf(r *kgo.Record, err error) string {
	switch {
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		size := len(r.Value) + len(r.Key)
		if s.limit == 0 {
			return fmt.Sprintf("a record of %d bytes is too large", size)
		}
		return fmt.Sprintf("a record of %d bytes is too large: max.message.bytes of the topic is %d", size, s.limit)
	case errors.Is(err, kerr.InvalidTimestamp):
		return fmt.Sprintf("the topic does not take a record of %s (message.timestamp limits)",
			r.Timestamp.UTC().Format(time.RFC3339))
	case errors.Is(err, kerr.InvalidRecord):
		return "the topic does not take the record: " + kerr.InvalidRecord.Description
	}
	return ""
}

// lost says that deliveries failed for good, and how many may be missing.
func (s *Sink) lost(err error) error {
	open := human.Count(max(s.open(), 1))
	if errors.Is(err, kgo.ErrRecordTimeout) || errors.Is(err, kgo.ErrRecordRetries) {
		hint := "the cluster may be down; --timeout says how long to wait for it"
		return fault.Hint(fmt.Errorf("topic %q: kafka at %s did not acknowledge %s records within %s%s",
			s.cfg.Topic, s.cfg.addr(), open, human.Span(s.cfg.Timeout), s.lastError()), hint)
	}
	said := s.cfg.explain(err, s.cfg.Topic)
	return fault.Hint(fmt.Errorf("%s records are not acknowledged: %w", open, said), fault.HintOf(said))
}

// lastError returns the last trouble with the connection, for the end of a
// message.
func (s *Sink) lastError() string {
	if _, err := s.link.down(); err != nil {
		return fmt.Sprintf(" (%v)", s.cfg.explain(err, ""))
	}
	return ""
}

// failure returns why deliveries failed for good, or nil.
func (s *Sink) failure() error { return context.Cause(s.ctx) }

// keepRefused copies a refused record, whose batch goes back to its pool, for
// OnFailed.
func (s *Sink) keepRefused(c *chunk, r *kgo.Record, reason string) {
	from := &c.batch.Recs[c.rowOf(r)]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.refusedOf(c.origin)
	to := b.Add(r.Value)
	to.Offset, to.Stamp, to.Time, to.Line = from.Offset, from.Stamp, from.Time, from.Line
	to.Flags = from.Flags
	if r.Key != nil {
		to.Key = record.AppendSpan(b, r.Key)
	}
	first := len(b.Headers)
	for _, h := range r.Headers {
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, h.Key), Value: record.AppendSpan(b, h.Value)})
	}
	to.Headers = record.Span{Off: uint32(first), Len: uint32(len(b.Headers) - first)}
	b.SetBad(len(b.Recs)-1, reason)
}

// refusedOf returns the batch of refused records of one origin.
func (s *Sink) refusedOf(o *record.Origin) *record.Batch {
	for _, b := range s.refused {
		if b.Origin == o {
			return b
		}
	}
	b := &record.Batch{Origin: o, Arrived: time.Now().UnixNano()}
	s.refused = append(s.refused, b)
	return b
}

// checkTxn takes over the transactional id, so that a wrong one is said at the
// start.
func (s *Sink) checkTxn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if _, _, err := s.client.ProducerID(ctx); err != nil {
		_ = s.Close()
		return s.cfg.explain(err, s.cfg.Topic)
	}
	return nil
}

// transact sends the live rows as one transaction.
func (s *Sink) transact(rows record.Rows) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*s.cfg.Timeout)
	defer cancel()
	if err := s.client.BeginTransaction(); err != nil {
		return s.cfg.explain(err, s.cfg.Topic)
	}
	err := s.send(rows)
	if err == nil {
		err = s.Flush(ctx)
	}
	if err != nil {
		_ = s.client.EndTransaction(ctx, kgo.TryAbort) // the cause is what matters
		return err
	}
	return s.cfg.explain(s.client.EndTransaction(ctx, kgo.TryCommit), s.cfg.Topic)
}
