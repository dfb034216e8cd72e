package window

import (
	"math"
)

// around returns the bounds of the pane that holds t.
func (a *aligned) around(t int64) (start, end int64) {
	start, end = a.shapes[0].around(t)
	for _, s := range a.shapes[1:] {
		lo, hi := s.around(t)
		start, end = max(start, lo), min(end, hi)
	}
	return start, end
}

// firstOpen returns the first window of a shape that holds the pane and is not
// closed.
func (a *aligned) firstOpen(s *shape, pane int64) int64 {
	w := s.first(pane)
	if a.limit == math.MinInt64 || s.end(w) > a.limit {
		return w
	}
	return s.first(a.limit)
}

// firstEnd returns the least end of an open window that holds the pane;
// math.MaxInt64 where there is none.
func (a *aligned) firstEnd(pane int64) int64 {
	end := int64(math.MaxInt64)
	for _, s := range a.shapes {
		if w := a.firstOpen(s, pane); w <= s.last(pane) {
			end = min(end, s.end(w))
		}
	}
	return end
}

// isOver reports whether all windows that hold the pane are closed.
func (a *aligned) isOver(pane int64) bool { return a.firstEnd(pane) == math.MaxInt64 }

// isLate reports whether a window that holds the pane is closed.
func (a *aligned) isLate(pane int64) bool { return a.closesAt(pane) <= a.limit }

// closesAt returns the limit at which the first window closes that holds t.
func (a *aligned) closesAt(t int64) int64 {
	end := int64(math.MaxInt64)
	for _, s := range a.shapes {
		end = min(end, s.end(s.first(t)))
	}
	return end
}

// next returns the least limit beyond the present one at which a window closes,
// whether it has records or not.
func (a *aligned) next() int64 { return a.closesAt(a.limit) }

// settle rounds a limit down to where it makes a difference: not at all.
func (a *aligned) settle(limit int64) int64 { return limit }
