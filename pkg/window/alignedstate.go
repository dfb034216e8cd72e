package window

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// changes gives away groups of panes, and what else there is.
func (a *aligned) changes(all bool, s *saver) error {
	if err := a.changesGone(all, s); err != nil {
		return err
	}
	a.sort()
	for _, start := range a.starts {
		p := a.panes[start]
		for _, t := range p.older {
			if err := a.changesOf(p, t, all, s); err != nil {
				return err
			}
		}
		if all || p.unsaved {
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

// changesGone says which groups are no more.
func (a *aligned) changesGone(all bool, s *saver) error {
	for _, p := range a.gone {
		if all {
			break
		}
		if err := s.gone(p); err != nil {
			return err
		}
	}
	a.gone = nil
	for _, t := range a.goneParts {
		if !all {
			err := a.eachOf(t.part, func(e *entry) error { return s.entry(t.start, t.number, e, nil) })
			if err != nil {
				return err
			}
		}
		if err := a.forgetPart(t.part); err != nil {
			return err
		}
	}
	a.goneParts = nil
	return nil
}

// changesOf gives away a part of a pane, where it has to be.
func (a *aligned) changesOf(p *pane, t *part, all bool, s *saver) error {
	if !all && !t.unsaved {
		return nil
	}
	t.unsaved, t.given = false, true
	return a.eachOf(t, func(e *entry) error {
		value := e.value
		if e.cells != nil {
			s.value = e.cells.Encode(append(s.value[:0], e.mark), e.group)
			value = s.value
		}
		return s.entry(p.start, t.number, e, value)
	})
}

// eachOf calls f for all groups of a part.
func (a *aligned) eachOf(t *part, f func(*entry) error) error {
	r := a.read(t)
	for {
		e, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(e)
		}
		if err != nil {
			return err
		}
	}
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

// pane gives away the groups of p: all of them, or those that have changed.
func (s *saver) pane(p *pane, all bool) error {
	s.key = appendPartKey(s.key[:0], p.start, p.run)
	for g := range uint32(p.Len()) {
		if !all && !p.is(unsaved, g) {
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
	}
	p.forget(unsaved)
	p.saved = p.Len()
	return nil
}

// gone says of the groups of p that were given away that they are no more.
func (s *saver) gone(p *pane) error {
	s.key = appendPartKey(s.key[:0], p.start, p.run)
	for g := range uint32(p.saved) {
		s.key = appendGroupKey(s.key[:partKey], p.Table, g)
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
