package window

import (
	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// changes gives away the open sessions of groups.
func (m *sessions) changes(s *saver) error {
	if err := m.changesGone(s); err != nil {
		return err
	}
	if err := m.shelf.Changes(entryBox, s.put); err != nil {
		return err
	}
	for range m.notes {
		m.saving %= len(m.notes)
		if err := m.changesOf(m.saving, s); err != nil {
			return err
		}
		m.saving++
	}
	return nil
}

// changesOf gives away the open sessions of a group, where they have changed.
func (m *sessions) changesOf(g int, s *saver) error {
	if m.notes[g]&unsaved == 0 {
		return nil
	}
	var left uint8
	var value []byte
	switch {
	case m.heads[g] != none:
		left, value = given, m.encode(s, uint32(g))
	case m.notes[g]&given == 0:
		m.notes[g] = 0
		return nil
	}
	s.key = appendGroupKey(append(s.key[:0], entrySession), m.table, uint32(g))
	err := s.put(s.key, value)
	if err == nil {
		m.notes[g] = left
	}
	return err
}

func (m *sessions) unsave() {
	m.gone = nil
	m.shelf.Unsave()
	for g := range m.notes {
		if m.heads[g] != none {
			m.notes[g] |= unsaved
		} else {
			m.notes[g] = 0
		}
	}
}

// encode encodes the sessions of a group.
func (m *sessions) encode(s *saver, g uint32) []byte {
	s.value = s.value[:0]
	for at := m.heads[g]; at != none; at = m.spans[at].next {
		s.value = m.appendSpan(s.value, at)
	}
	return s.value
}

// restore takes back the sessions of a group.
func (m *sessions) restore(key, value []byte) (bool, error) {
	if len(key) > 0 && key[0] == entryBox {
		return m.restoreBox(key, value, spilled)
	}
	if len(key) < 2 || key[0] != entrySession {
		return false, nil
	}
	kind, text := record.Kind(key[1]), key[2:]
	if !m.keys.Valid(kind, text) || len(value) == 0 {
		return false, nil
	}
	g, err := m.table.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return false, err
	}
	m.widen()
	if m.heads[g] != none {
		return false, nil
	}
	m.notes[g] = given
	r := readEntry(value)
	before := none
	for len(r.Rest()) > 0 {
		start, length := r.time(), r.Varint()
		if r.Failed() || length < 0 || length > maxTime || !possible(start) || !possible(start+length) ||
			before != none && start <= m.spans[before].last+m.gap {
			return false, nil
		}
		s := m.insert(g, before, none, start)
		sp := &m.spans[s]
		sp.last = start + length
		if r.marks() != 0 && m.cfg.Emit != Final {
			sp.said = false
			m.said = append(m.said, s)
		}
		r.cells(m.cells, uint32(s))
		before = s
	}
	return r.Done(), nil
}
