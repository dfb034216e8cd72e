package window

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/sketch"
)

// Stats are counts of what an Op has done and holds.
type Stats struct {
	Open        int64         // stretches of time that are held (of tumbling windows: windows), or sessions, or records
	Groups      int64         // groups in them
	Closed      int64         // windows that were closed, those with records
	Rows        int64         // rows that were written
	Late        int64         // records that came too late for every window of theirs
	Partly      int64         // records that came too late for some, but not for all
	Ahead       int64         // records that were set aside for being stamped in the future
	Spilled     int64         // bytes that are not in memory
	GraceNeeded time.Duration // the grace that would have kept all of them; 0 where none was late
}

// counters are what operators of one run count together.
type counters struct {
	open, groups, closed, rows, late, partly, needed, spilled atomic.Int64

	// Of the goroutine that calls Process. All but live and sampled are ns.
	live, sampled int64            // records
	disorder      sketch.Quantiles // by how many seconds sampled records came after newer ones
	most          int64            // likewise, the most of all
	forAll        int64            // the grace with which none would be late
	from, until   int64            // see wouldBeLate
}

// Stats returns the present counts. It may be called from any goroutine.
func (o *Op) Stats() Stats {
	s := o.stats
	return Stats{
		Open: s.open.Load(), Groups: s.groups.Load(), Closed: s.closed.Load(), Rows: s.rows.Load(),
		Late: s.late.Load(), Partly: s.partly.Load(), Ahead: o.times.Ahead(),
		Spilled: s.spilled.Load(), GraceNeeded: time.Duration(s.needed.Load()),
	}
}

func (o *Op) count() {
	open, groups := o.open.size()
	now := [2]int64{int64(open), int64(groups)}
	o.stats.open.Add(now[0] - o.held[0])
	o.stats.groups.Add(now[1] - o.held[1])
	o.held = now
}

// Leave implements stream.Leaver.
func (o *Op) Leave() {
	if s, ok := o.open.(spiller); ok {
		s.leave()
	}
	o.stats.open.Add(-o.held[0])
	o.stats.groups.Add(-o.held[1])
	o.held = [2]int64{}
}

// Open returns how many windows with records are open. Unlike Stats it is for
// the goroutine that calls Process, or for after the run.
func (o *Op) Open() (n int) {
	a, ok := o.open.(*aligned)
	if !ok {
		n, _ = o.open.size()
		return n
	}
	_ = a.each(math.MaxInt64, nil, func(openWindow) error {
		n++
		return nil
	})
	return n
}

// Add adds the counts of another run over other partitions of the same input.
func (s *Stats) Add(o *Stats) {
	s.Open += o.Open
	s.Groups += o.Groups
	s.Closed += o.Closed
	s.Rows += o.Rows
	s.Late += o.Late
	s.Partly += o.Partly
	s.Ahead += o.Ahead
	s.Spilled += o.Spilled
	s.GraceNeeded = max(s.GraceNeeded, o.GraceNeeded)
}

// A Disorder says by how much time records came after newer ones.
type Disorder struct {
	Sampled  int64            // records, those in order included
	Behind   sketch.Quantiles // by how many seconds those of them were that came after newer ones
	Most     time.Duration    // of all records
	KeepsAll time.Duration    // the grace with which none is late
}

// Disorder returns a copy of what was observed. It is for the goroutine that calls
// Process, or for after the run.
func (o *Op) Disorder() *Disorder {
	d := &Disorder{
		Sampled: o.stats.sampled, Most: time.Duration(o.stats.most), KeepsAll: time.Duration(o.stats.forAll),
	}
	d.Behind.Merge(&o.stats.disorder)
	return d
}

// Merge adds what another run has observed.
func (d *Disorder) Merge(o *Disorder) {
	d.Sampled += o.Sampled
	d.Behind.Merge(&o.Behind)
	d.Most, d.KeepsAll = max(d.Most, o.Most), max(d.KeepsAll, o.KeepsAll)
}

// Quantile returns a quantile of the time by which records came after newer ones;
// records in order count as 0.
func (d *Disorder) Quantile(q float64) time.Duration {
	all, behind := float64(d.Sampled), float64(d.Behind.Count())
	rank := q*all - (all - behind) // among those that were behind
	if rank <= 0 {
		return 0
	}
	return time.Duration(d.Behind.Quantile(rank/behind) * 1e9)
}
