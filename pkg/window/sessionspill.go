package window

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// spanBytes is about how many bytes a session takes besides its cells.
const spanBytes = 64

func (m *sessions) memory() int64 {
	return int64(m.table.Memory()+m.cells.Memory()) + int64(len(m.spans)-len(m.free))*spanBytes
}

// relieve makes room where memory is beyond its bound.
func (m *sessions) relieve(rows record.Rows) error {
	if m.shelf == nil {
		return nil
	}
	return m.bound.Keep(rows, m.cfg.MaxMemory, m.memory, m.unload)
}

// unload spills the sessions that begin at the limit or later, and makes the others
// anew.
func (m *sessions) unload() error {
	var list []int32
	for s := range m.spans {
		if sp := &m.spans[s]; sp.open && sp.start >= m.limit {
			list = append(list, int32(s))
			m.notes[sp.group] |= m.mark & unsaved
		}
	}
	slices.SortFunc(list, func(a, b int32) int { return cmp.Compare(m.spans[a].start, m.spans[b].start) })
	var key, value []byte
	for _, s := range list {
		sp := &m.spans[s]
		key = appendGroupKey(append(key[:0], entrySession), m.table, sp.group)
		value = m.appendSpan(value[:0], s)
		if err := m.shelf.Put(sp.start, key, value); err != nil {
			return err
		}
	}
	if err := m.shelf.Close(); err != nil {
		return err
	}
	return m.keep()
}

// keep makes anew the groups that have sessions which begin before the limit.
func (m *sessions) keep() error {
	old := *m
	m.table, m.cells = aggregate.NewTable(nil), m.set.NewCells()
	m.heads, m.notes, m.dead, m.spans, m.free, m.queue, m.said = nil, nil, 0, nil, nil, nil, nil
	for g, head := range old.heads {
		before, to := none, uint32(0)
		for s := head; s != none; s = old.spans[s].next {
			sp := &old.spans[s]
			if sp.start >= m.limit {
				continue
			}
			if before == none {
				to = copyKey(m.table, old.table, uint32(g))
				m.widen()
				m.notes[to] = old.notes[g]
			}
			before = m.insert(to, before, none, sp.start)
			m.spans[before].last = sp.last
			m.cells.Merge(uint32(before), old.cells, uint32(s))
		}
		if before == none && old.notes[g]&given != 0 {
			m.gone = append(m.gone, appendGroupKey([]byte{entrySession}, old.table, uint32(g)))
		}
	}
	return nil
}

// takeDown takes back a session that was spilled, and joins it to those of its group
// that it touches.
func (m *sessions) takeDown(key, value []byte) error {
	r := readEntry(value)
	start, length := r.time(), r.Varint()
	r.marks()
	one := m.oneCell()
	r.cells(one, 0)
	if !spilled(key) || !m.keys.Valid(record.Kind(key[1]), key[2:]) || !r.Done() ||
		length < 0 || length > maxTime || !possible(start) || !possible(start+length) {
		return errState
	}
	kind, text := record.Kind(key[1]), key[2:]
	g, err := m.table.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return err
	}
	m.widen()
	m.notes[g] |= m.mark & unsaved
	last, before, s := start+length, none, m.heads[g]
	for s != none && m.spans[s].last+m.gap < start {
		before, s = s, m.spans[s].next
	}
	if s == none || last+m.gap < m.spans[s].start {
		s = m.insert(g, before, s, start)
	}
	sp := &m.spans[s]
	sp.start, sp.last = min(sp.start, start), max(sp.last, last)
	m.cells.Merge(uint32(s), one, 0)
	for sp.next != none && m.spans[sp.next].start <= sp.last+m.gap {
		m.join(s, sp.next)
	}
	return nil
}

// spilled reports whether a key is that of an entry that is spilled.
func spilled(key []byte) bool { return len(key) >= 2 && key[0] == entrySession }

// appendSpan appends a session as an entry has it.
func (m *sessions) appendSpan(dst []byte, s int32) []byte {
	sp := &m.spans[s]
	mark := unsaid
	if sp.said {
		mark = 0
	}
	dst = binary.AppendVarint(binary.AppendVarint(dst, sp.start), sp.last-sp.start)
	return m.cells.Encode(append(dst, mark), uint32(s))
}

// close writes the rows of sessions that nothing can extend any more. What is
// spilled is taken down as time comes to it.
func (m *sessions) close(limit int64, out stream.Output) error {
	for next := m.shelf.Next(); next < limit; next = m.shelf.Next() {
		until := min(limit, floor(next, m.step)+m.step)
		if err := m.shelf.Take(until, m.takeDown); err != nil {
			return err
		}
		if err := m.closeWhole(until, out); err != nil {
			return err
		}
	}
	return m.closeWhole(limit, out)
}

// changesGone says which groups are no more in memory, where they were.
func (m *sessions) changesGone(s *saver) error {
	for ; len(m.gone) > 0; m.gone = m.gone[1:] {
		kind, text := record.Kind(m.gone[0][1]), m.gone[0][2:]
		if g, ok := m.table.Find(aggregate.HashKey(kind, text), kind, text); ok {
			m.notes[g] |= given | unsaved // it came again
		} else if err := s.put(m.gone[0], nil); err != nil {
			return err
		}
	}
	return nil
}

// whole returns a machine with all sessions of some keys, which are partly spilled.
func (m *sessions) whole(keys []candidate) (*sessions, error) {
	o := m.Another()
	o.cfg.MaxMemory = 0
	o.stats = new(counters)
	all := newSessions(o)
	for _, k := range keys {
		g, ok := m.table.Find(k.hash, k.kind, k.text)
		if !ok {
			continue
		}
		key := appendGroupKey([]byte{entrySession}, m.table, g)
		for s := m.heads[g]; s != none; s = m.spans[s].next {
			if err := all.takeDown(key, m.appendSpan(nil, s)); err != nil {
				return nil, err
			}
		}
	}
	return all, m.shelf.Each(func(key, value []byte) error {
		if !slices.ContainsFunc(keys, func(k candidate) bool {
			return len(key) > 1 && k.kind == record.Kind(key[1]) && string(k.text) == string(key[2:])
		}) {
			return nil
		}
		return all.takeDown(key, value)
	})
}
