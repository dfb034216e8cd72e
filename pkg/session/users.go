package session

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
	"unsafe"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// A user is a key that has open sessions. The one that begins last stands in
// last; all of them, ordered by their starts, in the tree at root.
type user struct {
	hash  uint64
	last  uint32
	root  uint32
	shape uint32 // of the key: its length, and its kind in the low four bits
	text  [12]byte
}

const shortText = len(user{}.text) // longer ones stand elsewhere, text holds the place

func (u *user) link() *uint32     { return &u.last }
func (u *user) kind() record.Kind { return record.Kind(u.shape & 15) }
func (u *user) size() int         { return int(u.shape >> 4) }

func (u *user) place() place {
	return place{binary.LittleEndian.Uint32(u.text[:]), binary.LittleEndian.Uint32(u.text[4:])}
}

// users are found by their keys, by open addressing. They hold no pointer a key.
//
// A place of the table has the number of a user and, above it, a few bits of its
// hash, so that seldom one has to be looked at, far away in memory, that is not
// the one that is searched.
type users struct {
	arena[user, *user]
	slots []uint32 // by hash
	texts texts
	full  bool // a user was wanted for whom there is no number
}

const (
	numberBits = 28 // of a place; so many users take 20 GB
	maxUsers   = 1<<numberBits - 1
)

// slot returns the place of a user in the table.
func slot(n uint32, hash uint64) uint32 { return n | uint32(hash>>32)&^maxUsers }

// key returns the kind and bytes of a user's key, valid until the user is
// removed.
func (us *users) key(n uint32) (record.Kind, []byte) {
	u := us.at(n)
	if size := u.size(); size > shortText {
		return u.kind(), us.texts.at(u.place(), size)
	}
	return u.kind(), u.text[:u.size()]
}

// A wanted user is one that is searched: by the hash of its key, which has a
// number in its batch.
type wanted struct {
	hash         uint64
	number, user uint32
}

// guess sets the users of a list that probably have keys with their hashes, 0
// where there surely is none, and fetches these.
func (us *users) guess(list []wanted) {
	if len(us.slots) == 0 {
		return
	}
	near := make([]unsafe.Pointer, 0, atATime)
	mask := uint64(len(us.slots) - 1)
	for k := range list {
		near = append(near, unsafe.Pointer(&us.slots[list[k].hash&mask]))
	}
	fetch(near)
	near = near[:0]
	for k := range list {
		w := &list[k]
		w.user = us.follow(w.hash)
		near = append(near, unsafe.Pointer(us.at(w.user)))
	}
	fetch(near)
}

// follow returns the first user in the place of a hash, or behind it, that has as
// many bits of it.
func (us *users) follow(hash uint64) uint32 {
	mask, bits := uint64(len(us.slots)-1), slot(0, hash)
	for s := hash & mask; us.slots[s] != 0; s = (s + 1) & mask {
		if us.slots[s]&^maxUsers == bits {
			return us.slots[s] & maxUsers
		}
	}
	return 0
}

// is reports whether a user has a key.
func (us *users) is(n uint32, hash uint64, kind record.Kind, text []byte) bool {
	u := us.at(n)
	if u.hash != hash || u.shape != uint32(len(text))<<4|uint32(kind) {
		return false
	}
	if len(text) > shortText {
		return bytes.Equal(us.texts.at(u.place(), len(text)), text)
	}
	return string(u.text[:len(text)]) == string(text)
}

// find returns the user with a key, 0 where there is none.
func (us *users) find(hash uint64, kind record.Kind, text []byte) uint32 {
	if len(us.slots) == 0 {
		return 0
	}
	mask, bits := uint64(len(us.slots)-1), slot(0, hash)
	for s := hash & mask; us.slots[s] != 0; s = (s + 1) & mask {
		if n := us.slots[s] & maxUsers; us.slots[s]&^maxUsers == bits && us.is(n, hash, kind, text) {
			return n
		}
	}
	return 0
}

// get returns the user with a key, a new one where there is none. Where all
// numbers are given away it returns another user and notes that.
func (us *users) get(hash uint64, kind record.Kind, text []byte) uint32 {
	if n := us.find(hash, kind, text); n != 0 {
		return n
	}
	if kind == record.String && !utf8.Valid(text) {
		// JSON cannot tell apart what it shows as U+FFFD: neither do keys.
		text = []byte(string([]rune(string(text))))
		hash = aggregate.HashKey(kind, text)
		if n := us.find(hash, kind, text); n != 0 {
			return n
		}
	}
	n := us.add()
	if n > maxUsers {
		us.arena.remove(n)
		us.full = true
		return 1
	}
	u := us.at(n)
	u.hash, u.shape = hash, uint32(len(text))<<4|uint32(kind)
	if len(text) > shortText {
		p := us.texts.add(text)
		binary.LittleEndian.PutUint32(u.text[:], p.block)
		binary.LittleEndian.PutUint32(u.text[4:], p.off)
	} else {
		copy(u.text[:], text)
	}
	if 4*us.n > 3*len(us.slots) {
		us.widen()
	}
	us.link(n)
	return n
}

// widen makes the table larger.
func (us *users) widen() {
	old := us.slots
	us.slots = make([]uint32, max(2*len(old), 16))
	for _, at := range old {
		if at != 0 {
			us.link(at & maxUsers)
		}
	}
}

func (us *users) link(n uint32) {
	mask, hash := uint64(len(us.slots)-1), us.at(n).hash
	s := hash & mask
	for us.slots[s] != 0 {
		s = (s + 1) & mask
	}
	us.slots[s] = slot(n, hash)
}

// drop removes a user. Those behind it in the table move up, so that no search
// ends early.
func (us *users) drop(n uint32) {
	u := us.at(n)
	mask := uint64(len(us.slots) - 1)
	gap := u.hash & mask
	for us.slots[gap]&maxUsers != n {
		gap = (gap + 1) & mask
	}
	for s := (gap + 1) & mask; us.slots[s] != 0; s = (s + 1) & mask {
		home := us.at(us.slots[s]&maxUsers).hash & mask
		if (s-home)&mask >= (s-gap)&mask {
			us.slots[gap] = us.slots[s]
			gap = s
		}
	}
	us.slots[gap] = 0
	if size := u.size(); size > shortText {
		us.texts.remove(u.place(), size)
	}
	us.remove(n)
}
