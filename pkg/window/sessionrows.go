package window

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/stream"
)

// write writes the rows of sessions, in the order of end, start and key.
func (m *sessions) write(list []int32, final bool, out stream.Output) error {
	type ranked struct {
		span
		id  int32
		key []byte
	}
	all := make([]ranked, 0, len(list))
	for _, s := range list {
		if sp := m.spans[s]; !final || m.cfg.Emit != Update || !sp.said {
			kind, text := m.table.Key(sp.group)
			all = append(all, ranked{sp, s, m.keys.AppendKey(nil, kind, text)})
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.start, b.start), bytes.Compare(a.key, b.key))
	})
	for _, s := range all {
		r := result{
			window: window{start: s.start, end: s.last}, final: final,
			key: s.key, cells: m.cells, group: uint32(s.id),
		}
		r.kind, r.text = m.table.Key(s.group)
		if err := m.put(&r, out); err != nil {
			return err
		}
	}
	return nil
}

// compact forgets the keys of groups without a session, once they are many.
func (m *sessions) compact() {
	if m.dead < 1024 || 2*m.dead < m.table.Len() {
		return
	}
	table := aggregate.NewTable(nil)
	heads, notes := m.heads[:0], m.notes[:0]
	m.dead = 0
	for g, head := range m.heads {
		if head == none && m.notes[g]&given == 0 {
			continue
		}
		to := copyKey(table, m.table, uint32(g))
		heads, notes = append(heads, head), append(notes, m.notes[g])
		if head == none {
			m.dead++
		}
		for s := head; s != none; s = m.spans[s].next {
			m.spans[s].group = to
		}
	}
	m.table, m.heads, m.notes = table, heads, notes
}

// copyKey adds a group of another table, which has room for it.
func copyKey(to, from *aggregate.Table, g uint32) uint32 {
	kind, text := from.Key(g)
	n, _ := to.Group(from.Hash(g), kind, text) // there was room for more
	return n
}
