package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
)

// begin takes the marks of the topics and starts to read.
func (s *Source) begin(ctx context.Context) error {
	if err := s.takeMarks(ctx); err != nil {
		return err
	}
	opts, err := s.cfg.Options()
	if err != nil {
		return err
	}
	opts = append(opts, s.fetchOptions()...)
	if s.cfg.Group != "" {
		s.takeOver(ctx)
		opts = append(opts, s.groupOptions()...)
	} else {
		chosen := s.chosen(s.marks)
		if err := s.checkChosen(chosen); err != nil {
			return err
		}
		from, err := s.assign(ctx, chosen)
		if err != nil {
			return err
		}
		opts = append(opts, kgo.ConsumePartitions(from))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return s.cfg.explain(err, s.name())
	}
	s.mu.Lock()
	s.client = client
	for _, p := range s.owned {
		if p.ended {
			client.PauseFetchPartitions(map[string][]int32{p.topic: {p.n}})
		}
	}
	s.mu.Unlock()
	polling, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.poll.Go(func() { s.pollAll(polling) })
	if s.cfg.Group == "" && len(s.cfg.Partitions) == 0 && !s.finite() {
		s.poll.Go(func() { s.watchGrowth(polling) })
	}
	if s.cfg.Widths != nil {
		s.poll.Go(func() { s.watchWidths(polling) })
	}
	if s.cfg.Shuffled != nil && s.cfg.Shuffled.Ends {
		s.poll.Go(func() { s.watchUpstreams(polling) })
	}
	return nil
}

// takeMarks lists where the topics begin and end, once.
func (s *Source) takeMarks(ctx context.Context) error {
	if s.marks.last != nil {
		return nil
	}
	topics, err := s.topics(ctx)
	if err == nil {
		s.marks, err = s.listOffsets(ctx, topics)
	}
	return err
}

// topics returns the names of the topics to read: with a pattern, those that
// there are now.
func (s *Source) topics(ctx context.Context) ([]string, error) {
	if !s.cfg.Pattern {
		return s.cfg.Topics, nil
	}
	all, err := s.admin.ListTopics(ctx)
	if err != nil {
		return nil, s.cfg.explain(err, s.name())
	}
	names := slices.DeleteFunc(all.Names(), func(n string) bool { return !s.matches(n) })
	if len(names) == 0 && s.cfg.Group == "" {
		return nil, fault.Hint(fmt.Errorf("no topic matches %q", s.name()), "`logctl topic ls` shows them")
	}
	return names, nil
}

// chosen returns the partitions of a reader without a group, at no position.
func (s *Source) chosen(o offsets) positions {
	parts := positions{}
	o.first.Each(func(l kadm.ListedOffset) {
		if len(s.cfg.Partitions) > 0 && !slices.Contains(s.cfg.Partitions, l.Partition) {
			return
		}
		if parts[l.Topic] == nil {
			parts[l.Topic] = map[int32]kgo.Offset{}
		}
		parts[l.Topic][l.Partition] = kgo.NewOffset().At(-1)
	})
	return parts
}

// checkChosen refuses a partition that no topic has.
func (s *Source) checkChosen(found positions) error {
	for _, n := range s.cfg.Partitions {
		known := false
		for _, parts := range found {
			_, has := parts[n]
			known = known || has
		}
		if !known {
			return fault.Usagef("`logctl topic describe` shows them", "%s: there is no partition %d", s.name(), n)
		}
	}
	return nil
}

func (s *Source) fetchOptions() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.FetchMaxBytes(int32(s.cfg.FetchBytes)),
		kgo.FetchMaxPartitionBytes(int32(s.cfg.PartitionBytes)),
		kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.RetryBackoffFn(retryDelay),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords(),
		kgo.WithPools(newRecordPool(s.cfg.Yield), s.bytes),
		kgo.WithDecompressor(s.unpack),
		kgo.WithHooks(&s.link, s.metrics, &s.portion, s.unpack),
	}
	if !s.cfg.Uncommitted {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	return opts
}

// pollAll takes over what the client has fetched, whenever Read asks. Between
// polls, rebalances may happen; while fetched records are taken over, not.
func (s *Source) pollAll(ctx context.Context) {
	for {
		select {
		case <-s.want:
		case <-ctx.Done():
			return
		}
		fetches := s.client.PollFetches(ctx)
		if ctx.Err() == nil {
			s.client.SetOffsets(s.take(fetches))
		}
		s.client.AllowRebalance()
		signal(s.wake)
	}
}

// take adds fetched records to what is pending of their partitions. It returns from
// where on to fetch those of which it passes over a batch.
func (s *Source) take(fetches kgo.Fetches) map[string]map[int32]kgo.EpochOffset {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unpack.taken(func(of part, size int) {
		if p := s.parts[of]; p != nil {
			p.waits += size
		}
	})
	now, beyond := time.Now(), map[string]map[int32]kgo.EpochOffset{}
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if f.Err != nil {
			s.fetchFailed(f.Topic, f.Err)
		}
		p := s.parts[part{f.Topic, f.Partition}]
		if p == nil || !p.owned || p.ended {
			recycle(f.Records)
			return
		}
		end := f.LastStableOffset
		if s.cfg.Uncommitted {
			end = f.HighWatermark
		}
		p.end = max(p.end, end)
		if len(f.Records) > 0 {
			s.noteJump(p, f, end)
			p.silent = now
			p.add(f.Records)
			s.bound(p)
		}
		if batch, ok := errors.AsType[*kgo.ErrDecompressTooLarge](f.Err); ok {
			if beyond[f.Topic] == nil {
				beyond[f.Topic] = map[int32]kgo.EpochOffset{}
			}
			beyond[f.Topic][f.Partition] = s.refuse(p, batch)
		}
	})
	return beyond
}

// add adds records to those that are pending. Mostly there are none.
func (p *partition) add(rs []*kgo.Record) {
	if len(p.pending) == 0 {
		p.pending = rs
		return
	}
	p.pending = append(p.pending, rs...)
}

// fetchFailed notes an error that ends the run. What the client mends by
// itself is none.
func (s *Source) fetchFailed(topic string, err error) {
	var session *kgo.ErrGroupSession
	var loss *kgo.ErrDataLoss
	switch {
	case s.closed, s.err != nil, errors.Is(err, kgo.ErrClientClosed), errors.Is(err, context.Canceled):
		return
	case errors.As(err, &session) && !fatalToMember(err):
		return // the member joins again
	case errors.Is(err, errFull), errors.Is(err, kgo.ErrMaxDecompress):
		return // fetched again; refused by take
	case errors.As(err, &loss):
		return // the topic was cut back below the position: noteJump says so when something comes
	case kerr.IsRetriable(err) && !isAny(err, removed):
		return
	}
	s.err = s.cfg.explain(err, topic)
}

// fatalToMember reports whether joining again would fail again.
func fatalToMember(err error) bool {
	for _, e := range []error{
		kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.FencedInstanceID, kerr.UnreleasedInstanceID,
		kerr.InconsistentGroupProtocol, kerr.InvalidSessionTimeout, kerr.InvalidGroupID, kerr.GroupMaxSizeReached,
		kerr.UnsupportedVersion, kerr.UnsupportedAssignor, kerr.SaslAuthenticationFailed,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
