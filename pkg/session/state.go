package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/wire"
)

var _ stream.Stateful = (*Op)(nil)

// The entries of an Op's state, by the first byte of their keys.
const (
	entryClock   = iota + 1 // how far the operator is: limit and newest
	entrySession            // an open session: its start, and the kind and text of its key
	entryHeld               // an event that waits for its turn
	entryBox                // entries that are spilled; see aggregate.Shelf
	entryPast               // a session that is over, for questions: its number
)

var errState = fault.Hint(errors.New("decoding the state of sessionize: not what was encoded"),
	"it may be of an earlier build, or damaged: --reset discards it and begins anew")

// A state is what is noted for giving entries away.
type state struct {
	tracking   bool  // Changes is called: it has to be noted what changes
	clock      clock // as it was given away
	gone       stream.Entries
	held       []uint32 // events that became unsaved; some may be no more
	key, value []byte
}

// A clock is how far an operator is, and what silences have closed.
type clock struct {
	limit, newest int64
	until         int64
	times         uint64
}

// Signature implements stream.Stateful.
func (o *Op) Signature() string {
	c := &o.cfg
	return fmt.Sprintf("sessionize 1 key=%q gap=%v details=%+v cuts=%+v", c.Key, c.Gap, c.Details, c.Cuts)
}

// Changes implements stream.Stateful. Nothing is noted for it before it is first
// called.
func (o *Op) Changes(all bool, put func(key, value []byte) error) error {
	st := &o.state
	if all || !st.tracking {
		o.track()
		o.unsave()
	}
	if now := (clock{o.limit, o.newest, o.silence.until, o.silence.times}); now != st.clock {
		st.value = binary.AppendVarint(binary.AppendVarint(st.value[:0], now.limit), now.newest)
		if now.times > 0 {
			st.value = binary.AppendUvarint(binary.AppendVarint(st.value, now.until), now.times)
		}
		if err := put([]byte{entryClock}, st.value); err != nil {
			return err
		}
		st.clock = now
	}
	if err := st.gone.Take(put); err != nil {
		return err
	}
	if err := o.putSessions(put); err != nil {
		return err
	}
	if err := o.putHeld(put); err != nil {
		return err
	}
	if o.history != nil {
		if err := o.history.changes(put); err != nil {
			return err
		}
	}
	return o.shelf.Changes(entryBox, put)
}

// unsave has Changes give everything away again.
func (o *Op) unsave() {
	st := &o.state
	st.clock, st.gone = clock{limit: math.MaxInt64}, nil // as no operator is
	o.marks.dirty = o.marks.dirty[:0]
	for n := uint32(1); n < o.sessions.unused; n++ {
		if o.sessions.at(n).user != 0 {
			o.marks.set(n, o.marks.of(n)|unsaved)
			o.marks.dirty = append(o.marks.dirty, n)
		}
	}
	o.unsaveHeld()
	if o.history != nil {
		o.history.unsave()
	}
	o.shelf.Unsave()
}

// track begins to note what changes.
func (o *Op) track() {
	o.state.tracking = true
	o.marks.wanted |= unsaved
}

// putSessions gives away the sessions that have changed.
func (o *Op) putSessions(put func(key, value []byte) error) error {
	st, m := &o.state, &o.marks
	for k, n := range m.dirty {
		if m.of(n)&unsaved == 0 {
			continue // it is no more
		}
		st.key = o.appendSessionKey(st.key[:0], n)
		st.value = o.appendSession(st.value[:0], n)
		if err := put(st.key, st.value); err != nil {
			m.dirty = m.dirty[k:]
			return err
		}
		m.set(n, m.of(n)&^unsaved|saved)
	}
	m.dirty = m.dirty[:0]
	return nil
}

// appendSessionKey appends the key of a session's entry.
func (o *Op) appendSessionKey(dst []byte, n uint32) []byte {
	s := o.sessions.at(n)
	kind, text := o.users.key(s.user)
	dst = binary.BigEndian.AppendUint64(append(dst, entrySession), uint64(s.start)^1<<63)
	return append(append(dst, byte(kind)), text...)
}

// keyStart is where the kind and text stand in the key of a session's entry.
const keyStart = 9

// appendSession appends the value of a session's entry.
func (o *Op) appendSession(dst []byte, n uint32) []byte {
	s := o.sessions.at(n)
	dst = append(dst, o.marks.of(n)&said)
	dst = binary.AppendUvarint(dst, uint64(s.end-s.start))
	dst = binary.AppendUvarint(dst, o.sessions.events(n))
	if o.order != nil {
		dst = appendDetail(dst, &o.order.details[n])
	}
	if o.cells != nil {
		dst = o.cells.Encode(dst, n)
	}
	return dst
}

// discard notes that a session is no more, or not under its start: the entry that
// was given away is gone.
func (o *Op) discard(n uint32) {
	if o.marks.of(n)&saved != 0 {
		o.state.key = o.appendSessionKey(o.state.key[:0], n)
		o.state.gone.Append(o.state.key, nil)
	}
}

// Restore implements stream.Stateful.
func (o *Op) Restore(key, value []byte) error {
	o.track()
	switch {
	case len(key) == 1 && key[0] == entryClock:
		return o.restoreClock(value)
	case len(key) > keyStart && key[0] == entrySession:
		return o.restoreSession(key, value)
	case len(key) > keyStart && key[0] == entryHeld && o.order != nil:
		return o.restoreHeld(key, value)
	case len(key) > 0 && key[0] == entryBox:
		return o.restoreBox(key, value)
	case len(key) > 0 && key[0] == entryPast:
		return o.restorePast(key, value)
	default:
		return errState
	}
}

func (o *Op) restoreClock(value []byte) error {
	r := wire.Read(value)
	c := clock{limit: r.Varint(), newest: r.Varint()}
	if len(r.Rest()) > 0 {
		c.until, c.times = r.Varint(), r.Uvarint()
		r.Check(c.times > 0 && possible(c.until))
	}
	switch {
	case !r.Done():
		return errState
	case c.limit != math.MinInt64 && !possible(c.limit), c.newest != math.MinInt64 && !possible(c.newest):
		return errState
	case c.limit != math.MinInt64 && o.timers.floor(c.limit) != c.limit:
		return errState
	}
	o.limit, o.newest, o.state.clock = c.limit, c.newest, c
	o.silence.until, o.silence.times = c.until, c.times
	return nil
}

// possible reports whether a record or the limit may have a time.
func possible(t int64) bool { return t > -math.MaxInt64/4*3 && t < math.MaxInt64/4*3 }

// restoreKey takes the time and the user of an entry.
func (o *Op) restoreKey(key []byte) (t int64, kind record.Kind, text []byte, err error) {
	t = int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
	kind, text = record.Kind(key[keyStart]), key[keyStart+1:]
	if !possible(t) {
		err = errState
	}
	return t, kind, text, err
}

// restoreSession opens a session as it was. Those of a user must not touch.
func (o *Op) restoreSession(key, value []byte) error {
	n, err := o.openSession(key, value)
	if err != nil {
		return err
	}
	if before, after := o.touched(n); before != 0 || after != 0 {
		return errState
	}
	o.marks.set(n, value[0]|saved)
	return nil
}

// openSession opens a session as its entry has it. Nothing is noted of it.
func (o *Op) openSession(key, value []byte) (uint32, error) {
	start, kind, text, err := o.restoreKey(key)
	r := wire.Read(value)
	mark, length, events := r.Byte(), r.Uvarint(), r.Uvarint()
	d := detail{}
	if o.order != nil {
		d = readDetail(&r)
	}
	switch {
	case err != nil || r.Failed() || mark&^said != 0 || events == 0 || int(d.step) > len(o.fields.funnel):
		return 0, errState
	case length > math.MaxInt64 || !possible(start+int64(length)) || !o.keys.Valid(kind, text):
		return 0, errState
	}
	user := o.users.get(aggregate.HashKey(kind, text), kind, text)
	if o.order != nil && o.users.at(user).last != 0 {
		return 0, errState
	}
	wanted := o.marks.wanted
	o.marks.wanted = 0
	n := o.begin(user, start)
	o.marks.wanted = wanted
	o.sessions.at(n).end = start + int64(length)
	o.sessions.count(n, events-1)
	if o.order != nil {
		to := &o.order.details[n]
		to.step, to.ordinal = d.step, d.ordinal
	}
	if o.cells != nil {
		rest, err := o.cells.Decode(n, r.Rest())
		if err != nil {
			return 0, err
		}
		r = wire.Read(rest)
	}
	if !r.Done() {
		return 0, errState
	}
	return n, nil
}
