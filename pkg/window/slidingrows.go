package window

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/stream"
)

// update writes the rows of open windows that have changed.
func (m *sliding) update(out stream.Output) error {
	m.build()
	changed := slices.DeleteFunc(m.said, func(at int32) bool { return m.moments[at].notes&(open|unsaid) != open|unsaid })
	slices.Sort(changed)
	for _, k := range m.inOrder(slices.Compact(changed)) {
		mo := &m.moments[k.at]
		mo.notes &^= unsaid
		m.gather(k.at)
		if err := m.write(k, m.one, false, out); err != nil {
			return err
		}
	}
	m.said = m.said[:0]
	return nil
}

// gather makes the row's cells those of the window that ends at a moment, closed or
// not.
func (m *sliding) gather(last int32) {
	m.one.Reset(0)
	start := m.moments[last].t - m.length
	for at := last; at != none && m.moments[at].t > start; at = m.moments[at].before {
		m.one.Merge(0, m.own, uint32(at))
	}
}

// A rankedMoment is a moment and the JSON of its group's key.
type rankedMoment struct {
	at  int32
	t   int64
	key []byte
}

// inOrder returns moments in the order of time and key. It is valid until the next
// call.
func (m *sliding) inOrder(list []int32) []rankedMoment {
	all := slices.Grow(m.order[:0], len(list))[:len(list)]
	m.order = all
	keys := make([]byte, 0, 32*len(list))
	for i, at := range list {
		mo := &m.moments[at]
		kind, text := m.table.Key(mo.group)
		from := len(keys)
		keys = m.keys.AppendKey(keys, kind, text)
		all[i] = rankedMoment{at, mo.t, keys[from:len(keys):len(keys)]}
	}
	slices.SortFunc(all, func(a, b rankedMoment) int {
		return cmp.Or(cmp.Compare(a.t, b.t), bytes.Compare(a.key, b.key))
	})
	return all
}

// write writes the row of a window.
func (m *sliding) write(k rankedMoment, cells *aggregate.Cells, final bool, out stream.Output) error {
	r := result{window: window{start: k.t - m.length, end: k.t}, key: k.key, cells: cells, final: final}
	r.kind, r.text = m.table.Key(m.moments[k.at].group)
	return m.put(&r, out)
}

// compact forgets the keys of groups without a moment, once they are many.
func (m *sliding) compact() {
	if m.dead < 1024 || 2*m.dead < m.table.Len() {
		return
	}
	table, backs, totals := aggregate.NewTable(nil), m.set.NewEdges(), m.set.NewMoving()
	moved := make([]int32, len(m.lists))
	var lists []list
	for g := range m.lists {
		l := m.lists[g]
		moved[g] = none
		if l.head == none {
			continue
		}
		to := copyKey(table, m.table, uint32(g))
		moved[g] = int32(to)
		lists = append(lists, l)
		backs.Grow(len(lists))
		backs.Merge(to, m.backs, uint32(g))
		totals.Grow(len(lists))
		for at := l.head; at != none; at = m.moments[at].next {
			if m.moments[at].group = to; m.moments[at].notes&open == 0 {
				totals.Enter(to, m.own, uint32(at))
			}
		}
	}
	kept := 0
	for i, g := range m.closed {
		if to := moved[g]; to != none {
			m.closed[kept], m.closedAt[kept] = to, m.closedAt[i]
			kept++
		}
	}
	m.closed, m.closedAt = m.closed[:kept], m.closedAt[:kept]
	m.table, m.backs, m.totals, m.lists, m.dead = table, backs, totals, lists, 0
}
