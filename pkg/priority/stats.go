package priority

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

// stats count what became of a class.
type stats struct {
	waiting atomic.Int64 // records that were read and not chosen yet

	mu      sync.Mutex
	taken   int64
	latency sketch.Quantiles // seconds from a record's stamp to the sink
	missed  int64            // records that took longer than the SLO
	unsaid  int64            // of those, since it was last said
	slowest time.Duration    // of the unsaid ones
	said    int64            // when it was said
}

func (s *stats) add(now int64, slo time.Duration, rows record.Rows) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		n++
		if rec.Stamp == record.NoTime {
			continue
		}
		took := max(time.Duration(now-rec.Stamp), 0) // clocks differ
		s.latency.Add(took.Seconds())
		if slo > 0 && took > slo {
			s.missed++
			s.unsaid++
			s.slowest = max(s.slowest, took)
		}
	}
	s.taken += n
	return n
}

// sayEvery is how often misses are worth a word.
const sayEvery = 5 * time.Second

// news returns the misses since it last did; 0 where it has just done so.
func (s *stats) news(now int64) (missed int64, slowest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaid == 0 || now-s.said < int64(sayEvery) {
		return 0, 0
	}
	missed, slowest = s.unsaid, s.slowest
	s.unsaid, s.slowest, s.said = 0, 0, now
	return missed, slowest
}

// Figures are what has become of a class so far. Latencies are from the time of
// a record to the sink, in seconds, NaN before the first one.
type Figures struct {
	Class    string
	Taken    int64 // records
	Waiting  int64 // records that were read and not chosen yet
	Missed   int64 // records that took longer than the SLO
	P50, P99 float64
}

// Figures returns what has become of each class so far.
func (s *Scheduler) Figures() []Figures {
	all := make([]Figures, len(s.classes))
	for i := range s.classes {
		c := &s.classes[i]
		c.stats.mu.Lock()
		all[i] = Figures{
			c.Name, c.stats.taken, c.stats.waiting.Load(), c.stats.missed, c.stats.latency.Quantile(0.5),
			c.stats.latency.Quantile(0.99),
		}
		c.stats.mu.Unlock()
	}
	return all
}

// Summary says in a few words what became of each class in a run of some length.
func (s *Scheduler) Summary(run time.Duration) string {
	var parts []string
	for _, f := range s.Figures() {
		if f.Taken == 0 {
			parts = append(parts, f.Class+" 0")
			continue
		}
		text := fmt.Sprintf("%s %s (%.3g/s, p50 %s, p99 %s", f.Class, human.Count(f.Taken),
			float64(f.Taken)/max(run.Seconds(), 1e-3), span(f.P50), span(f.P99))
		if f.Missed > 0 {
			text += ", missed --slo " + human.Count(f.Missed)
		}
		parts = append(parts, text+")")
	}
	return strings.Join(parts, ", ")
}

func span(seconds float64) string { return human.Duration(time.Duration(seconds * 1e9)) }
