package engine_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// ledger is a keeper that compares, whenever it is flushed, the dead letters that
// were written with the positions that it is given.
type ledger struct {
	t        *testing.T
	compares bool
	dead     text
	next     map[string]int64
	flushes  int
}

func (l *ledger) Write(record.Rows) error { time.Sleep(50 * time.Microsecond); return nil }

func (l *ledger) Positions(context.Context) ([]stream.Position, error) { return nil, nil }

func (l *ledger) Keep(at []stream.Position) {
	for _, p := range at {
		l.next[p.Source] = p.Next
	}
}

func (l *ledger) Flush(context.Context) error {
	l.flushes++
	if !l.compares {
		return nil
	}
	want := 0
	for _, next := range l.next {
		for i := range next {
			if i%10 == 7 {
				want++
			}
		}
	}
	if got := strings.Count(l.dead.String(), " "); got != want {
		l.t.Errorf("at %v: %d dead letters, want those before: %d", l.next, got, want)
	}
	return nil
}

// Dead letters are committed with the position behind them: a run that is killed
// and started again writes each once.
func TestDeadLettersComeWithPositions(t *testing.T) {
	t.Parallel()
	l := &ledger{t: t, compares: true, next: map[string]int64{}}
	src := make([]stream.Source, 3)
	for i := range src {
		s := &seeker{lines{name: fmt.Sprintf("%c", 'a'+i), times: make([]int64, 1000), n: 90}}
		for k := range s.times {
			s.times[k] = int64(10*k + i)
		}
		src[i] = s
	}
	p := engine.Pipeline{
		Sources: src, Sink: l, Dead: &l.dead, Parser: newMarker, Exactly: true, Order: engine.InTime, CommitEvery: time.Microsecond,
	}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(l.dead.String(), " "); got != 300 || l.flushes < 10 {
		t.Errorf("%d dead letters, %d flushes; want 300, many", got, l.flushes)
	}
}

// followed is a file that is replaced by another one between two commits.
type followed struct{ files []*lines }

func (f *followed) Seek([]stream.Position) error { return nil }

func (f *followed) Read(ctx context.Context, b *record.Batch) error {
	for len(f.files) > 0 {
		if err := f.files[0].Read(ctx, b); err != io.EOF {
			return err
		}
		f.files = f.files[1:]
	}
	return io.EOF
}

// The end of a file that another one follows is a position like others: what was
// read of it last must not be read again.
func TestReplacedFilesAreCommittedToTheirEnds(t *testing.T) {
	f := &followed{}
	for i, name := range []string{"a", "b", "c"} {
		f.files = append(f.files, &lines{
			name: name, times: make([]int64, 50), n: 30, fresh: &record.Origin{Source: name, Partition: int32(i + 1)},
		})
	}
	l := &ledger{t: t, next: map[string]int64{}}
	p := engine.Pipeline{Sources: []stream.Source{f}, Sink: l, Exactly: true, CommitEvery: time.Hour}
	if err := engine.Run(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int64{"a": 50, "b": 50, "c": 50}, l.next); d != "" {
		t.Errorf("positions: -want +got\n%s", d)
	}
}
