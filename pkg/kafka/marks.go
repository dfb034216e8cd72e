package kafka

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/shuffle"
	"github.com/logctl/logctl/pkg/stream"
)

// Shuffled says that a topic is one that package shuffle fills.
type Shuffled struct {
	Upstreams int    // partitions that it is filled from
	Group     string // of those that fill it
	Ends      bool   // it has ended when all of them have

	// Stops are where this run ends in them. A mark of an end before is of an
	// earlier run.
	Stops []stream.Position
}

// markOf returns the mark that a record is.
func (s *Source) markOf(r *kgo.Record) (record.Mark, bool) {
	if s.cfg.Shuffled == nil || !isMark(r) {
		return record.Mark{}, false
	}
	m, err := shuffle.ParseMark(string(r.Headers[0].Value))
	return m, err == nil
}

// isMark reports whether a record is a mark and no data.
func isMark(r *kgo.Record) bool {
	return r.Value == nil && r.Key == nil && len(r.Headers) > 0 && r.Headers[0].Key == shuffle.HeaderMark
}

// marked sends marks where they say, and all else where another partitioner says.
type marked struct{ kgo.Partitioner }

// ForTopic returns the partitioner of one topic.
func (m marked) ForTopic(topic string) kgo.TopicPartitioner {
	return markedTopic{m.Partitioner.ForTopic(topic)}
}

type markedTopic struct{ kgo.TopicPartitioner }

// Partition returns the partition of r among n.
func (m markedTopic) Partition(r *kgo.Record, n int) int {
	if isMark(r) {
		return int(r.Partition)
	}
	return m.TopicPartitioner.Partition(r, n)
}

// addMark adds a mark, which stands at offset, behind the records of b. With the
// last end of those that p is filled from, p ends.
func (s *Source) addMark(p *partition, b *record.Batch, m record.Mark, offset int64) {
	b.Marks = append(b.Marks, m)
	if s.endsWith(p, m) {
		p.stop = offset + 1
	}
}

// endsWith reports whether p has ended with a mark.
func (s *Source) endsWith(p *partition, m record.Mark) bool {
	if m.Time != record.Ended || !s.cfg.Shuffled.Ends || s.ofEarlierRun(m) {
		return false
	}
	if p.over == nil {
		p.over = map[part]int64{}
	}
	p.over[part{m.Source, m.Partition}] = m.Next
	return len(p.over) >= s.cfg.Shuffled.Upstreams
}

func (s *Source) ofEarlierRun(m record.Mark) bool {
	return slices.ContainsFunc(s.cfg.Shuffled.Stops, func(at stream.Position) bool {
		return at.Source == m.Source && at.Partition == m.Partition && m.Next < at.Next
	})
}

// Recall ends a partition whose end an earlier reader has met: this one begins
// behind it.
func (s *Source) Recall(o *record.Origin, ended []record.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[part{o.Source, o.Partition}]
	if p == nil || !p.owned || p.ended || s.cfg.Shuffled == nil {
		return
	}
	for _, m := range ended {
		if s.endsWith(p, m) {
			p.stop = p.next
			s.settleEnd(p)
			s.orders = append(s.orders, order{partition: p, atEnd: true})
			signal(s.wake)
			return
		}
	}
}

// Stops returns where each partition is read to, as seen at the first call, or
// when reading began.
func (s *Source) Stops(ctx context.Context) ([]stream.Position, error) {
	if err := s.takeMarks(ctx); err != nil {
		return nil, err
	}
	var at []stream.Position
	s.marks.last.Each(func(l kadm.ListedOffset) {
		stop := s.marks.end(s.cfg.Stop, part{l.Topic, l.Partition})
		at = append(at, stream.Position{Source: l.Topic, Partition: l.Partition, Next: stop})
	})
	return at, nil
}

// finite reports whether reading ends by itself.
func (s *Source) finite() bool {
	return s.cfg.Stop.kind != atDefault || s.cfg.Shuffled != nil && s.cfg.Shuffled.Ends
}
