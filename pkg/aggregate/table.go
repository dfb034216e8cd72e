package aggregate

import (
	"bytes"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// A Table numbers the keys of groups from 0. It is an open-addressing hash table that
// has no pointers to keys, so it costs the collector nothing.
type Table struct {
	slots  []uint32 // group + 1 by hash
	hashes []uint64 // of each group's key
	ends   []uint32 // of each group's key in text
	text   []byte   // keys: a byte with the kind of the value, then its bytes

	warmed uint64 // what Warm has read
}

// NewTable returns an empty table with memory for as many keys as like has,
// which may be nil.
func NewTable(like *Table) *Table {
	n, text := 0, 0
	if like != nil {
		n, text = len(like.hashes), len(like.text)
	}
	return &Table{
		slots:  make([]uint32, tableSize(n)),
		hashes: make([]uint64, 0, n),
		ends:   make([]uint32, 0, n),
		text:   make([]byte, 0, text),
	}
}

// tableSize returns the size of a table for n groups: at most half full.
func tableSize(n int) int {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return size
}

// Len returns how many keys there are.
func (t *Table) Len() int { return len(t.hashes) }

// Text returns how many bytes the keys take.
func (t *Table) Text() int { return len(t.text) }

// Key returns the kind and the bytes of a group's key. They are valid until the
// next key is added.
func (t *Table) Key(g uint32) (record.Kind, []byte) {
	start := uint32(0)
	if g > 0 {
		start = t.ends[g-1]
	}
	return record.Kind(t.text[start]), t.text[start+1 : t.ends[g]]
}

// Hash returns the hash of a group's key.
func (t *Table) Hash(g uint32) uint64 { return t.hashes[g] }

// errKeys ends a run whose windows hold more bytes of keys than a table can.
var errKeys = errors.New("the keys of one table are longer than 4 GiB together: group by something shorter")

// Group returns the group of a key, and adds the key if it is new.
func (t *Table) Group(hash uint64, kind record.Kind, text []byte) (uint32, error) {
	if g, ok := t.Find(hash, kind, text); ok {
		return g, nil
	}
	if kind == record.String && !utf8.Valid(text) {
		// JSON cannot tell apart what it shows as U+FFFD: neither do groups.
		text = []byte(string([]rune(string(text))))
		hash = HashKey(kind, text)
		if g, ok := t.Find(hash, kind, text); ok {
			return g, nil
		}
	}
	if uint64(len(t.text)+len(text)+1) > math.MaxUint32 {
		return 0, errKeys
	}
	return t.insert(hash, kind, text), nil
}

// Find returns the group of a key, or false if there is no such key.
func (t *Table) Find(hash uint64, kind record.Kind, text []byte) (uint32, bool) {
	mask := uint64(len(t.slots) - 1)
	for s := hash & mask; t.slots[s] != 0; s = (s + 1) & mask {
		g := t.slots[s] - 1
		if t.hashes[g] == hash {
			if k, key := t.Key(g); k == kind && bytes.Equal(key, text) {
				return g, true
			}
		}
	}
	return 0, false
}

// IsLarge reports whether Warm pays: the table is beyond a processor's caches.
func (t *Table) IsLarge() bool { return len(t.hashes) >= 1<<14 }

// Warm reads what Find will look at for keys of the given hashes, which it
// overwrites: it asks for all of them before it looks at any. So memory answers
// many questions at a time, rather than one after the other.
func (t *Table) Warm(hashes []uint64) {
	mask := uint64(len(t.slots) - 1)
	for i, hash := range hashes {
		hashes[i] = uint64(t.slots[hash&mask])
	}
	sum := uint64(0)
	for i, n := range hashes {
		if n > 0 {
			hashes[i] = uint64(t.ends[n-1]) - 1
			sum += t.hashes[n-1]
		}
	}
	for _, end := range hashes {
		sum += uint64(t.text[end])
	}
	t.warmed = sum
}

func (t *Table) insert(hash uint64, kind record.Kind, text []byte) uint32 {
	g := uint32(len(t.hashes))
	t.hashes = append(t.hashes, hash)
	t.text = append(append(t.text, byte(kind)), text...)
	t.ends = append(t.ends, uint32(len(t.text)))
	if 2*len(t.hashes) > len(t.slots) {
		t.slots = make([]uint32, 2*len(t.slots))
		for old := range g {
			t.link(old)
		}
	}
	t.link(g)
	return g
}

func (t *Table) link(g uint32) {
	mask := uint64(len(t.slots) - 1)
	s := t.hashes[g] & mask
	for t.slots[s] != 0 {
		s = (s + 1) & mask
	}
	t.slots[s] = g + 1
}

// Memory returns about how many bytes the table takes.
func (t *Table) Memory() int { return 4*cap(t.slots) + 8*cap(t.hashes) + 4*cap(t.ends) + cap(t.text) }
