package window

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
// their ends and, among equals, starts.
func (a *aligned) each(limit int64, f func(openWindow) error) error {
	a.sort()
	cursors := make([]cursor, len(a.shapes))
	for k := range cursors {
		cursors[k] = cursor{a: a, of: k, next: minWindow}
		cursors[k].advance()
	}
	for {
		var least *cursor
		for k := range cursors {
			if c := &cursors[k]; c.ok && (least == nil || c.before(least)) {
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
	of         int   // its shape
	next       int64 // no window before it is left
	from       int   // of the first pane that may be in a window that is left
}

func (c *cursor) before(o *cursor) bool {
	if c.end != o.end {
		return c.end < o.end
	}
	return c.start < o.start
}

// advance goes to the next window that has records.
func (c *cursor) advance() {
	s, starts := c.a.shapes[c.of], c.a.starts
	for ; c.from < len(starts); c.from++ {
		w := max(c.a.firstOpen(s, starts[c.from]), c.next)
		if w > s.last(starts[c.from]) {
			continue
		}
		c.window = window{start: s.start(w), end: s.end(w), shape: c.of, number: w}
		to := c.from
		for to < len(starts) && starts[to] < c.end {
			to++
		}
		c.panes, c.ok = starts[c.from:to], true
		return
	}
	c.ok = false
}
