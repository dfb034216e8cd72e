package window

import (
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// aligned keeps windows that begin at times which do not depend on the records:
// tumbling, hopping, and those of the calendar, of one size or several.
type aligned struct {
	*Op
	shapes []*shape
	trees  []*tree    // of each shape; nil where it has none
	fill   []*filling // of each shape, where empty windows are to be filled
	panes  map[int64]*pane
	starts []int64 // of panes
	sorted bool
	due    int64 // the least end of a window that is open and has records
	over   int64 // no record is awaited before it, but for those that are late for a window

	rows    []int32  // of the run of rows in one pane: their index,
	members []uint32 // and their group
	groups  int      // of all panes
	gone    []*pane  // keys of panes that Changes has given away and that are no more
	saving  int      // the pane that Changes goes on with
	scratch []*groups

	perGroup       int64 // about how many bytes a group takes,
	measured       int   // as it was measured when there were so many groups
	unmeasured     int64 // bytes of records since then
	goneParts      []gonePart
	restoredGroups int
}

func newAligned(o *Op) *aligned {
	a := &aligned{Op: o, panes: map[int64]*pane{}, due: math.MaxInt64, over: math.MinInt64}
	for _, size := range o.cfg.Sizes {
		hop := size
		if o.cfg.Hop != (Size{}) {
			hop = o.cfg.Hop
		}
		s := newShape(size, hop)
		a.shapes = append(a.shapes, s)
		a.trees = append(a.trees, a.newTree(s))
		if o.cfg.Fill != FillNone {
			a.fill = append(a.fill, newFilling(o, len(a.fill), s.hop))
		}
	}
	if len(o.cfg.Trend) > 0 {
		o.trend = o.newTrend(a.shapes)
	}
	return a
}

// add adds rows to the groups of their panes.
func (a *aligned) add(rows record.Rows) error {
	b := rows.Batch
	a.unmeasured += int64(rows.Size())
	var p *pane
	start, end := int64(math.MaxInt64), int64(math.MinInt64) // of p
	late := false
	keyed := a.keys.Len() > 0
	var numbers []uint64
	if keyed {
		numbers = a.keys.Numbers(b)
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			a.newest = max(a.newest, rec.Passed())
			continue
		}
		if rec.Time < start || rec.Time >= end {
			a.addRun(b, p)
			start, end = a.around(rec.Time)
			p, late = a.paneAt(start, end), a.isLate(start)
			a.forgetKeys(len(b.Recs))
			a.warm(p, record.Rows{Batch: b, Lo: i, Hi: rows.Hi})
		}
		a.newest = max(a.newest, rec.Time)
		if late {
			if err := a.tooLate(b, i, a.closesAt(rec.Time), p == nil); err != nil {
				return err
			}
		}
		if p == nil {
			continue
		}
		g := uint32(0)
		if keyed {
			if g = a.known[numbers[i]]; g == 0 {
				var err error
				if g, err = a.lookUp(p.Table, b, numbers[i]); err != nil {
					return err
				}
			}
			g--
		}
		a.rows, a.members = append(a.rows, int32(i)), append(a.members, g)
	}
	a.addRun(b, p)
	return nil
}

// addRun adds the run of rows that was gathered for p to its cells.
func (a *aligned) addRun(b *record.Batch, p *pane) {
	if len(a.rows) == 0 {
		return
	}
	p.cells.Grow(p.Len())
	p.cells.Add(b, a.rows, a.members)
	if a.mark != 0 {
		p.noteAll(a.members, a.mark)
	}
	if p.end <= a.limit {
		for _, t := range a.trees {
			if t != nil {
				t.outdate(p)
			}
		}
	}
	a.groups += p.Len() - p.counted
	p.counted = p.Len()
	a.rows, a.members = a.rows[:0], a.members[:0]
}

// paneAt returns the pane that starts there, or nil where its windows are all
// closed.
func (a *aligned) paneAt(start, end int64) *pane {
	p := a.panes[start]
	if p != nil || a.isOver(start) {
		return p
	}
	p = a.addPane(start, end)
	if a.keys.Len() == 0 {
		_, _ = p.Group(aggregate.HashKey(record.Missing, nil), record.Missing, nil) // the one group; it always has room
	}
	return p
}

// addPane adds a pane that is not there.
func (a *aligned) addPane(start, end int64) *pane {
	var like *groups
	if before, _ := a.around(start - 1); a.panes[before] != nil {
		like = &a.panes[before].groups
	}
	p := &pane{start: start, end: end, groups: a.newGroups(like)}
	a.panes[start] = p
	a.sorted = len(a.starts) == 0 || a.sorted && a.starts[len(a.starts)-1] < start
	a.starts = append(a.starts, start)
	a.due = min(a.due, a.firstEnd(start))
	return p
}

// close writes the rows of the windows that end at or before limit, and drops the
// panes that no open window holds.
func (a *aligned) close(limit int64, out stream.Output) error {
	a.over = limit
	if limit >= a.due || a.fill != nil {
		err := a.each(limit, a.fill, func(w openWindow) error {
			if len(w.panes) > 0 {
				a.stats.closed.Add(1)
			}
			return a.write(w, true, out)
		})
		if err != nil {
			return err
		}
	}
	if limit == math.MaxInt64 { // the end: all that there is was closed
		limit = a.limit
		for _, s := range a.shapes {
			if n := len(a.starts); n > 0 {
				limit = max(limit, s.end(s.last(a.starts[n-1])))
			}
		}
	}
	a.limit = limit
	if err := a.drop(); err != nil {
		return err
	}
	if a.trend != nil {
		a.trend.expire()
	}
	return nil
}

// update writes the rows of open windows that changed since the last update.
func (a *aligned) update(out stream.Output) error {
	touched := func(at int64) bool { return a.panes[at].unsaid }
	if !slices.ContainsFunc(a.starts, touched) {
		return nil
	}
	err := a.each(math.MaxInt64, nil, func(w openWindow) error {
		if !slices.ContainsFunc(w.panes, touched) {
			return nil
		}
		return a.write(w, false, out)
	})
	for _, p := range a.panes {
		if p.unsaid {
			p.forget(unsaid)
		}
	}
	return err
}

// write writes the rows of one window: of all its groups, or of those that have
// changed.
func (a *aligned) write(w openWindow, final bool, out stream.Output) error {
	if t := a.trees[w.shape]; t != nil && final {
		defer t.pass(w.number)
	}
	switch {
	case a.fill != nil && final:
		return a.writeFilled(w, out)
	case a.isSpilled(w):
		return a.writeSpilled(w, final, out)
	}
	all, err := a.groupsOf(w)
	if err != nil {
		return err
	}
	r := result{window: w.window, final: final}
	for _, k := range a.ranked(all) {
		if (!final || a.cfg.Emit == Update) && !all.is(unsaid, k.group) {
			continue
		}
		r.key, r.cells, r.group = k.key, all.cells, k.group
		r.kind, r.text = all.Key(k.group)
		if err := a.put(&r, out); err != nil {
			return err
		}
	}
	return nil
}

// groupsOf returns the groups of a window: those of its panes together.
func (a *aligned) groupsOf(w openWindow) (*groups, error) {
	parts := a.scratch[:0]
	var err error
	if t := a.trees[w.shape]; t != nil {
		parts, err = t.cover(parts, w.number, w.number+t.shape.cells)
	} else {
		parts = a.appendPanes(parts, w.panes)
	}
	if err != nil {
		return nil, err
	}
	a.scratch = parts
	all, err := a.merged(parts)
	if err != nil || len(parts) == 1 && len(w.panes) == 1 {
		return all, err
	}
	for _, at := range w.panes {
		if p := a.panes[at]; p.unsaid {
			all.noteFrom(&p.groups)
		}
	}
	return all, nil
}

// noteFrom marks the groups as unsaid that are so in a part.
func (gs *groups) noteFrom(part *groups) {
	for g := range uint32(part.Len()) {
		if !part.is(unsaid, g) {
			continue
		}
		kind, text := part.Key(g)
		if to, ok := gs.Find(part.Hash(g), kind, text); ok {
			gs.note(to, unsaid)
		}
	}
}

func (a *aligned) appendPanes(parts []*groups, starts []int64) []*groups {
	for _, at := range starts {
		parts = append(parts, &a.panes[at].groups)
	}
	return parts
}

// between returns the starts of the panes that start from lo on and before hi.
func (a *aligned) between(lo, hi int64) []int64 {
	a.sort()
	from, _ := slices.BinarySearch(a.starts, lo)
	to, _ := slices.BinarySearch(a.starts, hi)
	return a.starts[from:to]
}

func (a *aligned) size() (open, groups int) { return len(a.panes), a.groups }

// sort orders the panes by time.
func (a *aligned) sort() {
	if !a.sorted {
		slices.Sort(a.starts)
		a.sorted = true
	}
}

// drop forgets the panes whose windows are all closed.
func (a *aligned) drop() error {
	if a.limit < a.due {
		return nil
	}
	a.due = math.MaxInt64
	kept := a.starts[:0]
	for _, start := range a.starts {
		end := a.firstEnd(start)
		if end != math.MaxInt64 {
			kept = append(kept, start)
			a.due = min(a.due, end)
			continue
		}
		if err := a.dropPane(a.panes[start]); err != nil {
			return err
		}
	}
	a.starts = kept
	return nil
}

func (a *aligned) dropPane(p *pane) error {
	if p.saved > 0 {
		a.gone = append(a.gone, &pane{start: p.start, run: p.run, groups: groups{Table: p.Table, saved: p.saved}})
	}
	a.groups -= p.counted
	delete(a.panes, p.start)
	for _, t := range p.older {
		if err := a.discard(p, t); err != nil {
			return err
		}
	}
	return nil
}
