package window

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Stats are counts of what an Op has done and holds.
type Stats struct {
	Panes       int64         // stretches of time that are held; of tumbling windows, open windows
	Groups      int64         // groups in them
	Closed      int64         // windows that were closed, those with records
	Rows        int64         // rows that were written
	Late        int64         // records that came too late for every window of theirs
	Partly      int64         // records that came too late for some, but not for all
	Ahead       int64         // records that were set aside for being stamped in the future
	GraceNeeded time.Duration // the grace that would have kept all of them; 0 where none was late
}

type counters struct {
	panes, groups, closed, rows, late, partly, ahead, needed atomic.Int64
}

// Stats returns the present counts. It may be called from any goroutine.
func (o *Op) Stats() Stats {
	s := &o.stats
	return Stats{
		Panes: s.panes.Load(), Groups: s.groups.Load(), Closed: s.closed.Load(), Rows: s.rows.Load(),
		Late: s.late.Load(), Partly: s.partly.Load(), Ahead: s.ahead.Load(),
		GraceNeeded: time.Duration(s.needed.Load()),
	}
}

// Open returns how many windows with records are open. Unlike Stats it is for
// the goroutine that calls Process, or for after the run.
func (o *Op) Open() (n int) {
	_ = o.each(math.MaxInt64, func(int64, []int64) error {
		n++
		return nil
	})
	return n
}

// Process adds rows to the groups of their panes. It writes none but late ones.
func (o *Op) Process(rows record.Rows, _ stream.Output) error {
	b := rows.Batch
	var p *pane
	start, end := int64(math.MaxInt64), int64(math.MinInt64) // of p
	late := false
	keyed := o.keys.Len() > 0
	var numbers []uint64
	if keyed {
		numbers = o.keys.Numbers(b)
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			continue
		}
		if rec.Time < start || rec.Time >= end {
			o.flush(b, p)
			start = o.paneOf(rec.Time)
			end = start + o.pane
			p, late = o.paneAt(start), o.isLate(start)
			o.forgetKeys(len(b.Recs))
		}
		o.newest = max(o.newest, rec.Time)
		if late {
			if err := o.tooLate(b, i, p == nil); err != nil {
				return err
			}
		}
		if p == nil {
			continue
		}
		g := uint32(0)
		if keyed {
			if g = o.known[numbers[i]]; g == 0 {
				var err error
				if g, err = o.lookUp(p, b, numbers[i]); err != nil {
					return err
				}
			}
			g--
		}
		o.rows, o.members = append(o.rows, int32(i)), append(o.members, g)
	}
	o.flush(b, p)
	return nil
}

// forgetKeys makes ready for numbers of keys below n in another pane or batch.
func (o *Op) forgetKeys(n int) {
	if cap(o.known) < n {
		o.known = make([]uint32, n, n+n/4)
	}
	o.known = o.known[:n]
	clear(o.known)
}

// lookUp finds the group in p of a key of b by its number, and returns it plus
// one.
func (o *Op) lookUp(p *pane, b *record.Batch, number uint64) (uint32, error) {
	g, err := p.Group(o.keys.Key(b, number))
	o.known[number] = g + 1
	return g + 1, err
}

// flush adds the run of rows that was gathered for p to its columns.
func (o *Op) flush(b *record.Batch, p *pane) {
	if len(o.rows) == 0 {
		return
	}
	p.cells.Grow(p.Len())
	p.cells.Add(b, o.rows, o.members)
	if o.mark != 0 {
		p.noteAll(o.members, o.mark)
	}
	o.groups += p.Len() - p.counted
	p.counted = p.Len()
	o.rows, o.members = o.rows[:0], o.members[:0]
}

// paneAt returns the pane that starts there, or nil where its windows are
// closed.
func (o *Op) paneAt(start int64) *pane {
	p := o.panes[start]
	if p != nil || o.lastWindow(start)+o.size <= o.limit {
		return p
	}
	p = o.addPane(start)
	if o.keys.Len() == 0 {
		_, _ = p.Group(aggregate.HashKey(record.Missing, nil), record.Missing, nil) // the one group; it always has room
	}
	return p
}

// addPane adds a pane that is not there.
func (o *Op) addPane(start int64) *pane {
	p := o.newPane(start, o.panes[start-o.pane])
	o.panes[start] = p
	o.sorted = len(o.starts) == 0 || o.sorted && o.starts[len(o.starts)-1] < start
	o.starts = append(o.starts, start)
	o.due = min(o.due, o.firstOpen(start)+o.size)
	return p
}

// isLate reports whether a window that holds the pane is closed.
func (o *Op) isLate(pane int64) bool { return o.firstOpen(pane) != o.firstWindow(pane) }

// tooLate deals with a record of a closed window.
func (o *Op) tooLate(b *record.Batch, i int, wholly bool) error {
	end := o.firstWindow(o.paneOf(b.Recs[i].Time)) + o.size
	needed := o.newest - end + 1 // the watermark is never beyond the newest
	o.stats.needed.Store(max(o.stats.needed.Load(), needed))
	if !wholly {
		o.stats.partly.Add(1)
		return nil
	}
	o.stats.late.Add(1)
	if o.late == nil {
		return nil
	}
	return o.late.Write(record.Rows{Batch: b, Lo: i, Hi: i + 1})
}

// Due returns the least watermark at which a window closes that is open now,
// whether it has records or not; math.MaxInt64 where none closes before the
// end. Who calls Tick behind the very record with which the watermark reaches
// it has rows that do not depend on where batches begin and end, nor does it
// depend on that which records are late.
func (o *Op) Due() int64 {
	switch {
	case o.cfg.GraceUnlimited:
		return math.MaxInt64
	case o.limit == math.MinInt64:
		return math.MinInt64
	default:
		return o.windowAt(o.limit-o.size) + o.hop + o.size + int64(o.cfg.Grace)
	}
}

// Tick closes the windows that the watermark has passed by the grace, and
// writes what has changed where updates are wanted.
func (o *Op) Tick(watermark, now int64, out stream.Output) error {
	if watermark != record.NoTime && !o.cfg.GraceUnlimited {
		if err := o.close(watermark-int64(o.cfg.Grace), out); err != nil {
			return err
		}
	}
	if o.cfg.Update && now-o.updated >= int64(o.cfg.Every) {
		o.updated = now
		if err := o.update(out); err != nil {
			return err
		}
	}
	o.count()
	return o.writer.flush(out)
}

// Finish closes all windows.
func (o *Op) Finish(out stream.Output) error {
	if err := o.close(math.MaxInt64, out); err != nil {
		return err
	}
	o.count()
	return o.writer.flush(out)
}

func (o *Op) count() {
	o.stats.panes.Store(int64(len(o.panes)))
	o.stats.groups.Store(int64(o.groups))
}

// close writes the rows of the windows that end at or before limit, and drops
// the panes that no open window holds.
func (o *Op) close(limit int64, out stream.Output) error {
	if limit <= o.limit {
		return nil
	}
	if limit >= o.due {
		err := o.each(limit, func(start int64, panes []int64) error {
			o.stats.closed.Add(1)
			return o.write(start, panes, true, out)
		})
		if err != nil {
			return err
		}
	}
	if limit == math.MaxInt64 {
		limit = o.limit
		if n := len(o.starts); n > 0 { // the end: all that there is was closed
			limit = max(limit, o.lastWindow(o.starts[n-1])+o.size)
		}
	}
	o.limit = limit
	o.drop()
	return nil
}

// each calls f for every open window that ends at or before limit, with its
// start and the starts of its panes, in the order of time.
func (o *Op) each(limit int64, f func(start int64, panes []int64) error) error {
	o.sort()
	next := int64(math.MinInt64) // no window before it is left
	for k := 0; k < len(o.starts); {
		start := max(o.firstOpen(o.starts[k]), next)
		if start > o.lastWindow(o.starts[k]) {
			k++
			continue
		}
		if start+o.size > limit {
			return nil
		}
		end := k
		for end < len(o.starts) && o.starts[end] < start+o.size {
			end++
		}
		if err := f(start, o.starts[k:end]); err != nil {
			return err
		}
		next = start + o.hop
	}
	return nil
}

// sort orders the panes by time.
func (o *Op) sort() {
	if !o.sorted {
		slices.Sort(o.starts)
		o.sorted = true
	}
}

// drop forgets the panes whose windows are all closed.
func (o *Op) drop() {
	if o.limit < o.due {
		return
	}
	o.due = math.MaxInt64
	kept := o.starts[:0]
	for _, start := range o.starts {
		if o.lastWindow(start)+o.size <= o.limit {
			p := o.panes[start]
			if p.saved > 0 {
				o.gone = append(o.gone, &pane{start: start, Table: p.Table, saved: p.saved})
			}
			o.groups -= p.counted
			delete(o.panes, start)
			continue
		}
		kept = append(kept, start)
		o.due = min(o.due, o.firstOpen(start)+o.size)
	}
	o.starts = kept
}
