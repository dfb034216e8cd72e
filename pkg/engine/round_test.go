package engine_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// requests are two partitions whose offsets hold some records each, all of them in
// turn by their times. It reads on behind each quarter of them when there has been
// another commit.
type requests struct {
	at, total int64
	commits   *atomic.Int64
}

const inRequest = 4

func (*requests) Seek([]stream.Position) error { return nil }

func (*requests) Pause(*record.Origin, bool) {}

var requestParts = [2]*record.Origin{{Source: "r", Topic: true}, {Source: "r", Partition: 1, Topic: true}}

func (s *requests) Read(ctx context.Context, b *record.Batch) error {
	for s.commits.Load() < 4*s.at/s.total && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if s.at == s.total {
		return io.EOF
	}
	part, offset := s.at%2, s.at/2
	b.Origin = requestParts[part]
	for i := range int64(inRequest) {
		rec := b.Add([]byte("r"))
		rec.Offset, rec.Time = offset, 2*(offset*inRequest+i)+part
	}
	s.at++
	b.Next = offset + 1
	return nil
}

// whole is a sink that checks at every commit that it was given the records of whole
// requests, those before the positions.
type whole struct {
	t       *testing.T
	rows    int64
	commits atomic.Int64
	next    [2]int64
}

func (w *whole) Write(rows record.Rows) error {
	w.rows += int64(rows.Hi - rows.Lo)
	return nil
}

func (*whole) Positions(context.Context) ([]stream.Position, error) { return nil, nil }

func (w *whole) Keep(at []stream.Position) {
	for _, p := range at {
		w.next[p.Partition] = p.Next
	}
}

func (w *whole) Flush(context.Context) error {
	commit := w.commits.Add(1)
	if want := inRequest * (w.next[0] + w.next[1]); w.rows != want {
		w.t.Errorf("commit %d: %d rows, want the %d before %v", commit, w.rows, want, w.next)
	}
	return nil
}

// TestCommitsRoundOff: no commit stands between the records of one offset.
func TestCommitsRoundOff(t *testing.T) {
	w := &whole{t: t}
	at := int64(0)
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{&requests{total: 20_000, commits: &w.commits}}, Sink: w, Exactly: true, Order: engine.InTime,
		CommitEvery: time.Millisecond,
		Now: func() int64 { // it is time for a commit whenever it is looked
			at += int64(time.Second)
			return at
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.rows != 20_000*inRequest || w.commits.Load() < 4 {
		t.Errorf("%d rows in %d commits", w.rows, w.commits.Load())
	}
}
