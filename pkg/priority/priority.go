// Package priority chooses which of several classes of records comes next: the
// most important one that has something, or each by its weight, and whoever has
// waited too long in between, so that nothing starves.
package priority

import (
	"fmt"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Class is records that are equally urgent: those of one source.
type Class struct {
	Name    string
	Weight  int           // its share, where classes are weighed; 0 where they are not
	Promote time.Duration // a record that waits for so long is as urgent as any; 0: never
	SLO     time.Duration // what a record is to arrive within; 0: whenever
}

// chunk is how many records of a class are taken before the others are looked at.
const chunk = 64

// patience is how long a class waits for records of a more urgent one that are known to
// be on their way, as when both begin to be read. It is bounded: a partition may be out
// of reach.
const patience = int64(time.Second)

// A Scheduler is a stream.Chooser of sources that are classes, the most urgent
// first. What it counts may be read at any time; all else is for one goroutine.
type Scheduler struct {
	Note    func(string) // says that an SLO was missed; may be nil
	classes []class
	virtual int64 // the share that all who wait have had
	aged    bool  // the last choice was for its age
}

type class struct {
	Class
	share int64 // records taken, divided by the weight
	stats stats
}

// New returns a scheduler of classes, which are weighed where they have weights.
func New(classes []Class) *Scheduler {
	s := &Scheduler{classes: make([]class, len(classes))}
	for i, c := range classes {
		s.classes[i].Class = c
	}
	return s
}

// Choose returns the class that comes next, -1 where nothing waits, and how many
// of its records. One with a record that is due for its age takes turns with the
// one that would have come without: neither can keep the other waiting. Without
// weights nothing else comes before what is awaited of a more urgent class.
func (s *Scheduler) Choose(now int64, waiting []stream.Waiting) (next, most int) {
	next, oldest, awaited := -1, -1, false
	var over time.Duration
	for i := range s.classes {
		c, w := &s.classes[i], waiting[i]
		c.stats.waiting.Store(int64(w.Records))
		if w.Records == 0 {
			c.share = max(c.share, s.virtual) // silence saves up nothing
			awaited = awaited || c.Weight == 0 && w.Awaited > 0 && now-w.Awaited < patience
			continue
		}
		if next < 0 && !awaited || c.Weight > 0 && c.share < s.classes[next].share {
			next = i
		}
		if o, due := c.overdue(now, w.Since); due && (oldest < 0 || o > over) {
			oldest, over = i, o
		}
	}
	s.aged = oldest >= 0 && (!s.aged || next < 0 || oldest == next)
	if s.aged {
		next = oldest
	}
	return next, chunk
}

// overdue reports by how much a record is past its promotion. That comes a tenth
// before the time is over, for the record to arrive within it.
func (c *class) overdue(now, since int64) (time.Duration, bool) {
	if c.Promote == 0 || since == record.NoTime {
		return 0, false
	}
	over := time.Duration(now-since) - (c.Promote - c.Promote/10)
	return over, over >= 0
}

// scale makes shares whole numbers for all weights in use.
const scale = 1 << 20

// Took counts the records of a class that the sink has been given. Those of the first
// class are urgent.
func (s *Scheduler) Took(now int64, source int, rows record.Rows) (urgent bool) {
	c := &s.classes[source]
	n := c.stats.add(now, c.SLO, rows)
	if c.Weight > 0 {
		s.virtual = max(s.virtual, c.share)
		c.share += n * scale / int64(c.Weight)
	}
	s.note(c, now)
	return source == 0
}

// note says, now and then, that records of a class took too long.
func (s *Scheduler) note(c *class, now int64) {
	if s.Note == nil {
		return
	}
	if missed, slowest := c.stats.news(now); missed > 0 {
		s.Note(fmt.Sprintf("%s: %s records took longer than --slo %s, up to %s", c.Name, human.Count(missed),
			human.Span(c.SLO), human.Duration(slowest)))
	}
}
