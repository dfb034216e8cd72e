package sketch

import (
	"bytes"
	"cmp"
	"slices"
)

// Top finds the most frequent keys with filtered space-saving (Homem and
// Carvalho, "Finding top-k elements in data streams", 2010). It counts exactly
// as long as there are no more different keys than it has room for. Beyond,
// a key that is not counted raises one of a few thousand hashed counters, and
// takes the place of the least frequent key when that counter reaches it.
type Top struct {
	room    int
	n       uint64 // all that was added
	entries []counted
	slots   []int32  // place of an entry + 1 by hash, open addressing
	heap    []int32  // entries, the least at the top; built when there is no more room
	text    []byte   // keys
	waste   int      // bytes of text that belong to no entry
	unseen  []uint64 // bounds of the counts of keys that are not counted, by hash; nil while exact
}

type counted struct {
	hash     uint64
	n, err   uint64
	off, len uint32
	at       int32 // place in the heap
}

// An Item is a frequent key. Its true count is at most Count and at least
// Count-Err.
type Item struct {
	Key        []byte // belongs to the sketch and is valid until it changes
	Count, Err uint64
}

// NewTop returns a sketch for the n most frequent keys. It has room for ten
// times as many, and at least for 1,000.
func NewTop(n int) *Top { return &Top{room: max(10*n, 1000)} }

// Add counts a key with its hash.
func (t *Top) Add(key []byte, hash uint64) {
	t.n++
	if i := t.find(key, hash); i >= 0 {
		t.entries[i].n++
		t.down(t.entries[i].at)
		return
	}
	if len(t.entries) < t.room {
		t.insert(key, counted{hash: hash, n: 1})
		return
	}
	t.fill()
	bound := &t.unseen[hash&uint64(len(t.unseen)-1)]
	least := t.heap[0]
	if *bound+1 < t.entries[least].n {
		*bound++
		return
	}
	t.replace(least, key, counted{hash: hash, n: *bound + 1, err: *bound})
}

// fill makes the sketch ready to forget.
func (t *Top) fill() {
	if t.unseen == nil {
		size := 1
		for size < 4*t.room {
			size *= 2
		}
		t.unseen = make([]uint64, size)
	}
	if t.heap != nil {
		return
	}
	t.heap = make([]int32, len(t.entries))
	for i := range t.heap {
		t.heap[i] = int32(i)
	}
	slices.SortFunc(t.heap, func(a, b int32) int { return cmp.Compare(t.entries[a].n, t.entries[b].n) })
	for at, i := range t.heap {
		t.entries[i].at = int32(at)
	}
}

// down restores the heap's order after the entry at a place has grown.
func (t *Top) down(at int32) {
	if t.heap == nil {
		return
	}
	for {
		child := 2*at + 1
		if int(child) >= len(t.heap) {
			return
		}
		if r := child + 1; int(r) < len(t.heap) && t.entries[t.heap[r]].n < t.entries[t.heap[child]].n {
			child = r
		}
		if t.entries[t.heap[at]].n <= t.entries[t.heap[child]].n {
			return
		}
		t.heap[at], t.heap[child] = t.heap[child], t.heap[at]
		t.entries[t.heap[at]].at, t.entries[t.heap[child]].at = at, child
		at = child
	}
}

func (t *Top) key(e *counted) []byte { return t.text[e.off : e.off+e.len] }

// find returns the place of a key's entry, or -1.
func (t *Top) find(key []byte, hash uint64) int {
	if len(t.slots) == 0 {
		return -1
	}
	mask := uint64(len(t.slots) - 1)
	for s := hash & mask; t.slots[s] != 0; s = (s + 1) & mask {
		e := &t.entries[t.slots[s]-1]
		if e.hash == hash && bytes.Equal(t.key(e), key) {
			return int(t.slots[s]) - 1
		}
	}
	return -1
}

// insert adds an entry for a new key.
func (t *Top) insert(key []byte, e counted) {
	if 2*(len(t.entries)+1) > len(t.slots) {
		t.slots = make([]int32, max(8, 2*len(t.slots)))
		for i := range t.entries {
			t.link(int32(i))
		}
	}
	e.off, e.len = t.keep(key)
	t.entries = append(t.entries, e)
	t.link(int32(len(t.entries) - 1))
}

func (t *Top) keep(key []byte) (off, size uint32) {
	off = uint32(len(t.text))
	t.text = append(t.text, key...)
	return off, uint32(len(key))
}

// link enters an entry into the table.
func (t *Top) link(i int32) {
	mask := uint64(len(t.slots) - 1)
	s := t.entries[i].hash & mask
	for t.slots[s] != 0 {
		s = (s + 1) & mask
	}
	t.slots[s] = i + 1
}

// unlink takes an entry out of the table and moves up those behind it that
// would not be found otherwise.
func (t *Top) unlink(i int32) {
	mask := uint64(len(t.slots) - 1)
	s := t.entries[i].hash & mask
	for t.slots[s] != i+1 {
		s = (s + 1) & mask
	}
	for next := (s + 1) & mask; t.slots[next] != 0; next = (next + 1) & mask {
		home := t.entries[t.slots[next]-1].hash & mask
		if (next-home)&mask >= (next-s)&mask {
			t.slots[s] = t.slots[next]
			s = next
		}
	}
	t.slots[s] = 0
}

// replace gives an entry at the heap's top to another key.
func (t *Top) replace(i int32, key []byte, e counted) {
	old := &t.entries[i]
	bound := &t.unseen[old.hash&uint64(len(t.unseen)-1)]
	*bound = max(*bound, old.n)
	t.unlink(i)
	t.waste += int(old.len)
	if t.waste > len(t.text)/2+1024 {
		old.len = 0
		t.compact()
	}
	e.off, e.len = t.keep(key)
	e.at = old.at
	t.entries[i] = e
	t.link(i)
	t.down(e.at)
}

// compact drops the keys that belong to no entry.
func (t *Top) compact() {
	text := make([]byte, 0, len(t.text)-t.waste+1024)
	for i := range t.entries {
		e := &t.entries[i]
		key := t.key(e)
		e.off = uint32(len(text))
		text = append(text, key...)
	}
	t.text, t.waste = text, 0
}

// bound returns the most that a key without an entry may count.
func (t *Top) bound(hash uint64) uint64 {
	if t.unseen == nil {
		return 0
	}
	return t.unseen[hash&uint64(len(t.unseen)-1)]
}

// Merge adds all keys of o, which stays as it is and must have been made for
// the same n. A key that one of the two has no entry for may have been counted
// and forgotten there: its bound is added to count and error (Agarwal and
// others, "Mergeable summaries", 2012).
func (t *Top) Merge(o *Top) {
	t.n += o.n
	for i := range t.entries {
		e := &t.entries[i]
		if o.find(t.key(e), e.hash) < 0 {
			e.n += o.bound(e.hash)
			e.err += o.bound(e.hash)
		}
	}
	for i := range o.entries {
		e := o.entries[i]
		if k := t.find(o.key(&e), e.hash); k >= 0 {
			t.entries[k].n += e.n
			t.entries[k].err += e.err
			continue
		}
		e.n += t.bound(e.hash)
		e.err += t.bound(e.hash)
		t.insert(o.key(&e), e)
	}
	t.heap = nil
	if o.unseen != nil && t.unseen == nil {
		t.unseen = make([]uint64, len(o.unseen))
	}
	for i, n := range o.unseen {
		t.unseen[i] += n
	}
	t.cut()
}

// cut forgets the least frequent keys beyond the room, and makes the heap.
func (t *Top) cut() {
	if len(t.entries) > t.room {
		t.order()
		t.fill()
		for i := range t.entries[t.room:] {
			e := &t.entries[t.room+i]
			bound := &t.unseen[e.hash&uint64(len(t.unseen)-1)]
			*bound = max(*bound, e.n)
			t.waste += int(e.len)
		}
		t.entries = slices.Clone(t.entries[:t.room])
		t.compact()
		clear(t.slots)
		for i := range t.entries {
			t.link(int32(i))
		}
		t.heap = nil
	}
	if t.unseen != nil {
		t.fill()
	}
}

// order sorts the entries, the most frequent first, equal ones by key.
func (t *Top) order() {
	slices.SortFunc(t.entries, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.n, a.n), bytes.Compare(t.key(&a), t.key(&b)))
	})
}

// Count returns how many keys were added, repetitions included.
func (t *Top) Count() uint64 { return t.n }

// Exact reports whether all counts are exact: nothing had to be forgotten.
func (t *Top) Exact() bool { return t.unseen == nil }

// Items returns the n most frequent keys, equal ones in the order of their
// bytes.
func (t *Top) Items(n int) []Item {
	items := make([]Item, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		items[i] = Item{t.key(e), e.n, e.err}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), bytes.Compare(a.Key, b.Key))
	})
	return items[:min(n, len(items))]
}
