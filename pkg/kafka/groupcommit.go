package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/stream"
)

// Commit makes positions the group's. Those of partitions that are not this
// member's any more are left out: others have taken over. Without a group it
// does nothing, nor where transactions have done it. While no broker takes them it
// tries again, until ctx is done.
func (s *Source) Commit(ctx context.Context, at []stream.Position) error {
	if s.inTxn {
		return nil
	}
	return s.commitAll(ctx, at)
}

func (s *Source) commitAll(ctx context.Context, at []stream.Position) error {
	if s.cfg.Group == "" || !s.hasBegun() {
		return nil
	}
	for began := time.Now(); ; {
		asked, req := time.Now(), s.commitRequest() // before it is asked what is its own: what it loses then is refused
		mine := s.mine(at)
		if len(mine) == 0 {
			return nil
		}
		err := s.commit(ctx, req, mine, s.words(at))
		switch {
		case err == nil:
			s.noteOwn(mine, asked)
			s.noteDone(at)
			return nil
		case isAny(err, joining), passes(err):
		case isAny(err, removed) && time.Since(began) < freshWithin: // not all brokers may know it yet
		case errors.Is(err, kerr.FencedInstanceID) && !s.isOut():
		case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.FencedMemberEpoch):
			return nil // the member was put out of the group: these records are read again
		default:
			return fmt.Errorf("committing to group %q: %w", s.cfg.Group, s.cfg.explain(err, s.name()))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("committing to group %q: %w", s.cfg.Group, errors.Join(context.Cause(ctx), err))
		}
	}
}

// joining are the errors of a member that is about to be told what is its own now:
// it may commit then, or has lost what it wanted to commit.
var joining = []error{kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.StaleMemberEpoch}

// isOut reports whether this member has learned that it cannot read any more. Of one
// whose name another has it learns that by a heartbeat. A commit is refused in the same
// words when the member itself has joined anew, after its session, and has not been told
// yet as whom.
func (s *Source) isOut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil && !errors.Is(s.err, io.EOF)
}

// passes reports whether a request may succeed when it is made again: no broker
// was to be reached, or the one that was is not ready.
func passes(err error) bool {
	var connection *net.OpError
	var dying *kgo.ErrFirstReadEOF // a cluster that wants TLS was found out by the first answer
	return errors.As(err, &connection) || errors.As(err, &dying) || kgo.IsRetryableBrokerErr(err) ||
		kerr.IsRetriable(err) && !isAny(err, removed)
}

// mine returns the positions of partitions that are this member's. One before where a
// partition began is of a time before it was lost: another member has come further
// meanwhile. None are, once something was lost that a state goes with.
func (s *Source) mine(at []stream.Position) map[string]map[int32]kgo.EpochOffset {
	s.mu.Lock()
	defer s.mu.Unlock()
	commit := map[string]map[int32]kgo.EpochOffset{}
	if errors.Is(s.broken, ErrAborted) {
		return commit
	}
	for _, p := range at {
		if known := s.parts[part{p.Source, p.Partition}]; known == nil || !known.owned || p.Next < known.committed {
			continue
		}
		if commit[p.Source] == nil {
			commit[p.Source] = map[int32]kgo.EpochOffset{}
		}
		commit[p.Source][p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: p.Next}
	}
	return commit
}

// noteOwn notes what was committed of partitions that are this member's, and when the
// group was asked to.
func (s *Source) noteOwn(at map[string]map[int32]kgo.EpochOffset, asked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted = moment{asked}
	for topic, parts := range at {
		for n, o := range parts {
			s.parts[part{topic, n}].committed = o.Offset
		}
	}
}

// hasBegun reports whether reading has begun; before that nothing is the source's own. Of
// several in one run, another one may have something to commit by then.
func (s *Source) hasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client != nil
}

// commitRequest returns a request to commit as the member that the source is now. A
// member that its group has put out since is refused.
func (s *Source) commitRequest() *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = s.cfg.Group
	req.MemberID, req.Generation = s.client.GroupMetadata()
	if s.cfg.InstanceID != "" {
		req.InstanceID = &s.cfg.InstanceID
	}
	return req
}

// commit commits and returns the first error, of the request or of a partition. It
// makes the request itself, for the client would have it wait while the member
// joins: that may take until another reader of this run has given partitions up,
// behind a barrier that is behind this commit. Brokers take it meanwhile.
func (s *Source) commit(
	ctx context.Context, req *kmsg.OffsetCommitRequest, at map[string]map[int32]kgo.EpochOffset, words words,
) error {
	if err := s.knows(req.MemberID); err != nil {
		return err
	}
	if err := s.ids.learn(ctx, s.admin, at); err != nil {
		return err
	}
	for name, parts := range at {
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic, topic.TopicID = name, s.ids[name]
		for n, o := range parts {
			p := kmsg.NewOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = n, o.Offset, o.Epoch, words.of(name, n)
			topic.Partitions = append(topic.Partitions, p)
		}
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// topicIDs are the ids of topics, by which newer brokers know them.
type topicIDs map[string][16]byte

// learn finds out the ids of the topics of offsets.
func (ids topicIDs) learn(ctx context.Context, ask *kadm.Client, at map[string]map[int32]kgo.EpochOffset) error {
	for name := range at {
		if _, known := ids[name]; known {
			continue
		}
		meta, err := ask.Metadata(ctx, name)
		if err != nil {
			return err
		}
		if t := meta.Topics[name]; t.Err == nil {
			ids[name] = t.ID
		}
	}
	return nil
}
