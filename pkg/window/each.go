package window

import "math"

// A window is one of a size: its bounds, and what it is called.
type window struct {
	start, end int64
	shape      int   // its size among those of the operator
	number     int64 // its number among those of the shape
}

// An openWindow is one that has records.
type openWindow struct {
	window
	panes []int64 // the starts of its panes; valid until the next window
}

// each calls f for every open window that ends at or before limit, in the order of
// their ends and, among equals, starts. With fill, those without records that are to
// be filled are among them.
func (a *aligned) each(limit int64, fill []*filling, f func(openWindow) error) error {
	a.sort()
	cursors := make([]cursor, len(a.shapes))
	for k := range cursors {
		cursors[k] = cursor{a: a, of: k, next: minWindow}
		if fill != nil {
			cursors[k].fill = fill[k]
		}
		cursors[k].advance()
	}
	for {
		var least *cursor
		for k := range cursors {
			if c := &cursors[k]; c.ok && !(c.trailing && limit == math.MaxInt64) && (least == nil || c.before(least)) {
				least = c
			}
		}
		if least == nil || least.end > limit {
			return nil
		}
		if err := f(least.openWindow); err != nil {
			return err
		}
		least.next = least.number + a.shapes[least.shape].hop
		least.advance()
	}
}

const minWindow = -1 << 63

// A cursor goes through the open windows of a shape.
type cursor struct {
	a          *aligned
	openWindow // the present one
	ok         bool
	trailing   bool // no record is in it or in any later one
	of         int  // its shape
	fill       *filling
	next       int64 // no window before it is left
	from       int   // of the first pane that may be in a window that is left
}

func (c *cursor) before(o *cursor) bool {
	if c.end != o.end {
		return c.end < o.end
	}
	return c.start < o.start
}

// advance goes to the next window that has records, or that is to be filled.
func (c *cursor) advance() {
	s := c.a.shapes[c.of]
	w, found := c.nextRecords()
	from := c.next
	if c.a.limit != math.MinInt64 {
		from = max(from, s.first(c.a.limit))
	}
	if empty, ok := c.fill.emptyBefore(w, found, from); ok {
		c.openWindow = openWindow{window: c.windowOf(s, empty)}
		c.ok, c.trailing = true, !found
		return
	}
	c.ok, c.trailing = found, false
	if !found {
		return
	}
	starts := c.a.starts
	c.window = c.windowOf(s, w)
	to := c.from
	for to < len(starts) && starts[to] < c.end {
		to++
	}
	c.panes = starts[c.from:to]
}

// nextRecords returns the next window that has records.
func (c *cursor) nextRecords() (w int64, found bool) {
	s, starts := c.a.shapes[c.of], c.a.starts
	for ; c.from < len(starts); c.from++ {
		w = max(c.a.firstOpen(s, starts[c.from]), c.next)
		if w <= s.last(starts[c.from]) {
			return w, true
		}
	}
	return 0, false
}

func (c *cursor) windowOf(s *shape, w int64) window {
	return window{start: s.start(w), end: s.end(w), shape: c.of, number: w}
}
