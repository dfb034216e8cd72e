package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// distant is a sink that takes 100 ns to write a batch, and 10 µs to flush, by its own
// clock.
type distant struct {
	clock   atomic.Int64
	written int
	flushes []int // what was written before each
}

func (s *distant) Write(record.Rows) error {
	time.Sleep(10 * time.Microsecond) // for the run looks at the clock at times only
	s.clock.Add(100)
	s.written++
	return nil
}

func (s *distant) Flush(context.Context) error {
	s.clock.Add(10_000)
	s.flushes = append(s.flushes, s.written)
	return nil
}

// TestRecordsComeBetweenLongCommits: one that takes longer than the interval, as over a
// slow network, is not followed by the next one at once.
func TestRecordsComeBetweenLongCommits(t *testing.T) {
	s := new(distant)
	src := &lines{name: "a", times: make([]int64, 500), n: 1}
	err := runSoon(t.Context(), t, engine.Pipeline{
		Sources: []stream.Source{src}, Sink: s, CommitEvery: 1000, Now: s.clock.Load,
	})
	if err != nil || s.written != 500 || len(s.flushes) < 3 {
		t.Fatalf("%v: %d batches and %d flushes", err, s.written, len(s.flushes))
	}
	for i := 1; i < len(s.flushes)-1; i++ { // the last one is at the end, whatever came since
		if n := s.flushes[i] - s.flushes[i-1]; n < 5 {
			t.Fatalf("commit %d holds %d batches, want half of what fits into the interval: 5", i, n)
		}
	}
}
