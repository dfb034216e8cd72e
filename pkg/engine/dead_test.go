package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// ledger is a keeper that compares, whenever it is flushed, the dead letters that
// were written with the positions that it is given.
type ledger struct {
	t       *testing.T
	dead    text
	next    map[string]int64
	flushes int
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
	l := &ledger{t: t, next: map[string]int64{}}
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
