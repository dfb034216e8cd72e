package engine

import (
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// anyone is a chooser that is never asked.
type anyone struct{}

func (anyone) Choose(int64, []stream.Waiting) (next, most int)  { return -1, 0 }
func (anyone) Took(_ int64, _ int, _ record.Rows) (urgent bool) { return false }

// TestInterval: where some records come before others and are seen when they are
// committed, commits are close to each other, but leave half of the time to records, and
// more where nothing is urgent.
func TestInterval(t *testing.T) {
	const ms, every = time.Millisecond, 500 * time.Millisecond
	for _, c := range []struct {
		chosen, exactly, urgent bool
		every, took, want       time.Duration
	}{
		{every: every, took: 2 * every, want: every},
		{chosen: true, every: every, want: every},
		{exactly: true, every: every, want: every},
		{chosen: true, exactly: true, every: every, want: calmEvery},
		{chosen: true, exactly: true, every: every, took: 40 * ms, want: 160 * ms},
		{chosen: true, exactly: true, every: every, took: every, want: every},
		{chosen: true, exactly: true, every: ms, want: ms},
		{chosen: true, exactly: true, urgent: true, every: every, want: urgentEvery},
		{chosen: true, exactly: true, urgent: true, every: every, took: 40 * ms, want: 80 * ms},
		{chosen: true, exactly: true, urgent: true, every: every, took: every, want: every},
	} {
		p := Pipeline{Exactly: c.exactly, CommitEvery: c.every, Stats: new(Stats)}
		if c.chosen {
			p.Choose = anyone{}
		}
		r := newRun(p)
		r.urgent = c.urgent
		r.Stats.CommitNanos.Store(int64(c.took))
		if got := r.interval(); got != c.want {
			t.Errorf("%+v: every %s", c, got)
		}
	}
}
