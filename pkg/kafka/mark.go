package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/stream"
)

// A Mark is a position in a source that is not Kafka, which goes into each
// transaction of a Txn: how far what was read there is in the topics. It is kept
// as the offset of partition 0 of a topic in a group that has no members and is
// named after the transactional id; brokers forget it when it has not moved for
// their offsets.retention.minutes (a week).
type Mark struct {
	txn    *Txn
	topic  string
	source string
	next   int64
}

// markNote stands beside the offset of a mark, which is no position in the topic.
const markNote = "logctl: a position outside of Kafka"

// Mark returns the mark of a source, kept beside a topic that the Txn writes to.
func (t *Txn) Mark(topic, source string) *Mark {
	t.mark = &Mark{txn: t, topic: topic, source: source, next: -1}
	return t.mark
}

// load returns the position that the last committed transaction holds, -1 where there is
// none.
func (m *Mark) load(ctx context.Context) (int64, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	part := kmsg.NewOffsetFetchRequestTopic()
	part.Topic, part.Partitions = m.topic, []int32{0}
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group = m.txn.cfg.ID
	in := kmsg.NewOffsetFetchRequestGroupTopic()
	in.Topic, in.Partitions = m.topic, []int32{0}
	if err := m.txn.ids.learn(ctx, m.txn.admin, map[string]map[int32]kgo.EpochOffset{m.topic: nil}); err != nil {
		return -1, err
	}
	in.TopicID = m.txn.ids[m.topic]
	group.Topics = append(group.Topics, in)
	req.Group, req.Topics = m.txn.cfg.ID, append(req.Topics, part)
	req.Groups, req.RequireStable = append(req.Groups, group), true
	next := int64(-1)
	err := m.txn.retry(ctx, busy, func() error {
		resp, err := req.RequestWith(ctx, m.txn.client)
		if err != nil {
			return err
		}
		if next, err = offsetIn(resp); errors.Is(err, kerr.GroupIDNotFound) {
			return nil // nothing was committed yet
		}
		return err
	})
	return next, err
}

// offsetIn returns the only offset of an answer.
func offsetIn(resp *kmsg.OffsetFetchResponse) (int64, error) {
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return -1, err
	}
	for _, g := range resp.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return -1, err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				return p.Offset, kerr.ErrorForCode(p.ErrorCode)
			}
		}
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			return p.Offset, kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return -1, nil
}

// add makes the position a part of the transaction.
func (m *Mark) add(ctx context.Context) error {
	if m.next < 0 {
		return nil
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group = m.txn.cfg.ID, m.txn.cfg.ID
	req.Generation = -1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = m.topic, m.txn.ids[m.topic]
	part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Partition, part.Offset, part.Metadata = 0, m.next, new(markNote)
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return m.txn.sendOffsets(ctx, req)
}

// A MarkedSink is a stream.Keeper over a Txn's topics: a Flush is a transaction that
// holds the position of the source with what was written.
type MarkedSink struct {
	stream.Sink
	mark *Mark
}

// Around returns sink, which writes to the Txn's topics, with the mark in its
// transactions.
func (m *Mark) Around(sink stream.Sink) *MarkedSink { return &MarkedSink{sink, m} }

// Positions returns what the last committed transaction holds.
func (k *MarkedSink) Positions(ctx context.Context) ([]stream.Position, error) {
	next, err := k.mark.load(ctx)
	if err != nil {
		err = k.mark.txn.cfg.explain(err, k.mark.topic)
		return nil, fmt.Errorf("reading how far %q has been sent: %w", k.mark.source, err)
	}
	if next < 0 {
		return nil, nil
	}
	return []stream.Position{{Source: k.mark.source, Next: next}}, nil
}

// Keep sets the position that the next Flush commits.
func (k *MarkedSink) Keep(at []stream.Position) {
	for _, p := range at {
		k.mark.next = p.Next
	}
}

// Flush commits what was written, with the position.
func (k *MarkedSink) Flush(ctx context.Context) error { return k.mark.txn.Commit(ctx, nil, nil) }
