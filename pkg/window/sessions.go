package window

import (
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Sessions are windows that last as long as no gap between records is longer than
// allowed. A record that comes late may join two of them.
type sessions struct {
	*Op
	shelved
	gap, step int64

	table *aggregate.Table
	heads []int32 // the first session of each group, none where there is no open one
	notes []uint8 // what is noted of each group
	dead  int     // groups without a session

	spans []span
	cells *aggregate.Cells // of each span
	free  []int32          // spans that are not in use
	queue deadlines
	run   run
	said  []int32 // sessions that have changed since the last update, and perhaps others

	saving int      // the group that changes goes on with
	gone   [][]byte // keys of entries of groups that are no more in memory
}

// A span is a session.
type span struct {
	start, last int64
	queued      int64 // the deadline under which it stands in the queue
	group       uint32
	next        int32 // the next session of the group
	open, said  bool  // said: it has not changed since the last update
}

const none int32 = -1

// given is noted of a group whose entry Changes has given away.
const given uint8 = 1 << 7

// A run is rows that are to be added to cells.
type run struct {
	rows    []int32
	members []uint32
}

func (r *run) add(i int, member uint32) {
	r.rows, r.members = append(r.rows, int32(i)), append(r.members, member)
}

// flush adds the rows.
func (r *run) flush(b *record.Batch, to *aggregate.Cells) {
	if len(r.rows) > 0 {
		to.Add(b, r.rows, r.members)
		r.rows, r.members = r.rows[:0], r.members[:0]
	}
}

func newSessions(o *Op) *sessions {
	return &sessions{
		Op: o, shelved: newShelved(o), gap: int64(o.cfg.Gap), step: step(o.cfg.Gap),
		table: aggregate.NewTable(nil), cells: o.set.NewCells(),
	}
}

// add adds rows to the sessions of their groups.
func (m *sessions) add(rows record.Rows) error {
	b := rows.Batch
	m.forgetKeys(len(b.Recs))
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &b.Recs[i]
		if !rec.Live() {
			m.newest = max(m.newest, rec.Passed())
			continue
		}
		m.newest = max(m.newest, rec.Time)
		g, err := m.groupOf(m.table, b, i)
		if err != nil {
			return err
		}
		m.widen()
		s := m.place(b, g, rec.Time)
		if s == none {
			if err := m.tooLate(b, i, m.closesAt(rec.Time), true); err != nil {
				return err
			}
			continue
		}
		m.run.add(i, uint32(s))
		m.touch(s)
	}
	m.run.flush(b, m.cells)
	return m.relieve(rows)
}

// groupOf returns the group of a row.
func (o *Op) groupOf(t *aggregate.Table, b *record.Batch, i int) (uint32, error) {
	if o.keys.Len() == 0 {
		return t.Group(aggregate.HashKey(record.Missing, nil), record.Missing, nil)
	}
	number := o.keys.Numbers(b)[i]
	if g := o.known[number]; g != 0 {
		return g - 1, nil
	}
	g, err := o.lookUp(t, b, number)
	return g - 1, err
}

// widen makes room for new groups.
func (m *sessions) widen() {
	for len(m.heads) < m.table.Len() {
		m.heads, m.notes = append(m.heads, none), append(m.notes, 0)
		m.dead++
	}
}

// touch notes that a session has changed.
func (m *sessions) touch(s int32) {
	sp := &m.spans[s]
	m.notes[sp.group] |= m.mark & unsaved
	if m.cfg.Emit != Final && sp.said {
		sp.said = false
		m.said = append(m.said, s)
	}
}

// place returns the session of a group that a record belongs to: one that it
// extends, perhaps as far as to others, or a new one; none where it comes too late.
func (m *sessions) place(b *record.Batch, g uint32, t int64) int32 {
	before, s := none, m.heads[g]
	for s != none && m.spans[s].last+m.gap < t {
		before, s = s, m.spans[s].next
	}
	if s == none || t+m.gap < m.spans[s].start {
		if m.closesAt(t) <= m.limit {
			return none
		}
		return m.insert(g, before, s, t)
	}
	sp := &m.spans[s]
	sp.start, sp.last = min(sp.start, t), max(sp.last, t)
	for sp.next != none && m.spans[sp.next].start <= sp.last+m.gap {
		m.run.flush(b, m.cells)
		m.join(s, sp.next)
	}
	return s
}

// insert makes a session between two others.
func (m *sessions) insert(g uint32, before, next int32, t int64) int32 {
	var s int32
	if n := len(m.free); n > 0 {
		s, m.free = m.free[n-1], m.free[:n-1]
	} else {
		s = int32(len(m.spans))
		m.spans = append(m.spans, span{})
		m.cells.Grow(len(m.spans))
	}
	m.spans[s] = span{start: t, last: t, group: g, next: next, open: true, said: true}
	m.link(g, before, s)
	if before == none && next == none {
		m.dead--
	}
	m.enqueue(s)
	return s
}

func (m *sessions) enqueue(s int32) {
	sp := &m.spans[s]
	sp.queued = m.closesAt(sp.last)
	m.queue.push(deadline{sp.queued, s})
}

// link makes s the session behind another one.
func (m *sessions) link(g uint32, before, s int32) {
	if before == none {
		m.heads[g] = s
	} else {
		m.spans[before].next = s
	}
}

// join adds the next session to s.
func (m *sessions) join(s, next int32) {
	a, b := &m.spans[s], &m.spans[next]
	a.last = max(a.last, b.last)
	a.next = b.next
	m.cells.Merge(uint32(s), m.cells, uint32(next))
	m.release(next)
}

// release forgets a session that is linked no more.
func (m *sessions) release(s int32) {
	m.cells.Reset(uint32(s))
	m.spans[s].open = false
	m.free = append(m.free, s)
}

func (m *sessions) closesAt(t int64) int64   { return t + m.gap + 1 }
func (m *sessions) next() int64              { return m.limit + m.step }
func (m *sessions) settle(limit int64) int64 { return floor(limit, m.step) }
func (m *sessions) size() (open, groups int) {
	m.countSpilled()
	return len(m.spans) - len(m.free), m.table.Len() - m.dead
}

// closeWhole is close where nothing is spilled that begins before limit.
func (m *sessions) closeWhole(limit int64, out stream.Output) error {
	var over []int32
	for len(m.queue) > 0 && m.queue[0].at <= limit {
		d := m.queue.pop()
		sp := &m.spans[d.span]
		switch {
		case !sp.open || sp.queued != d.at: // it was joined to another one
		case m.closesAt(sp.last) <= limit:
			over, sp.queued = append(over, d.span), math.MinInt64
		default:
			m.enqueue(d.span)
		}
	}
	if err := m.write(over, true, out); err != nil {
		return err
	}
	for _, s := range over {
		m.stats.closed.Add(1)
		m.unlink(s)
	}
	if limit == math.MaxInt64 {
		limit = max(m.limit, m.settle(m.closesAt(m.newest))+m.step)
	}
	m.limit = limit
	m.compact()
	return nil
}

// unlink takes a closed session out of its group.
func (m *sessions) unlink(s int32) {
	sp := &m.spans[s]
	before, at := none, m.heads[sp.group]
	for at != s {
		before, at = at, m.spans[at].next
	}
	m.link(sp.group, before, sp.next)
	m.notes[sp.group] |= m.mark & unsaved
	if m.heads[sp.group] == none {
		m.dead++
	}
	m.release(s)
}

// update writes the rows of open sessions that have changed.
func (m *sessions) update(out stream.Output) error {
	changed := slices.DeleteFunc(m.said, func(s int32) bool { return !m.spans[s].open || m.spans[s].said })
	slices.Sort(changed)
	err := m.write(slices.Compact(changed), false, out)
	for _, s := range changed {
		m.spans[s].said = true
	}
	m.said = changed[:0]
	return err
}
