package window

import (
	"time"

	"github.com/logctl/logctl/pkg/stamp"
)

// A shape is one size of window with its hop. Windows are numbered by the cell of
// the grid in which they begin.
type shape struct {
	size     Size
	grid     grid
	cells    int64 // that a window is long
	hop      int64 // cells between the beginnings of windows
	origin   int64 // the number of a window
	cell     int64 // cells of the grid that no window divides
	overlaps bool  // windows do
}

// A grid divides time into cells, which are numbered.
type grid interface {
	// index returns the cell that holds t.
	index(t int64) int64
	// time returns when a cell begins.
	time(i int64) int64
}

// newShape returns the shape of windows of a size that begin every hop.
func newShape(size, hop Size) *shape {
	s := &shape{size: size, cells: size.count(), hop: hop.count()}
	unit := gcd(s.cells, s.hop)
	switch {
	case size.Months > 0:
		s.grid = months{size.Zone}
	case size.Days > 0:
		s.grid = days{size.Zone}
		if s.hop%weekDays == 0 {
			s.origin = mondayDay
		}
	default:
		s.grid = fixed{unit, stamp.IntervalOrigin(s.hop)}
		s.cells, s.hop, unit = s.cells/unit, s.hop/unit, 1
	}
	s.cell, s.overlaps = unit, s.hop < s.cells
	return s
}

// start and end return the bounds of a window.
func (s *shape) start(w int64) int64 { return s.grid.time(w) }
func (s *shape) end(w int64) int64   { return s.grid.time(w + s.cells) }

// last returns the last window that begins at t or before it.
func (s *shape) last(t int64) int64 { return floor(s.grid.index(t)-s.origin, s.hop) + s.origin }

// first returns the first window that ends after t.
func (s *shape) first(t int64) int64 {
	return floor(s.grid.index(t)-s.cells-s.origin, s.hop) + s.origin + s.hop
}

// around returns the stretch of time around t in which no window begins or ends.
func (s *shape) around(t int64) (lo, hi int64) {
	i := floor(s.grid.index(t)-s.origin, s.cell) + s.origin
	return s.grid.time(i), s.grid.time(i + s.cell)
}

// fixed is a grid of cells of one length.
type fixed struct{ length, origin int64 }

func (f fixed) index(t int64) int64 { return stamp.FloorDiv(t-f.origin, f.length) }
func (f fixed) time(i int64) int64  { return f.origin + i*f.length }

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// floor rounds t down to a multiple of step.
func floor(t, step int64) int64 { return stamp.FloorDiv(t, step) * step }

// Days of the calendar are numbered from 1970-01-01 on, a Thursday.
const (
	weekDays  = 7
	mondayDay = 4
)

// days is a grid of the calendar's days in a zone.
type days struct{ zone *time.Location }

func (d days) index(t int64) int64 {
	y, m, day := time.Unix(0, t).In(d.zone).Date()
	return settle(d, t, time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Unix()/86400)
}

func (d days) time(i int64) int64 {
	y, m, day := time.Unix(i*86400, 0).UTC().Date()
	return midnight(y, m, day, d.zone)
}

// months is a grid of the calendar's months in a zone, numbered from the year 0 on.
type months struct{ zone *time.Location }

func (g months) index(t int64) int64 {
	y, m, _ := time.Unix(0, t).In(g.zone).Date()
	return settle(g, t, int64(y)*12+int64(m)-1)
}

func (g months) time(i int64) int64 {
	return midnight(int(stamp.FloorDiv(i, 12)), time.Month(i-floor(i, 12)+1), 1, g.zone)
}

// settle corrects the cell that the calendar shows at t: where clocks are put back
// over midnight, a day shows twice.
func settle(g grid, t, i int64) int64 {
	for g.time(i+1) <= t {
		i++
	}
	for g.time(i) > t {
		i--
	}
	return i
}

// midnight returns when a day begins in a zone: the first moment at which clocks
// show it, which need not be midnight.
func midnight(y int, m time.Month, day int, zone *time.Location) int64 {
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	from, to := t.ZoneBounds()
	if t.Day() != time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Day() {
		// Clocks are put forward over midnight, and t is before that.
		return to.UnixNano()
	}
	if from.IsZero() {
		return t.UnixNano()
	}
	if t.Hour()+t.Minute()+t.Second() > 0 {
		return from.UnixNano() // likewise, and t is after that
	}
	// Clocks that are put back over midnight show it twice.
	_, offset := from.Add(-1).Zone()
	earlier := time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
	if earlier.Before(from) {
		return earlier.UnixNano()
	}
	return t.UnixNano()
}
