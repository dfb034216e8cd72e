package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/human"
)

// noteJump looks whether records that were fetched of p follow those before. Between
// them may be offsets that never held any, of transactions or of what was compacted;
// but not what lies below the start of the log, nor do records come again.
func (s *Source) noteJump(p *partition, f kgo.FetchTopicPartition, end int64) {
	want, got := p.next, f.Records[0].Offset
	if n := len(p.pending); n > 0 {
		want = p.pending[n-1].Offset + 1
	}
	if got >= want {
		s.noteDeleted(p, want, min(got, f.LogStartOffset))
		return
	}
	p.end = end
	s.note("topic %q, partition %d: the brokers have lost records: reading had come to offset %d, and goes on at %d",
		p.topic, p.n, want, got)
}

// noteDeleted counts offsets of p that were deleted from one on to before another, and
// says so the first time.
func (s *Source) noteDeleted(p *partition, from, to int64) {
	if to <= from {
		return
	}
	s.deleted.Add(to - from)
	if !p.cut {
		p.cut = true
		s.note("topic %q, partition %d: %s records, from offset %d on, were deleted before they were read",
			p.topic, p.n, human.Count(to-from), from)
	}
}

func (s *Source) note(format string, args ...any) {
	if s.cfg.Note != nil {
		s.cfg.Note(fmt.Sprintf(format, args...))
	}
}

// Deleted returns how many records retention had deleted before they were read, by
// their offsets.
func (s *Source) Deleted() int64 { return s.deleted.Load() }
