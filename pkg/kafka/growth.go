package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// freshEvery is how old what is known of topics and their partitions may be. Members of
// groups, and producers, learn of new ones by what the client then finds.
var freshEvery = 10 * time.Second

// watchGrowth has partitions that are added to the topics of a reader without a group,
// and topics that its pattern matches, read from their beginning, until ctx is done.
func (s *Source) watchGrowth(ctx context.Context) {
	look := time.NewTicker(freshEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			s.adopt(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// adopt begins to read the partitions that are new. Where it fails it is tried again.
func (s *Source) adopt(ctx context.Context) {
	found, err := s.admin.ListTopics(ctx, s.named()...)
	if err != nil {
		return
	}
	fresh := positions{}
	s.mu.Lock()
	for name, topic := range found {
		if s.pattern != nil && !s.matches(name) {
			continue
		}
		for n := range topic.Partitions {
			if s.parts[part{name, n}] != nil {
				continue
			}
			if fresh[name] == nil {
				fresh[name] = map[int32]kgo.Offset{}
			}
			fresh[name][n] = kgo.NewOffset().At(-1)
		}
	}
	s.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	if from, err := s.assign(ctx, fresh); err == nil {
		s.client.AddConsumePartitions(from)
	}
}

// named returns the topics to ask about: all of them with a pattern.
func (s *Source) named() []string {
	if s.cfg.Pattern {
		return nil
	}
	return s.cfg.Topics
}

// cameLater reports whether there was no such partition when the run began: whatever is
// in it came since.
func (s *Source) cameLater(id part) bool {
	_, known := s.marks.last.Lookup(id.topic, id.n)
	return !known
}
