package window

import (
	"cmp"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
)

// changes gives away moments.
func (m *sliding) changes(s *saver) error {
	if err := s.gone(&m.gone); err != nil {
		return err
	}
	if err := m.shelf.Changes(entryBox, s.put); err != nil {
		return err
	}
	for k, at := range m.dirty {
		mo := &m.moments[at]
		if mo.notes&unsaved == 0 {
			continue
		}
		s.key, s.value = m.appendKey(s.key[:0], at), m.appendMoment(s.value[:0], at)
		if err := s.put(s.key, s.value); err != nil {
			m.dirty = m.dirty[k:]
			return err
		}
		mo.notes = mo.notes&^unsaved | given
	}
	m.dirty = m.dirty[:0]
	return nil
}

// appendKey appends the key of a moment's entry.
func (m *sliding) appendKey(dst []byte, at int32) []byte {
	return appendGroupKey(appendTimeKey(dst, entryRecord, m.moments[at].t), m.table, m.moments[at].group)
}

// appendMoment appends a moment as its entry has it.
func (m *sliding) appendMoment(dst []byte, at int32) []byte {
	return m.own.Encode(append(dst, m.moments[at].notes&unsaid), uint32(at))
}

func (m *sliding) unsave() {
	m.shelf.Unsave()
	m.gone, m.dirty = nil, m.dirty[:0]
	for at := range m.moments {
		if mo := &m.moments[at]; mo.notes&used != 0 {
			mo.notes |= unsaved
			m.dirty = append(m.dirty, int32(at))
		}
	}
}

// restore takes back a moment. The lists are made when all are there.
func (m *sliding) restore(key, value []byte) (bool, error) {
	if len(key) > 0 && key[0] == entryBox {
		return m.restoreBox(key, value, isMoment)
	}
	if !isMoment(key) {
		return false, nil
	}
	t, kind, text := splitTimeKey(key)
	if !possible(t) || !m.keys.Valid(kind, text) {
		return false, nil
	}
	g, err := m.table.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return false, err
	}
	m.widen()
	at := m.take(moment{t: t, group: g, notes: used | given})
	r := readEntry(value)
	m.moments[at].notes |= r.marks()
	r.cells(m.own, uint32(at))
	m.restored = true
	return r.Done(), nil
}

// build makes the lists of what was restored: moments before the limit are closed.
func (m *sliding) build() {
	if !m.restored {
		return
	}
	m.restored = false
	all := make([]int32, len(m.moments))
	for at := range all {
		all[at] = int32(at)
	}
	slices.SortFunc(all, func(a, b int32) int { return cmp.Compare(m.moments[a].t, m.moments[b].t) })
	for _, at := range all {
		mo := &m.moments[at]
		l := &m.lists[mo.group]
		m.link(l, l.tail, at)
		if mo.t < m.limit {
			mo.notes &^= unsaid
			m.backs.Merge(mo.group, m.own, uint32(at))
			m.totals.Enter(mo.group, m.own, uint32(at))
			l.back = at
			m.closed, m.closedAt = append(m.closed, int32(mo.group)), append(m.closedAt, mo.t)
			continue
		}
		mo.notes |= open
		m.pending = append(m.pending, at)
		if mo.notes&unsaid != 0 {
			m.said = append(m.said, at)
		}
	}
}
