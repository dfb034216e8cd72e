package session

import (
	"encoding/binary"
	"math"

	"github.com/logctl/logctl/pkg/wire"
)

// A detail is what is known of a session besides the usual.
type detail struct {
	ordinal uint32 // how many of its user's began before it at the same instant
	step    uint8  // of the funnel: how many were reached
	why     uint8  // it is over
	timed   bool   // a timer has its number
	ended   bool
}

// describe makes the detail of a session that begins.
func (x *order) describe(n uint32) {
	for len(x.details) <= int(n) {
		x.details = append(x.details, detail{})
	}
	x.details[n] = detail{}
}

// ordinalAt returns how many sessions of a user, all of them over, began at t: the
// events of an instant settle together, so none of them is forgotten yet.
func (o *Op) ordinalAt(user uint32, t int64) uint32 {
	if n := o.order.moments[user]; n != 0 && o.sessions.at(n).start == t {
		return o.order.details[n].ordinal + 1
	}
	return 0
}

// markEnded takes a session away from its user that is over since a time. It is
// there until its row is written.
func (o *Op) markEnded(n uint32, over int64, why uint8) {
	d, s := &o.order.details[n], o.sessions.at(n)
	d.why, d.ended = why, true
	o.users.at(s.user).last = 0
	if s.start == over {
		o.order.moments[s.user] = n
	}
}

// untimed notes that the timer of a session has come, and reports whether that is
// over already. A nil order knows of none.
func (x *order) untimed(n uint32) (ended bool) {
	if x == nil {
		return false
	}
	x.details[n].timed = false
	return x.details[n].ended
}

// hasOrdinal marks the step of an entry behind which the session's ordinal stands.
const hasOrdinal = 1 << 7

// appendDetail appends what an entry has of the detail of an open session.
func appendDetail(dst []byte, d *detail) []byte {
	if d.ordinal == 0 {
		return append(dst, d.step)
	}
	return binary.AppendUvarint(append(dst, d.step|hasOrdinal), uint64(d.ordinal))
}

// detail takes what appendDetail has appended.
func readDetail(r *wire.Reader) (d detail) {
	d.step = r.Byte()
	if d.step&hasOrdinal == 0 {
		return d
	}
	ordinal := r.Uvarint()
	r.Check(ordinal > 0 && ordinal <= math.MaxUint32)
	d.step, d.ordinal = d.step&^hasOrdinal, uint32(ordinal)
	return d
}
