package window

import (
	"math"
	"time"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Sliding windows end at each record: a window holds what came to its group since
// a size before it, the record itself included, and what came exactly that size
// before it not. Records of a group and a millisecond make one moment of its list:
// rows tell times in milliseconds, and a table has one row a key and window.
//
// A window is not computed anew: the moments of a group that are closed stand in
// two stacks, of which the front knows the sum of each moment and all behind it,
// and the back the sum of all (the "two stacks" of Tangwongsan and others,
// "General incremental sliding-window aggregation", 2015). So each moment is merged
// a few times, however many windows hold it. Quantiles, whose merging is not cheap,
// are counted for each group: a moment enters, and leaves; the stacks have the
// smallest and the largest value.
type sliding struct {
	*Op
	shelved
	length, step int64

	table *aggregate.Table
	lists []list
	dead  int // groups without a moment

	moments []moment
	own     *aggregate.Cells  // of each moment
	sums    *aggregate.Cells  // edges of each moment of a front: it and all behind it there
	backs   *aggregate.Cells  // edges of each group
	edge    *aggregate.Cells  // edges of one window, for a row
	totals  *aggregate.Moving // quantiles of each group: of its moments that are closed
	one     *aggregate.Cells  // for a row of a window that is open
	free    []int32           // moments that are not in use
	run     run

	pending  []int32 // moments whose windows are open
	over     []int32 // those that close
	closed   []int32 // groups of moments that are closed, in the order of their
	closedAt []int64 // times
	restored bool    // the lists have to be made

	order []rankedMoment // of inOrder

	dirty []int32  // moments that have changed since the last call of Changes
	gone  [][]byte // keys of entries that are no more
	said  []int32  // moments that have changed since the last update
}

// A list is the moments of a group in their order: the front, the back, those
// whose windows are open.
type list struct {
	head, tail  int32
	front, back int32 // the last moments of the front and of the back
}

// A moment is the records of a group at one time.
type moment struct {
	t            int64
	group        uint32
	before, next int32
	notes        uint8
}

// used is noted of a moment that is in use, open of one whose window is.
const (
	used uint8 = 1 << 5
	open uint8 = 1 << 6
)

func newSliding(o *Op) *sliding {
	m := &sliding{
		Op: o, shelved: newShelved(o), length: int64(o.cfg.Sizes[0].Length), step: step(o.cfg.Sizes[0].Length),
		table: aggregate.NewTable(nil),
		own:   o.set.NewCells(), one: o.set.NewCells(),
		sums: o.set.NewEdges(), backs: o.set.NewEdges(), edge: o.set.NewEdges(), totals: o.set.NewMoving(),
	}
	m.one.Grow(1)
	m.edge.Grow(1)
	return m
}

// add adds rows to the moments of their groups.
func (m *sliding) add(rows record.Rows) error {
	m.build()
	b := rows.Batch
	m.forgetKeys(len(b.Recs))
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			m.newest = max(m.newest, rec.Passed())
			continue
		}
		t := floor(rec.Time, int64(time.Millisecond))
		m.newest = max(m.newest, t)
		if t < m.limit {
			if err := m.tooLate(b, i, m.closesAt(t), true); err != nil {
				return err
			}
			continue
		}
		g, err := m.groupOf(m.table, b, i)
		if err != nil {
			return err
		}
		m.widen()
		at := m.place(g, t)
		m.run.add(i, uint32(at))
		m.touch(at)
	}
	m.run.flush(b, m.own)
	return m.relieve(rows)
}

func (m *sliding) widen() {
	for len(m.lists) < m.table.Len() {
		m.lists = append(m.lists, list{none, none, none, none})
		m.dead++
	}
	m.backs.Grow(len(m.lists))
	m.totals.Grow(len(m.lists))
}

// place returns the moment of a group at t, which it makes where it is new.
func (m *sliding) place(g uint32, t int64) int32 {
	before := m.lists[g].tail
	for before != none && m.moments[before].t > t {
		before = m.moments[before].before
	}
	return m.behind(before, g, t)
}

// behind is place where the last moment of the group up to t is known.
func (m *sliding) behind(before int32, g uint32, t int64) int32 {
	if before != none && m.moments[before].t == t {
		return before
	}
	at := m.take(moment{t: t, group: g, notes: used | open})
	m.link(&m.lists[g], before, at)
	m.pending = append(m.pending, at)
	return at
}

// take returns a moment to use.
func (m *sliding) take(mo moment) int32 {
	if n := len(m.free); n > 0 {
		at := m.free[n-1]
		m.free = m.free[:n-1]
		m.moments[at] = mo
		return at
	}
	m.moments = append(m.moments, mo)
	m.own.Grow(len(m.moments))
	m.sums.Grow(len(m.moments))
	return int32(len(m.moments) - 1)
}

// link puts a moment behind another one of its list, or first.
func (m *sliding) link(l *list, before, at int32) {
	next := l.head
	if before != none {
		next = m.moments[before].next
		m.moments[before].next = at
	} else {
		l.head = at
	}
	if next != none {
		m.moments[next].before = at
	} else {
		l.tail = at
	}
	if l.head == l.tail {
		m.dead--
	}
	m.moments[at].before, m.moments[at].next = before, next
}

// touch notes that a moment has changed, and for updates the windows that hold it.
func (m *sliding) touch(at int32) {
	if m.mark&unsaved != 0 && m.moments[at].notes&unsaved == 0 {
		m.moments[at].notes |= unsaved
		m.dirty = append(m.dirty, at)
	}
	if m.cfg.Emit == Final {
		return
	}
	end := m.moments[at].t + m.length
	for ; at != none && m.moments[at].t < end; at = m.moments[at].next {
		if m.moments[at].notes&unsaid == 0 {
			m.moments[at].notes |= unsaid
			m.said = append(m.said, at)
		}
	}
}

func (m *sliding) closesAt(t int64) int64   { return t + 1 }
func (m *sliding) next() int64              { return m.limit + m.step }
func (m *sliding) settle(limit int64) int64 { return floor(limit, m.step) }
func (m *sliding) size() (open, groups int) {
	m.countSpilled()
	return len(m.pending), m.table.Len() - m.dead
}

// closeWhole is close where nothing is spilled of before limit.
func (m *sliding) closeWhole(limit int64, out stream.Output) error {
	kept, over := m.pending[:0], m.over[:0]
	for _, at := range m.pending {
		if m.moments[at].t < limit {
			over = append(over, at)
		} else {
			kept = append(kept, at)
		}
	}
	m.pending, m.over = kept, over
	for _, k := range m.inOrder(over) {
		mo := &m.moments[k.at]
		m.stats.closed.Add(1)
		m.pass(k.at)
		if m.cfg.Emit == Update && mo.notes&unsaid == 0 {
			continue
		}
		mo.notes &^= unsaid
		if err := m.write(k, m.window(k.at), true, out); err != nil {
			return err
		}
	}
	if limit == math.MaxInt64 {
		limit = max(m.limit, m.settle(m.newest)+m.step)
		m.expire(math.MaxInt64)
	}
	m.limit = limit
	m.expire(limit - m.length)
	m.compact()
	return nil
}

// pass takes the moment over into the back of its list: its window is closed.
func (m *sliding) pass(at int32) {
	mo := &m.moments[at]
	mo.notes &^= open
	l := &m.lists[mo.group]
	m.backs.Merge(mo.group, m.own, uint32(at))
	m.totals.Enter(mo.group, m.own, uint32(at))
	l.back = at
	m.evict(mo.group, mo.t-m.length)
	m.closed, m.closedAt = append(m.closed, int32(mo.group)), append(m.closedAt, mo.t)
}
