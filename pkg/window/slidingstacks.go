package window

import (
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
)

// evict forgets the moments of a list up to a time. All of them are closed.
func (m *sliding) evict(g uint32, until int64) {
	l := &m.lists[g]
	for l.head != none && m.moments[l.head].t <= until {
		if l.front == none {
			m.turn(g)
		}
		at := l.head
		if l.front == at {
			l.front = none
		}
		if l.back == at {
			l.back = none
		}
		m.totals.Leave(g, m.own, uint32(at))
		l.head = m.moments[at].next
		if l.head != none {
			m.moments[l.head].before = none
		} else {
			l.tail = none
			m.dead++
		}
		m.release(at)
	}
}

// turn makes the back of a list its front. These are all of its closed moments: its
// totals are counted anew, in no more room than those take.
func (m *sliding) turn(g uint32) {
	l := &m.lists[g]
	l.front = l.back
	m.totals.Reset(g)
	for at := l.back; at != none; at = m.moments[at].before {
		m.totals.Enter(g, m.own, uint32(at))
		m.sums.Merge(uint32(at), m.own, uint32(at))
		if at != l.back {
			m.sums.Merge(uint32(at), m.sums, uint32(m.moments[at].next))
		}
	}
	m.backs.Reset(g)
}

// release makes a moment free that is linked no more.
func (m *sliding) release(at int32) {
	mo := &m.moments[at]
	if mo.notes&given != 0 {
		m.gone = append(m.gone, m.appendKey(nil, at))
	}
	mo.notes = 0
	m.own.Reset(uint32(at))
	m.sums.Reset(uint32(at))
	m.free = append(m.free, at)
}

// window returns cells with the window that ends at a moment that was just closed.
func (m *sliding) window(at int32) *aggregate.Cells {
	g := m.moments[at].group
	l := &m.lists[g]
	m.edge.Reset(0)
	if l.front != none {
		m.edge.Merge(0, m.sums, uint32(l.head))
	}
	m.edge.Merge(0, m.backs, g)
	return m.totals.Row(g, m.edge)
}

// expire forgets the closed moments up to a time.
func (m *sliding) expire(until int64) {
	n := 0
	for n < len(m.closed) && m.closedAt[n] <= until {
		m.evict(uint32(m.closed[n]), until)
		n++
	}
	m.closed, m.closedAt = slices.Delete(m.closed, 0, n), slices.Delete(m.closedAt, 0, n)
}
