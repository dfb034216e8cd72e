package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// addOffsets makes positions of members a part of the transaction. Where one is of a
// partition that is not its member's any more, all of it is void.
func (t *Txn) addOffsets(ctx context.Context, members []*Source, at []stream.Position) error {
	kept := 0
	for _, m := range members {
		var n int
		err := t.retry(ctx, joining, func() (err error) { n, err = t.addOffsetsOf(ctx, m, at); return err })
		if err != nil {
			return err
		}
		kept += n
	}
	if kept < len(at) || slices.ContainsFunc(members, (*Source).hasLost) {
		return fmt.Errorf("%w: a partition was taken away before it ended", ErrAborted)
	}
	return nil
}

// addOffsetsOf makes those of the positions a part of the transaction that are the
// member's, and returns how many. One that has been given another generation and does
// not know it yet is refused: it may try again.
func (t *Txn) addOffsetsOf(ctx context.Context, m *Source, at []stream.Position) (n int, err error) {
	if !m.hasBegun() {
		return 0, nil
	}
	commit := t.offsetCommit(m) // before it is asked what is its own: what it loses after that is refused
	mine := m.mine(at)
	if len(mine) == 0 {
		return 0, nil
	}
	if err := m.knows(commit.MemberID); err != nil {
		return 0, err
	}
	if err := t.ids.learn(ctx, t.admin, mine); err != nil {
		return 0, err
	}
	n = t.addTopics(commit, mine, m.words(at))
	return n, t.sendOffsets(ctx, commit)
}

// sendOffsets makes the offsets of a request a part of the transaction.
func (t *Txn) sendOffsets(ctx context.Context, commit *kmsg.TxnOffsetCommitRequest) error {
	id, epoch, err := t.client.ProducerID(ctx)
	if err != nil {
		return err
	}
	commit.ProducerID, commit.ProducerEpoch = id, epoch
	if err := t.addGroup(ctx, commit); err != nil {
		return err
	}
	return t.retry(ctx, busy, func() error {
		resp, err := commit.RequestWith(ctx, t.client)
		if err != nil {
			return err
		}
		for _, topic := range resp.Topics {
			for _, p := range topic.Partitions {
				err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
			}
		}
		return err
	})
}

// addGroup tells the coordinator of the transaction that it is to hold offsets of the
// group of a request: once, however many members and attempts there are.
func (t *Txn) addGroup(ctx context.Context, commit *kmsg.TxnOffsetCommitRequest) error {
	if slices.Contains(t.groups, commit.Group) {
		return nil
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch = t.cfg.ID, commit.ProducerID, commit.ProducerEpoch
	add.Group = commit.Group
	err := t.retry(ctx, busy, func() error {
		resp, err := add.RequestWith(ctx, t.client)
		if err != nil {
			return err
		}
		return kerr.ErrorForCode(resp.ErrorCode)
	})
	if err == nil {
		t.groups = append(t.groups, commit.Group)
	}
	return err
}

// offsetCommit returns a request to commit offsets as a member. Its name and generation
// are in it: a member that was put out of its group is refused.
func (t *Txn) offsetCommit(m *Source) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group = t.cfg.ID, m.cfg.Group
	req.MemberID, req.Generation = m.client.GroupMetadata()
	if m.cfg.InstanceID != "" {
		req.InstanceID = &m.cfg.InstanceID
	}
	return req
}

// addTopics adds offsets, and what is written beside them, to a request, and returns
// how many.
func (t *Txn) addTopics(
	req *kmsg.TxnOffsetCommitRequest, at map[string]map[int32]kgo.EpochOffset, words words,
) (added int) {
	for name, parts := range at {
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.TopicID = name, t.ids[name]
		for n, o := range parts {
			p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = n, o.Offset, o.Epoch, words.of(name, n)
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
		added += len(parts)
	}
	return added
}

// busy are the errors of a coordinator that still works on the transaction before, or
// moves.
var busy = []error{
	kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.CoordinatorNotAvailable,
}

// retry repeats a request for as long as it is refused for one of some reasons, up to
// the time-out of a transaction.
func (t *Txn) retry(ctx context.Context, reasons []error, request func() error) (err error) {
	const pause = 20 * time.Millisecond
	for range t.cfg.Timeout / pause {
		if err = request(); err == nil || !isAny(err, reasons) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}

// fenced are the errors of a producer whose transactional id another one has, or
// whose transaction was open for longer than its time-out.
var fenced = []error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.FencedInstanceID, kerr.InvalidTxnState}

// passing are the errors of a transaction that may succeed when it is done again.
var passing = []error{
	kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.GroupIDNotFound, kerr.RebalanceInProgress,
	kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions,
	kerr.TransactionAbortable, kerr.InvalidProducerIDMapping, kerr.OperationNotAttempted, kerr.UnknownServerError,
	kerr.RequestTimedOut,
}

func isAny(err error, list []error) bool {
	return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
}

// failed says why a transaction failed, and makes what passes ErrAborted. Whether it
// passes that the transaction of readers was fenced, they know: see Source.Judge.
func (t *Txn) failed(members []*Source, err error) error {
	switch {
	case errors.Is(err, ErrAborted):
		return err
	case isAny(err, passing):
		return fmt.Errorf("%w: %w", ErrAborted, err)
	case isAny(err, fenced) && len(members) > 0:
		return err
	case isAny(err, fenced):
		return fault.Hint(fmt.Errorf("transactional id %q: another instance has taken it over, or this one was stopped "+
			"for longer than a transaction may take: %w", t.cfg.ID, err),
			"start it again; two that run at a time need different ids")
	}
	return t.cfg.explain(err, "")
}
