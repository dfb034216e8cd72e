package window

import (
	"cmp"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// momentBytes is about how many bytes a moment takes besides its cells.
const momentBytes = 64

// memory returns about how many bytes moments take that are in use, and keys.
func (m *sliding) memory() int64 {
	used := len(m.moments) - len(m.free)
	cells := int64(m.own.Memory()+m.sums.Memory()) * int64(used) / int64(max(len(m.moments), 1))
	return int64(m.table.Memory()) + cells + int64(used)*momentBytes
}

// relieve makes room where memory is beyond its bound.
func (m *sliding) relieve(rows record.Rows) error {
	if m.shelf == nil {
		return nil
	}
	return m.bound.Keep(rows, m.cfg.MaxMemory, m.memory, m.unload)
}

// unload spills the moments whose windows are open, the last first, so that each is the
// first open one of its list when it is taken down. The others stay: they are in the
// windows that are written next.
func (m *sliding) unload() error {
	slices.SortFunc(m.pending, func(a, b int32) int { return cmp.Compare(m.moments[b].t, m.moments[a].t) })
	var key, value []byte
	for _, at := range m.pending {
		mo := &m.moments[at]
		key = m.appendKey(key[:0], at)
		value = m.appendMoment(value[:0], at)
		if err := m.shelf.Put(mo.t, key, value); err != nil {
			return err
		}
		m.unlink(at)
		m.release(at)
	}
	m.pending = m.pending[:0]
	m.compact()
	return m.shelf.Close()
}

// unlink takes a moment out of its list that is in neither of its stacks.
func (m *sliding) unlink(at int32) {
	mo := &m.moments[at]
	l := &m.lists[mo.group]
	if mo.before == none {
		l.head = mo.next
	} else {
		m.moments[mo.before].next = mo.next
	}
	if mo.next == none {
		l.tail = mo.before
	} else {
		m.moments[mo.next].before = mo.before
	}
	if l.head == none {
		m.dead++
	}
}

// takeDown takes back a moment that was spilled, and joins it to what came since.
func (m *sliding) takeDown(key, value []byte) error {
	if !isMoment(key) {
		return errState
	}
	t, kind, text := splitTimeKey(key)
	r := readEntry(value)
	r.marks()
	m.one.Reset(0)
	r.cells(m.one, 0)
	if !possible(t) || !m.keys.Valid(kind, text) || !r.Done() {
		return errState
	}
	g, err := m.table.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil {
		return err
	}
	m.widen()
	at := m.placeEarly(g, t)
	m.own.Merge(uint32(at), m.one, 0)
	m.touch(at)
	return nil
}

// placeEarly is place where a moment is likely to be the first one whose window is open.
func (m *sliding) placeEarly(g uint32, t int64) int32 {
	l := &m.lists[g]
	before, next := l.back, l.head
	if before != none {
		next = m.moments[before].next
	}
	for next != none && m.moments[next].t <= t {
		before, next = next, m.moments[next].next
	}
	return m.behind(before, g, t)
}

// isMoment reports whether a key is that of an entry of a moment.
func isMoment(key []byte) bool { return len(key) > timeKey && key[0] == entryRecord }

// close writes the rows of the windows that end before limit. What is spilled is taken
// down as time comes to it.
func (m *sliding) close(limit int64, out stream.Output) error {
	m.build()
	for next := m.shelf.Next(); next < limit; next = m.shelf.Next() {
		if err := m.closeWhole(next, out); err != nil {
			return err
		}
		if err := m.shelf.Take(next+1, m.takeDown); err != nil {
			return err
		}
	}
	return m.closeWhole(limit, out)
}

// whole returns a machine with all moments of some keys, which are partly spilled.
func (m *sliding) whole(keys []candidate) (*sliding, error) {
	o := m.Another()
	o.cfg.MaxMemory, o.limit = 0, m.limit
	o.stats = new(counters)
	all := newSliding(o)
	for _, k := range keys {
		g, ok := m.table.Find(k.hash, k.kind, k.text)
		if !ok {
			continue
		}
		for at := m.lists[g].tail; at != none; at = m.moments[at].before {
			if err := all.takeDown(m.appendKey(nil, at), m.appendMoment(nil, at)); err != nil {
				return nil, err
			}
		}
	}
	return all, m.shelf.Each(func(key, value []byte) error {
		if !slices.ContainsFunc(keys, func(k candidate) bool {
			return isMoment(key) && k.kind == record.Kind(key[timeKey]) && string(k.text) == string(key[timeKey+1:])
		}) {
			return nil
		}
		return all.takeDown(key, value)
	})
}
