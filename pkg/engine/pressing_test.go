package engine_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// drops is a source that gives a record after each of some times.
type drops struct {
	calm
	after []time.Duration
	came  []time.Time
}

func (s *drops) Read(_ context.Context, b *record.Batch) error {
	n := len(s.came)
	if n == len(s.after) {
		return io.EOF
	}
	time.Sleep(s.after[n])
	s.came = append(s.came, time.Now())
	b.Origin = &record.Origin{Source: "critical"}
	b.Add([]byte("x")).Offset = int64(n)
	b.Next = int64(n) + 1
	return nil
}

// keeping is a ledger that knows when it was flushed, and up to where.
type keeping struct {
	ledger
	kept []time.Time // of each record
}

func (k *keeping) Flush(ctx context.Context) error {
	for int64(len(k.kept)) < k.next["critical"] {
		k.kept = append(k.kept, time.Now())
	}
	return k.ledger.Flush(ctx)
}

// TestCommitsComeWhenTheyAreDue: where records are seen when they are committed, one
// that comes after a pause is committed at once, and one that has just missed a commit
// when the next one is due. While nothing comes the clock is looked at as seldom as
// anywhere.
func TestCommitsComeWhenTheyAreDue(t *testing.T) {
	const pause, shortly, soon = 1100 * time.Millisecond, 3 * time.Millisecond, 20 * time.Millisecond
	const behind = time.Second + time.Millisecond // a look at the clock
	synctest.Test(t, func(t *testing.T) {
		src := &drops{after: []time.Duration{behind, pause, shortly, shortly, time.Hour, shortly, shortly, pause}}
		sink := &keeping{ledger: ledger{next: map[string]int64{}}}
		looked := 0
		began := time.Now()
		err := engine.Run(t.Context(), engine.Pipeline{
			Sources: []stream.Source{src, new(calm)}, Sink: sink, Exactly: true, CommitEvery: time.Minute,
			Order: engine.AsItArrives, Choose: new(first),
			Now: func() int64 { looked++; return time.Now().UnixNano() },
		})
		if err != nil || len(sink.kept) != len(src.came) {
			t.Fatalf("%v: %d of %d records", err, len(sink.kept), len(src.came))
		}
		for i, came := range src.came {
			most := time.Millisecond // the sink takes a moment
			if src.after[i] == shortly {
				most += soon
			}
			if took := sink.kept[i].Sub(came); took > most {
				t.Errorf("record %d, which came after %v, is committed %v later", i, src.after[i], took)
			}
		}
		if most := int(time.Since(began) / (time.Second / 4)); looked > 10*most {
			t.Errorf("the clock was looked at %d times, want few for each of %d ticks", looked, most)
		}
	})
}

// TestCommitsComeBetweenPieces: a commit that is due does not wait for a tick of the
// clock while there is something to process.
func TestCommitsComeBetweenPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still but for the sink's
		src := &calm{lines{name: "critical", times: make([]int64, 30), n: 30}}
		sink := &slow{ledger: ledger{next: map[string]int64{}}}
		err := engine.Run(t.Context(), engine.Pipeline{
			Sources: []stream.Source{src, new(calm)}, Sink: sink, Exactly: true, CommitEvery: time.Minute,
			Order: engine.AsItArrives, Choose: new(first),
		})
		if err != nil || sink.next["critical"] != 30 || sink.flushes < 10 {
			t.Errorf("%v, up to %d of 30, %d commits for 10 pieces", err, sink.next["critical"], sink.flushes)
		}
	})
}

// slow is a ledger that takes longer for a piece than there is between commits.
type slow struct{ ledger }

func (s *slow) Write(record.Rows) error { time.Sleep(30 * time.Millisecond); return nil }

// refusing is a slow ledger that refuses its third commit.
type refusing struct {
	slow
	written, kept int64
}

func (s *refusing) Write(rows record.Rows) error {
	s.written += int64(rows.Hi - rows.Lo)
	return s.slow.Write(rows)
}

func (s *refusing) Flush(ctx context.Context) error {
	if s.flushes == 2 {
		return io.ErrClosedPipe
	}
	s.kept = s.written
	return s.slow.Flush(ctx)
}

// TestWhatIsUndoneDoesNotCount: exactly once, records whose commit is refused are not out.
func TestWhatIsUndoneDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, stats := &refusing{slow: slow{ledger{next: map[string]int64{}}}}, new(engine.Stats)
		err := engine.Run(t.Context(), engine.Pipeline{
			Sources: []stream.Source{&calm{lines{name: "critical", times: make([]int64, 30), n: 30}}, new(calm)},
			Sink:    sink, Exactly: true, CommitEvery: time.Minute, Order: engine.AsItArrives, Choose: new(first), Stats: stats,
		})
		if !errors.Is(err, io.ErrClosedPipe) || sink.kept == 0 || sink.kept == sink.written {
			t.Fatalf("%v, %d of %d were kept", err, sink.kept, sink.written)
		}
		if out := stats.Out.Load(); out != sink.kept {
			t.Errorf("out is %d, and %d of %d were kept", out, sink.kept, sink.written)
		}
	})
}
