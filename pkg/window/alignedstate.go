package window

import (
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
)

// changes gives away groups of panes.
func (a *aligned) changes(all bool, s *saver) error {
	for _, p := range a.gone {
		if all {
			break
		}
		if err := s.gone(p); err != nil {
			return err
		}
	}
	a.gone = nil
	a.sort()
	for _, start := range a.starts {
		if p := a.panes[start]; all || p.unsaved {
			if err := s.pane(p, all); err != nil {
				return err
			}
		}
	}
	for _, f := range a.fill {
		if err := f.changes(all, s); err != nil {
			return err
		}
	}
	if a.trend != nil {
		return a.trend.changes(all, s)
	}
	return nil
}

// pane gives away the groups of p: all of them, or those that have changed.
func (s *saver) pane(p *pane, all bool) error {
	s.key = appendTimeKey(s.key[:0], entryGroup, p.start)
	for g := range uint32(p.Len()) {
		if !all && !p.is(unsaved, g) {
			continue
		}
		mark := uint8(0)
		if p.is(unsaid, g) {
			mark = unsaid
		}
		s.value = p.cells.Encode(append(s.value[:0], mark), g)
		s.key = appendGroupKey(s.key[:timeKey], p.Table, g)
		if err := s.put(s.key, s.value); err != nil {
			return err
		}
	}
	p.forget(unsaved)
	p.saved = p.Len()
	return nil
}

// gone says of the groups of p that were given away that they are no more.
func (s *saver) gone(p *pane) error {
	s.key = appendTimeKey(s.key[:0], entryGroup, p.start)
	for g := range uint32(p.saved) {
		s.key = appendGroupKey(s.key[:timeKey], p.Table, g)
		if err := s.put(s.key, nil); err != nil {
			return err
		}
	}
	return nil
}

// restore takes back a group of a pane, or what else there is.
func (a *aligned) restore(key, value []byte) (bool, error) {
	switch {
	case len(key) > 2 && key[0] == entryKnown && int(key[1]) < len(a.fill):
		return a.fill[key[1]].restore(key, value)
	case len(key) > 1 && key[0] == entryPast && a.trend != nil:
		return a.trend.restore(key, value)
	}
	a.due = math.MinInt64 // to be found by the next close
	if len(key) <= timeKey || key[0] != entryGroup {
		return false, nil
	}
	start, kind, text := splitTimeKey(key)
	if !possible(start) || !a.keys.Valid(kind, text) {
		return false, nil
	}
	lo, hi := a.around(start)
	if lo != start {
		return false, nil
	}
	p := a.panes[start]
	if p == nil {
		p = a.addPane(start, hi)
	}
	g, err := p.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return false, err
	}
	p.cells.Grow(p.Len())
	r := entryReader{src: value}
	p.note(g, r.marks())
	r.cells(p.cells, g)
	p.saved = p.Len()
	a.groups += p.Len() - p.counted
	p.counted = p.Len()
	return r.ok(), nil
}
