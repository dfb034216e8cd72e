package kafka

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// removed are the errors of a topic that has been removed, and may have been made anew
// since. The client tells them only when they have not passed by themselves.
var removed = []error{kerr.UnknownTopicOrPartition, kerr.UnknownTopicID}

// checkEvery is how often a silent source looks whether it waits in vain.
const checkEvery = time.Second

// checkSilence looks into why nothing comes: no broker answers, offsets hold no
// records, or the group has nothing left to do.
func (s *Source) checkSilence(ctx context.Context) error {
	d, err := s.link.down()
	if d > s.cfg.Timeout {
		said := s.cfg.explain(err, "")
		return fault.Hint(fmt.Errorf("topic %q: nothing has come for %s: %w",
			s.name(), human.Span(d.Round(time.Second)), said), cmp.Or(fault.HintOf(said), "the cluster may be down"))
	}
	s.noteOutage(s.link.news(longSilence))
	s.mu.Lock()
	var silent []part
	for _, p := range s.owned {
		if !p.ended && !p.held && len(p.pending) == 0 && p.next < p.awaited() && time.Since(p.silent) > 2*checkEvery {
			silent = append(silent, p.part)
		}
	}
	idle := s.finite() && s.joined && s.ownEnded()
	s.mu.Unlock()
	if err == nil {
		within, cancel := context.WithTimeout(ctx, 2*checkEvery)
		defer cancel()
		for _, id := range silent {
			s.passGap(within, id)
		}
	}
	if idle && s.groupIsDone(ctx) {
		return s.end()
	}
	return nil
}

// noteOutage tells a person that a broker is waited for, and why; nil is no news.
func (s *Source) noteOutage(err error) {
	if err == nil || s.cfg.Note == nil {
		return
	}
	err = s.cfg.explain(err, "")
	said := fmt.Sprintf("topic %q: %v; waiting for it", s.name(), err)
	if hint := fault.HintOf(err); hint != "" {
		said += " (" + hint + ")"
	}
	s.cfg.Note(said)
}

// awaited returns the offset that p comes to with what is in its topic.
func (p *partition) awaited() int64 {
	if p.stop == never || p.stop > p.end {
		return p.end
	}
	return p.stop
}

// passGap moves the position of a partition behind offsets that hold no records any
// more, as after compaction, or because they were deleted before they were read. The
// client says nothing of either.
func (s *Source) passGap(ctx context.Context, id part) {
	s.mu.Lock()
	p := s.parts[id]
	next, to := p.next, p.awaited()
	s.mu.Unlock()
	listed, err := s.admin.ListStartOffsets(ctx, id.topic)
	first := offsetOf(listed, id)
	switch {
	case err != nil, listed.Error() != nil:
		return
	case first > next:
		to = min(first, to)
	case !s.holdsNothing(ctx, id, next):
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.owned && p.next == next && len(p.pending) == 0 {
		s.noteDeleted(p, next, first)
		p.next = to
		s.settleEnd(p)
		s.orders = append(s.orders, order{partition: p, atEnd: p.quiet()})
		signal(s.wake)
	}
}

// holdsNothing asks the partition's leader for anything from an offset on.
func (s *Source) holdsNothing(ctx context.Context, id part, from int64) bool {
	meta, err := s.admin.Metadata(ctx, id.topic)
	if err != nil {
		return false
	}
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = id.topic, meta.Topics[id.topic].ID
	one := kmsg.NewFetchRequestTopicPartition()
	one.Partition, one.FetchOffset, one.PartitionMaxBytes, one.CurrentLeaderEpoch = id.n, from, 1, -1
	topic.Partitions = append(topic.Partitions, one)
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxBytes, req.SessionEpoch = -1, 1, -1
	req.Topics = append(req.Topics, topic)
	leader := meta.Topics[id.topic].Partitions[id.n].Leader
	raw, err := s.client.Broker(int(leader)).RetriableRequest(ctx, req)
	if err != nil {
		return false
	}
	resp, ok := raw.(*kmsg.FetchResponse)
	if !ok || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return false
	}
	got := resp.Topics[0].Partitions[0]
	return got.ErrorCode == 0 && len(got.RecordBatches) == 0 && from < got.HighWatermark
}
