package session

import (
	"github.com/logctl/logctl/pkg/stamp"
	"github.com/logctl/logctl/pkg/stream"
)

// What is noted of a session where updates are written or its state is kept.
const (
	unsaved uint8 = 1 << iota // its entry has changed since the last call of Changes
	saved                     // Changes has given away an entry with its start
	unsaid                    // it has changed since the last update was written
	said                      // a row has been written
)

// marks are what is noted of sessions, by their numbers.
type marks struct {
	wanted  uint8 // what is noted of a session that changes; 0: nothing is noted
	list    []uint8
	changed []uint32 // those that became unsaid; some may be no more
	dirty   []uint32 // likewise, unsaved
}

// of returns what is noted of a session.
func (m *marks) of(n uint32) uint8 {
	if int(n) < len(m.list) {
		return m.list[n]
	}
	return 0
}

// set replaces what is noted of a session.
func (m *marks) set(n uint32, to uint8) {
	if more := int(n) + 1 - len(m.list); more > 0 {
		m.list = append(m.list, make([]uint8, more)...)
	}
	m.list[n] = to
}

// note says that a session has changed.
func (m *marks) note(n uint32) {
	if m.wanted == 0 {
		return
	}
	old := m.of(n)
	if m.wanted&unsaid != 0 && old&unsaid == 0 {
		m.changed = append(m.changed, n)
	}
	if m.wanted&unsaved != 0 && old&unsaved == 0 {
		m.dirty = append(m.dirty, n)
	}
	m.set(n, old|m.wanted)
}

// forget says that a session is no more.
func (m *marks) forget(n uint32) {
	if int(n) < len(m.list) {
		m.list[n] = 0
	}
}

// takeBack says that a session will not be under its start any more: it begins
// earlier, or is part of another one. What was said of it is retracted.
func (o *Op) takeBack(n uint32) {
	mark := o.marks.of(n)
	if mark == 0 {
		return
	}
	if mark&said != 0 {
		o.retract(n)
	}
	o.discard(n)
	o.marks.set(n, mark&^(said|saved))
}

// retract writes that a row is no more true.
func (o *Op) retract(n uint32) {
	row, err := o.writer.Row(o.out)
	if err != nil {
		o.failed = err
		return
	}
	s := o.sessions.at(n)
	kind, text := o.users.key(s.user)
	row.Data = append(row.Data, `{"op":"retract","session_id":"`...)
	row.Data = o.appendID(row.Data, n)
	row.Data = o.keys.AppendFields(append(row.Data, '"'), kind, text)
	row.Data = stamp.AppendIn(append(row.Data, `,"session_start":"`...), s.start, o.zone)
	row.Data = append(row.Data, `"}`...)
	o.row.key = o.keys.AppendKey(o.row.key[:0], kind, text)
	o.writer.End(s.end, o.row.key)
	o.stats.rows.Add(1)
}

// update writes the rows of open sessions that have changed.
func (o *Op) update(out stream.Output) error {
	var list []ending
	for _, n := range o.marks.changed {
		if o.marks.of(n)&unsaid != 0 {
			list = append(list, ending{over: o.deadline(o.sessions.at(n)), n: n})
			o.marks.set(n, o.marks.of(n)&^unsaid|said)
		}
	}
	o.marks.changed = o.marks.changed[:0]
	o.rank(list)
	for _, e := range list {
		if err := o.write(e.n, false, out); err != nil {
			return err
		}
	}
	return nil
}
