package engine_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// asker is a source that goes on when what it gave before is committed, as one
// does whose callers wait for an answer.
type asker struct {
	origin    *record.Origin
	n         int64
	committed chan int64
}

func (s *asker) Read(ctx context.Context, b *record.Batch) error {
	if s.n > 0 {
		select {
		case next := <-s.committed:
			if next != s.n {
				return io.ErrUnexpectedEOF
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.n == 5 {
		return io.EOF
	}
	b.Origin, b.Prompt = s.origin, true
	b.Add([]byte("x")).Offset = s.n
	s.n++
	b.Next = s.n
	return nil
}

func (s *asker) Commit(_ context.Context, at []stream.Position) error {
	for _, p := range at {
		s.committed <- p.Next
	}
	return nil
}

// TestPromptBatchesAreCommittedAtOnce: a prompt batch does not wait for the
// interval of commits, and its output is flushed before: else the run would hang.
func TestPromptBatchesAreCommittedAtOnce(t *testing.T) {
	src := &asker{origin: &record.Origin{Source: "posts"}, committed: make(chan int64, 10)}
	sink := new(text)
	err := runSoon(t.Context(), t, engine.Pipeline{Sources: []stream.Source{src}, Sink: sink, CommitEvery: time.Hour})
	if err != nil || sink.String() != "x x x x x " || sink.flushed < 5 {
		t.Errorf("%v, %q, flushed %d times", err, sink.String(), sink.flushed)
	}
}

// pressing is an asker whose records are urgent, and not prompt.
type pressing struct{ asker }

func (s *pressing) Read(ctx context.Context, b *record.Batch) error {
	defer func() { b.Prompt = false }()
	return s.asker.Read(ctx, b)
}

func (*pressing) Seek([]stream.Position) error { return nil }

// calm is a source that has nothing, and of which the sink may keep positions.
type calm struct{ lines }

func (*calm) Seek([]stream.Position) error { return nil }

// TestUrgentRecordsAreCommittedSoon: where records are seen when they are committed,
// urgent ones do not wait for the interval of commits.
func TestUrgentRecordsAreCommittedSoon(t *testing.T) {
	src := &pressing{asker{origin: &record.Origin{Source: "critical"}, committed: make(chan int64, 10)}}
	sink := &ledger{next: map[string]int64{}}
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{src, new(calm)}, Sink: sink, Exactly: true, CommitEvery: time.Hour,
		Order: engine.AsItArrives, Choose: new(first),
	})
	if err != nil || sink.next["critical"] != 5 {
		t.Errorf("%v, up to %d of 5", err, sink.next["critical"])
	}
}
