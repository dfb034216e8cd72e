package kafka

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
)

// inspect asks for the topic, its partitions and its limit.
func (s *Sink) inspect(ctx context.Context) error {
	client, err := s.cfg.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	found, err := s.cfg.findTopics(ctx, admin, []string{s.cfg.Topic})
	if err != nil {
		return err
	}
	began := time.Now()
	s.limit = topicLimit(ctx, admin, s.cfg.Topic)
	s.far = time.Since(began) >= farAway
	if s.spread, s.part, err = parsePartitioner(s.cfg.Partitioner, s.spreadBytes()); err != nil {
		return err
	}
	if s.width = int32(len(found[s.cfg.Topic].Partitions)); s.part >= s.width {
		return fault.Usagef(fmt.Sprintf("partitions are numbered from 0 to %d", s.width-1),
			"topic %q has %d partitions, there is no partition %d", s.cfg.Topic, s.width, s.part)
	}
	if s.cfg.Marks {
		s.spread = marked{kgo.StickyKeyPartitioner(nil)}
	}
	return nil
}

// topicLimit returns a topic's max.message.bytes, or 0 where that is not to be
// had.
func topicLimit(ctx context.Context, admin *kadm.Client, topic string) int64 {
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return 0
	}
	for _, rc := range configs {
		for _, c := range rc.Configs {
			if c.Key == "max.message.bytes" {
				n, _ := strconv.ParseInt(c.MaybeValue(), 10, 32)
				return n
			}
		}
	}
	return 0
}

// largestBatch bounds a batch where a topic's own limit is higher.
const largestBatch = 64 << 20

// batchBytes returns the limit of a batch: no batch is larger than the topic
// allows, so that only records which are too large by themselves are refused.
func (s *Sink) batchBytes() int32 {
	n := s.limit
	if n == 0 {
		n = 1_000_012 // what every broker allows by default
	}
	if s.cfg.BatchBytes > 0 {
		n = min(n, int64(s.cfg.BatchBytes))
	}
	return int32(min(n, largestBatch))
}

// requestBytes returns the limit of a request, or 0 for the client's default.
// Where nothing is compressed a request has one full batch: written while it is in the
// processor's cache, it costs 5 % less, and 25 MB less memory. Over a long link more goes
// at a time, as of each broker five requests are under way at most.
func (s *Sink) requestBytes() int32 {
	if s.cfg.Codec != "none" || s.far {
		return 0
	}
	const around = 64 << 10 // what a request has beside its batches, at most
	return max(s.batchBytes(), 1<<20) + around
}

// spreadBytes returns how much goes to one partition before others: up to a batch, but
// over a long link, where a request is to have one of each partition, little.
func (s *Sink) spreadBytes() int {
	if s.far {
		return stickyBytes
	}
	return int(s.batchBytes())
}

// options returns what the client is made of beyond the connection.
func (s *Sink) options() ([]kgo.Opt, error) {
	codec, err := compression(s.cfg.Codec)
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.DefaultProduceTopic(s.cfg.Topic),
		codec,
		kgo.RecordPartitioner(s.spread),
		kgo.ProducerBatchMaxBytes(s.batchBytes()),
		kgo.MaxBufferedRecords(1 << 30), // the sink itself bounds what is in flight
		kgo.UnknownTopicRetries(20),
		kgo.WithHooks(&s.link, s.metrics, &s.lingering),
	}
	if n := s.requestBytes(); n > 0 {
		opts = append(opts, kgo.BrokerMaxWriteBytes(n))
	}
	linger := longLinger
	if s.adaptive = s.cfg.Linger == 0; !s.adaptive {
		linger = max(s.cfg.Linger, 0)
	}
	opts = append(opts, kgo.ProducerLinger(linger))
	if s.cfg.Breaker != nil {
		opts = append(opts, kgo.WithHooks(pulse{s.cfg.Breaker}), kgo.RetryBackoffFn(retryDelay))
	}
	if s.cfg.Retries > 0 {
		opts = append(opts, kgo.RecordRetries(s.cfg.Retries))
	}
	acks, err := s.acks()
	return append(opts, acks...), err
}

// Acks are the names of how many replicas are waited for.
var Acks = []string{"all", "1", "0"}

func (s *Sink) acks() ([]kgo.Opt, error) {
	if s.cfg.Txn != "" && s.cfg.Acks != "" && s.cfg.Acks != "all" {
		return nil, fault.Usagef("leave --acks out", "transactions need --acks all, not %q", s.cfg.Acks)
	}
	switch s.cfg.Acks {
	case "", "all":
		if s.cfg.Txn != "" {
			return []kgo.Opt{kgo.TransactionalID(s.cfg.Txn), kgo.TransactionTimeout(max(s.cfg.Timeout, 10*time.Second))}, nil
		}
		return []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks()), kgo.AllowIdempotentProduceCancellation()}, nil
	case "1":
		return []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}, nil
	case "0":
		return []kgo.Opt{kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()}, nil
	}
	return nil, fault.Usagef(oneOf(s.cfg.Acks, Acks), "unknown acks %q", s.cfg.Acks)
}
