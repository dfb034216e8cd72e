package engine_test

import (
	"context"
	"io"
	"testing"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// quiet is a source of partitions that only say how far they are, each at places of its
// own: those of partition n leave n when they are divided by how many there are.
type quiet struct {
	t       *testing.T
	origins []*record.Origin
	n, most int64
	commits int
}

func (s *quiet) Read(_ context.Context, b *record.Batch) error {
	if s.n == s.most {
		return io.EOF
	}
	b.Origin, b.Next, b.AtEnd = s.origins[s.n%int64(len(s.origins))], s.n, true
	s.n++
	return nil
}

func (s *quiet) Commit(_ context.Context, at []stream.Position) error {
	for _, p := range at {
		if s.commits++; p.Next%int64(len(s.origins)) != int64(p.Partition) {
			s.t.Errorf("partition %d is committed at %d, where another one is", p.Partition, p.Next)
		}
	}
	return nil
}

// TestAtMostOnceOfBatchesWithoutRecords: what is committed is of the batch that was read,
// and not of what is read into it again.
func TestAtMostOnceOfBatchesWithoutRecords(t *testing.T) {
	src := &quiet{t: t, most: 1000}
	for n := range int32(3) {
		src.origins = append(src.origins, &record.Origin{Source: "t", Partition: n, Topic: true})
	}
	err := runSoon(t.Context(), t, engine.Pipeline{Sources: []stream.Source{src}, Sink: new(text), AtMostOnce: true})
	if err != nil || src.commits < 1000 {
		t.Errorf("%v, %d commits", err, src.commits)
	}
}
