package rules

import (
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// A lookup tells by the value of a field which terms it lets pass. A bitset has
// a bit for each term; terms without a guard on the field are in all of them.
type lookup struct {
	col     int
	kind    expr.GuardKind
	missing []uint64 // where there is no value, or none of the kind

	texts map[string][]uint64 // Equal; others are in other
	other []uint64            // Equal and Present: any value

	points   []float64  // Within: where ranges begin or end, in order
	segments [][]uint64 // below points[0], at it, between it and points[1], …

	ranks [][]uint64 // Severe, by rank
}

// A scan tells which terms the text of a field, or of the whole record, lets pass
// by what occurs in it.
type scan struct {
	col    int
	free   []uint64 // terms without a guard on the field
	auto   *automaton
	owners [][]int32 // of a text: the terms that it lets pass
}

// text returns what is scanned of a record; false where it has nothing.
func (s *scan) text(b *record.Batch, i int) ([]byte, bool) {
	if s.col == expr.Whole {
		return b.Value(i), b.Recs[i].Flags&record.Tombstone == 0
	}
	v := b.At(s.col, i)
	if v.Kind() == record.Missing {
		return nil, false
	}
	return b.Text(v), true
}

// find adds the terms that text lets pass to found.
func (s *scan) find(text []byte, found []uint64) {
	s.auto.scan(text, func(ids []int32) {
		for _, id := range ids {
			for _, t := range s.owners[id] {
				found[t>>6] |= 1 << (t & 63)
			}
		}
	})
}

// pass returns the terms that value v lets pass. It may write to the arena's end.
func (l *lookup) pass(b *record.Batch, v record.Value) []uint64 {
	if v.Kind() == record.Missing {
		return l.missing
	}
	switch l.kind {
	case expr.Equal:
		if t, ok := l.texts[string(b.Text(v))]; ok {
			return t
		}
		return l.other
	case expr.Within:
		f, ok := b.Num(v)
		if !ok {
			return l.other
		}
		return l.segments[l.segment(f)]
	case expr.Severe:
		if r := expr.Rank(b.Text(v)); r >= 0 {
			return l.ranks[r]
		}
		return l.other
	default:
		return l.other
	}
}

// segment returns the segment in which f lies.
func (l *lookup) segment(f float64) int {
	lo, hi := 0, len(l.points)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if l.points[mid] < f {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(l.points) && l.points[lo] == f {
		return 2*lo + 1
	}
	return 2 * lo
}

// mostPoints bounds what a lookup of ranges costs in memory: conditions with
// ranges beyond are looked at one by one.
const mostPoints = 4096

// index makes the lookups and scans of all terms.
func (s *Set) index(terms []expr.Term) {
	kinds := []expr.GuardKind{expr.Equal, expr.Within, expr.Severe, expr.Present}
	for _, kind := range kinds {
		for _, col := range columns(terms, kind) {
			l := lookup{col: col, kind: kind, missing: s.free(terms, col, kind)}
			l.build(s, terms)
			s.lookups = append(s.lookups, l)
		}
	}
	for _, col := range columns(terms, expr.Holds) {
		s.scans = append(s.scans, newScan(s, terms, col))
	}
}

// columns returns the columns with a guard of the given kind, in order.
func columns(terms []expr.Term, kind expr.GuardKind) (cols []int) {
	for _, t := range terms {
		for _, g := range t {
			if g.Kind == kind && !slices.Contains(cols, g.Column) {
				cols = append(cols, g.Column)
			}
		}
	}
	slices.Sort(cols)
	return cols
}

// guardOf returns the guard of the given kind on a column, or nil.
func guardOf(t expr.Term, col int, kind expr.GuardKind) *expr.Guard {
	for k := range t {
		if t[k].Column == col && t[k].Kind == kind {
			return &t[k]
		}
	}
	return nil
}

// free returns the terms without a guard of the given kind on a column.
func (s *Set) free(terms []expr.Term, col int, kind expr.GuardKind) []uint64 {
	return s.pick(terms, func(t expr.Term) bool { return guardOf(t, col, kind) == nil })
}

// pick returns the terms for which f is true.
func (s *Set) pick(terms []expr.Term, f func(expr.Term) bool) []uint64 {
	set := make([]uint64, s.words)
	for k, t := range terms {
		if f(t) {
			set[k>>6] |= 1 << (k & 63)
		}
	}
	return set
}

// build fills the tables of l.
func (l *lookup) build(s *Set, terms []expr.Term) {
	guarded := func(f func(*expr.Guard) bool) []uint64 {
		return s.pick(terms, func(t expr.Term) bool {
			g := guardOf(t, l.col, l.kind)
			return g == nil || f(g)
		})
	}
	l.other = l.missing
	switch l.kind {
	case expr.Present:
		l.other = guarded(func(*expr.Guard) bool { return true })
	case expr.Equal:
		l.texts = map[string][]uint64{}
		l.buildTexts(terms)
	case expr.Within:
		// A value that is no number is left to the conditions: they count it.
		l.other = guarded(func(*expr.Guard) bool { return true })
		l.buildRanges(terms, guarded)
	case expr.Severe:
		l.other = guarded(func(*expr.Guard) bool { return true })
		for r := range expr.Ranks {
			l.ranks = append(l.ranks, guarded(func(g *expr.Guard) bool { return g.Levels>>r&1 != 0 }))
		}
	}
}

// buildTexts adds each text with the terms that it lets pass.
func (l *lookup) buildTexts(terms []expr.Term) {
	for k, t := range terms {
		g := guardOf(t, l.col, l.kind)
		if g == nil {
			continue
		}
		for _, text := range g.Texts {
			if l.texts[text] == nil {
				l.texts[text] = slices.Clone(l.missing)
			}
			l.texts[text][k>>6] |= 1 << (k & 63)
		}
	}
}

// buildRanges cuts the line of numbers where ranges begin or end.
func (l *lookup) buildRanges(terms []expr.Term, guarded func(func(*expr.Guard) bool) []uint64) {
	for _, t := range terms {
		if g := guardOf(t, l.col, l.kind); g != nil {
			for _, r := range g.Ranges {
				l.points = append(l.points, r.Lo, r.Hi)
			}
		}
	}
	slices.Sort(l.points)
	l.points = slices.Compact(slices.DeleteFunc(l.points, func(f float64) bool { return math.IsInf(f, 0) }))
	if len(l.points) > mostPoints {
		l.points, l.segments = nil, [][]uint64{l.other}
		return
	}
	inside := func(lo, hi float64) []uint64 {
		return guarded(func(g *expr.Guard) bool {
			return slices.ContainsFunc(g.Ranges, func(r expr.Range) bool { return r.Lo <= lo && hi <= r.Hi })
		})
	}
	below := math.Inf(-1)
	for _, p := range l.points {
		l.segments = append(l.segments, inside(below, p), inside(p, p))
		below = p
	}
	l.segments = append(l.segments, inside(below, math.Inf(1)))
}

// newScan returns the scan of a column.
func newScan(s *Set, terms []expr.Term, col int) *scan {
	sc := &scan{col: col, free: s.free(terms, col, expr.Holds)}
	ids := map[string]int{}
	var texts []string
	for k, t := range terms {
		g := guardOf(t, col, expr.Holds)
		if g == nil {
			continue
		}
		for _, text := range g.Texts {
			id, known := ids[text]
			if !known {
				id = len(texts)
				ids[text] = id
				texts = append(texts, text)
				sc.owners = append(sc.owners, nil)
			}
			sc.owners[id] = append(sc.owners[id], int32(k))
		}
	}
	sc.auto = newAutomaton(texts)
	return sc
}
