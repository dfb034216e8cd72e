package session

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// Where memory is bounded, what begins behind the limit of time goes to a shelf
// when there is no room for it: nothing that touches it closes before the limit
// has come to its start, when it is taken down again. A user whose events go on
// meanwhile has several parts of a session, which become one then.

// checkMemory makes sure that memory can be bounded where it is to be.
func (c *Config) checkMemory() error {
	if c.MaxMemory != 0 && c.Update {
		return fault.Usagef("", "memory can only be bounded of sessions that are written once: not with --emit update")
	}
	return aggregate.CheckBound(c.MaxMemory, c.Spill)
}

// About how many bytes each takes, with its place in tables and timers.
const (
	userBytes    = 40
	sessionBytes = 36
	heldBytes    = 60
)

// memory returns about how many bytes users, sessions and events take.
func (o *Op) memory() int64 {
	n := o.users.n*userBytes + o.sessions.n*sessionBytes + o.users.texts.memory() + 5*len(o.marks.list)
	if o.cells != nil {
		n += o.cells.Memory()
	}
	if o.order != nil {
		n += o.order.held.n*heldBytes + o.order.texts.memory()
	}
	return int64(n)
}

// relieve makes room where memory is beyond its bound.
func (o *Op) relieve(rows record.Rows) error {
	if o.shelf == nil {
		return nil
	}
	return o.bound.Keep(rows, o.cfg.MaxMemory, o.memory, o.unload)
}

// A staying session is one that is not spilled.
type staying struct {
	marks      uint8
	key, value []byte
}

// unload spills what begins at the limit or later, and makes anew what remains.
func (o *Op) unload() error {
	var list []uint32
	var kept []staying
	for n := uint32(1); n < o.sessions.unused; n++ {
		switch s := o.sessions.at(n); {
		case s.user == 0:
		case o.order == nil && s.start >= o.limit:
			list = append(list, n)
		default:
			kept = append(kept, staying{o.marks.of(n), o.appendSessionKey(nil, n), o.appendSession(nil, n)})
		}
	}
	slices.SortFunc(list, func(a, b uint32) int { return cmp.Compare(o.sessions.at(a).start, o.sessions.at(b).start) })
	st := &o.state
	for _, n := range list {
		o.discard(n)
		st.key, st.value = o.appendSessionKey(st.key[:0], n), o.appendSession(st.value[:0], n)
		if err := o.shelf.Put(o.sessions.at(n).start, st.key, st.value); err != nil {
			return err
		}
	}
	if o.order != nil {
		if err := o.unloadHeld(); err != nil {
			return err
		}
	}
	if err := o.shelf.Close(); err != nil {
		return err
	}
	o.forgetAll()
	for _, k := range kept {
		n, err := o.openSession(k.key, k.value)
		if err != nil {
			return err
		}
		if o.marks.set(n, k.marks); k.marks&unsaved != 0 {
			o.marks.dirty = append(o.marks.dirty, n)
		}
	}
	return nil
}

// unloadHeld spills the events that wait for their turn.
func (o *Op) unloadHeld() error {
	x, st := o.order, &o.state
	var list []uint32
	for m := uint32(1); m < x.held.unused; m++ {
		if x.held.at(m).user != 0 {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, x.byTime)
	for _, m := range list {
		o.discardHeld(m)
		st.key, st.value = o.appendHeldKey(st.key[:0], m), o.appendHeld(st.value[:0], m)
		if err := o.shelf.Put(x.held.at(m).time, st.key, st.value); err != nil {
			return err
		}
	}
	st.held = st.held[:0]
	o.order = newOrder(o)
	o.order.origins = x.origins
	return nil
}

// takeDown takes back what was spilled: an event, or a part of a session, which
// is joined to those of its user that it touches.
func (o *Op) takeDown(key, value []byte) error {
	switch {
	case !spilled(key):
		return errState
	case key[0] == entryHeld && o.order != nil:
		m, err := o.openHeld(key, value)
		if err == nil {
			o.noteHeld(m)
		}
		return err
	case key[0] != entrySession:
		return errState
	}
	n, err := o.openSession(key, value)
	if err != nil {
		return err
	}
	o.marks.note(o.joined(n))
	return nil
}

// spilled reports whether a key is that of an entry that is spilled.
func spilled(key []byte) bool {
	return len(key) > keyStart && (key[0] == entrySession || key[0] == entryHeld)
}

// joined joins a session to those of its user that it touches and returns what
// becomes of it.
func (o *Op) joined(n uint32) uint32 {
	for {
		switch before, after := o.touched(n); {
		case before != 0:
			o.merge(nil, before, n)
			n = before
		case after != 0:
			o.merge(nil, n, after)
		default:
			return n
		}
	}
}

// touched returns the sessions in front of n and behind it that are no more than
// the gap away, 0 where there are none.
func (o *Op) touched(n uint32) (before, after uint32) {
	if o.order != nil {
		return 0, 0
	}
	ss := &o.sessions
	s := ss.at(n)
	before, after = ss.beside(&o.users.at(s.user).root, n)
	if before != 0 && s.start-ss.at(before).end > o.gap {
		before = 0
	}
	if after != 0 && ss.at(after).start-s.end > o.gap {
		after = 0
	}
	return before, after
}

// isOf reports whether an entry is of a user.
func isOf(key []byte, kind record.Kind, text []byte) bool {
	if !spilled(key) || record.Kind(key[keyStart]) != kind {
		return false
	}
	rest := key[keyStart+1:]
	if key[0] == entryHeld {
		r := wire.Read(rest)
		rest = r.Bytes()
	}
	return string(rest) == string(text)
}

// restoreBox takes back a box of the shelf.
func (o *Op) restoreBox(key, value []byte) error {
	if o.shelf == nil {
		return fault.Usagef("give --max-memory, as the run before did", "the state has sessions that were spilled to disk")
	}
	return o.shelf.Restore(key, value, func(key, value []byte) error {
		if !spilled(key) || value == nil || !possible(int64(binary.BigEndian.Uint64(key[1:])^1<<63)) {
			return errState
		}
		return nil
	})
}
