package window

import (
	"encoding/binary"
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// changes gives away groups of panes, and what else there is.
func (a *aligned) changes(s *saver) error {
	if err := a.changesGone(s); err != nil {
		return err
	}
	a.sort()
	for range a.starts {
		a.saving %= len(a.starts)
		if err := a.changesOf(a.panes[a.starts[a.saving]], s); err != nil {
			return err
		}
		a.saving++
	}
	for _, f := range a.fill {
		if err := f.changes(s); err != nil {
			return err
		}
	}
	if a.trend != nil {
		return a.trend.changes(s)
	}
	return nil
}

func (a *aligned) unsave() {
	a.gone = nil
	for _, t := range a.goneParts {
		t.given = false
	}
	for _, p := range a.panes {
		p.unsave()
		for _, t := range p.older {
			t.unsaved, t.left = true, nil
		}
	}
	for _, f := range a.fill {
		f.unsave()
	}
	if a.trend != nil {
		a.trend.unsave()
	}
}

// changesGone says which groups are no more.
func (a *aligned) changesGone(s *saver) error {
	for ; len(a.gone) > 0; a.gone = a.gone[1:] {
		if err := s.gonePane(a.gone[0]); err != nil {
			return err
		}
	}
	for ; len(a.goneParts) > 0; a.goneParts = a.goneParts[1:] {
		t := a.goneParts[0]
		if t.given {
			err := a.eachLeft(t.part, func(e *entry) error { return s.entry(t.start, t.number, e, nil) })
			if err != nil {
				return err
			}
		}
		if err := a.forgetPart(t.part); err != nil {
			return err
		}
	}
	return nil
}

// changesOf gives away the groups of a pane that have changed.
func (a *aligned) changesOf(p *pane, s *saver) error {
	for _, t := range p.older {
		if t.unsaved {
			if err := a.changesOfPart(p, t, s); err != nil {
				return err
			}
		}
	}
	if !p.unsaved {
		return nil
	}
	return s.pane(p)
}

// changesOfPart gives away a part of a pane.
func (a *aligned) changesOfPart(p *pane, t *part, s *saver) error {
	t.given = true
	err := a.eachLeft(t, func(e *entry) error {
		value := e.value
		if e.cells != nil {
			s.value = e.cells.Encode(append(s.value[:0], e.mark), e.group)
			value = s.value
		}
		return s.entry(p.start, t.number, e, value)
	})
	t.unsaved = err != nil
	return err
}

// eachLeft calls f for the groups of a part, from the one on for which it returned
// an error the last time.
func (a *aligned) eachLeft(t *part, f func(*entry) error) error {
	if t.left == nil {
		t.left = a.read(t)
		if err := advance(t.left, &t.next); err != nil {
			return err
		}
	}
	for t.next != nil {
		if err := f(t.next); err != nil {
			return err
		}
		if err := advance(t.left, &t.next); err != nil {
			return err
		}
	}
	t.left = nil
	return nil
}

// entry gives away a group of a part; a nil value says that it is no more.
func (s *saver) entry(start int64, number uint32, e *entry, value []byte) error {
	s.key = append(appendPartKey(s.key[:0], start, number), byte(e.kind))
	s.key = append(s.key, e.text...)
	return s.put(s.key, value)
}

// partKey is how many bytes stand in the key of a group's entry before its own key:
// kind of entry, start of the pane, number of the part.
const partKey = timeKey + 4

func appendPartKey(key []byte, start int64, number uint32) []byte {
	return binary.BigEndian.AppendUint32(appendTimeKey(key, entryGroup, start), number)
}

// pane gives away the groups of p that have changed.
func (s *saver) pane(p *pane) error {
	s.key = appendPartKey(s.key[:0], p.start, p.run)
	p.saved = p.Len()
	for range p.Len() {
		p.saving %= p.Len()
		g := uint32(p.saving)
		if !p.is(unsaved, g) {
			p.saving++
			continue
		}
		mark := uint8(0)
		if p.is(unsaid, g) {
			mark = unsaid
		}
		s.value = p.cells.Encode(append(s.value[:0], mark), g)
		s.key = appendGroupKey(s.key[:partKey], p.Table, g)
		if err := s.put(s.key, s.value); err != nil {
			return err
		}
		p.marks[g] &^= unsaved
		p.saving++
	}
	p.unsaved = false
	return nil
}

// gonePane says of the groups of p that were given away that they are no more.
func (s *saver) gonePane(p *pane) error {
	s.key = appendPartKey(s.key[:0], p.start, p.run)
	for ; p.saved > 0; p.saved-- {
		s.key = appendGroupKey(s.key[:partKey], p.Table, uint32(p.saved-1))
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
	if len(key) <= partKey || key[0] != entryGroup {
		return false, nil
	}
	start, _, _ := splitTimeKey(key)
	kind, text := record.Kind(key[partKey]), key[partKey+1:]
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
	gs := a.restoredPart(p, binary.BigEndian.Uint32(key[timeKey:]))
	g, err := gs.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return false, err
	}
	gs.cells.Grow(gs.Len())
	r := readEntry(value)
	gs.note(g, r.marks())
	r.cells(gs.cells, g)
	gs.saved = gs.Len()
	a.groups += p.Len() - p.counted
	p.counted = p.Len()
	if a.restoredGroups++; r.Done() && a.cfg.MaxMemory > 0 && a.restoredGroups%4096 == 0 {
		if held := a.measure(); held > a.cfg.MaxMemory {
			return true, a.spillAll(held)
		}
	}
	return r.Done(), nil
}

// restoredPart returns the groups of p that have a number: those that records will be
// added to have the greatest.
func (a *aligned) restoredPart(p *pane, number uint32) *groups {
	switch {
	case number == p.run:
		return &p.groups
	case number > p.run:
		if p.Len() > 0 {
			a.groups -= p.counted
			p.freeze(a.newGroups(nil))
		}
		p.run = number
		return &p.groups
	}
	for _, t := range p.older {
		if t.number == number && t.groups != nil {
			return t.groups
		}
	}
	gs := a.newGroups(nil)
	p.older = append(p.older, &part{number: number, groups: &gs, given: true})
	return &gs
}
