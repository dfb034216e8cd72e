package stream

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"
)

// An Image is the state that a log of entries adds up to: the entries that it began
// with, and the last value that was added for each key since. It has no pointers for
// the collector to follow, and replaced values never take more memory than the others.
// The zero value is empty.
type Image struct {
	base  []Entries // those behind its end are memory that is used again
	log   Entries   // what was added: the last under each key, and some of what those replaced
	live  int       // bytes of the last ones
	keys  []imageKey
	slots []uint32 // by hash: the number of a key, plus one
}

// An imageKey says where the last entry of a key stands in the log.
type imageKey struct {
	hash uint64
	at   int
}

// Begin puts entries before all that are added. A key may come only once in all calls
// of Begin, and none may be deleted. They are copied.
func (m *Image) Begin(entries Entries) {
	n := len(m.base)
	if n == cap(m.base) {
		m.base = append(m.base, nil)
	}
	m.base = m.base[:n+1]
	m.base[n] = append(m.base[n][:0], entries...)
}

// Reset forgets all entries. The memory is used for others, unless it is much.
func (m *Image) Reset() {
	kept := cap(m.log) + 4*cap(m.slots) + 16*cap(m.keys)
	for _, entries := range m.base[:cap(m.base)] {
		kept += cap(entries)
	}
	if kept > mostKept {
		*m = Image{}
		return
	}
	m.base, m.log, m.keys, m.live = m.base[:0], m.log[:0], m.keys[:0], 0
	clear(m.slots)
}

// mostKept is how many bytes an image keeps for others.
const mostKept = 32 << 20

// Size returns how many bytes the entries take.
func (m *Image) Size() int {
	n := m.live
	for _, entries := range m.base {
		n += len(entries)
	}
	return n
}

// Add adds an entry, or with a nil value deletes it. Key and value are copied.
func (m *Image) Add(key, value []byte) {
	if most := len(key) + len(value) + 2*binary.MaxVarintLen64; most > cap(m.log)-len(m.log) {
		m.makeRoom(most)
	}
	if 2*len(m.keys) >= len(m.slots) {
		m.widen()
	}
	at := len(m.log)
	m.log.Append(key, value)
	m.live += len(m.log) - at
	hash := xxh3.Hash(key)
	s := m.place(hash, key)
	if n := m.slots[s]; n != 0 {
		k := &m.keys[n-1]
		m.live -= m.sizeAt(k.at)
		k.at = at
		return
	}
	m.keys = append(m.keys, imageKey{hash, at})
	m.slots[s] = uint32(len(m.keys))
}

// AddAll adds entries, in order.
func (m *Image) AddAll(entries Entries) error {
	return entries.Each(func(key, value []byte) error {
		m.Add(key, value)
		return nil
	})
}

// Each calls put once for each entry, those that the image began with first. Keys and
// values are valid until the next Add.
func (m *Image) Each(put func(key, value []byte) error) error {
	first := put
	if len(m.keys) > 0 {
		first = func(key, value []byte) error {
			if m.slots[m.place(xxh3.Hash(key), key)] != 0 {
				return nil
			}
			return put(key, value)
		}
	}
	for _, entries := range m.base {
		if err := entries.Each(first); err != nil {
			return err
		}
	}
	for _, k := range m.keys {
		key, value, _, err := m.log[k.at:].cut()
		if err == nil && value != nil {
			err = put(key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place returns the slot of a key: of no number where it was not added.
func (m *Image) place(hash uint64, key []byte) uint64 {
	mask := uint64(len(m.slots) - 1)
	s := hash & mask
	for ; m.slots[s] != 0; s = (s + 1) & mask {
		k := m.keys[m.slots[s]-1]
		if k.hash != hash {
			continue
		}
		if had, _, _, _ := m.log[k.at:].cut(); bytes.Equal(had, key) {
			break
		}
	}
	return s
}

// widen makes room for twice as many keys.
func (m *Image) widen() {
	m.slots = make([]uint32, max(2*len(m.slots), 64))
	mask := uint64(len(m.slots) - 1)
	for n, k := range m.keys {
		s := k.hash & mask
		for m.slots[s] != 0 {
			s = (s + 1) & mask
		}
		m.slots[s] = uint32(n + 1)
	}
}

// makeRoom makes room for n bytes, first by leaving out what was replaced.
func (m *Image) makeRoom(n int) {
	if 2*m.live >= len(m.log) {
		m.log = slices.Grow(m.log, len(m.log)+n)
		return
	}
	log := make(Entries, 0, 2*m.live+n)
	for i := range m.keys {
		k := &m.keys[i]
		entry := m.log[k.at : k.at+m.sizeAt(k.at)]
		k.at = len(log)
		log = append(log, entry...)
	}
	m.log = log
}

// sizeAt returns how many bytes an entry of the log takes.
func (m *Image) sizeAt(at int) int {
	_, _, rest, _ := m.log[at:].cut()
	return len(m.log) - at - len(rest)
}
