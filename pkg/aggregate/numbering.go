package aggregate

import (
	"bytes"
	"encoding/binary"

	"github.com/logctl/logctl/pkg/record"
)

// A numbering numbers the keys of a batch from 0 on, as they come up, while
// the batch is prepared: in parallel, and with the text at hand. So the
// operator has to look up a key once for a batch and a pane, and not for each
// row in memory that another core has written.
//
// Keys are told apart by a small table of those that came up last. One that it
// has lost gets another number: that costs a look-up, no more.
type numbering struct {
	batch          *record.Batch
	hashes, values []uint64 // of each number's key
	n              int
	recent         [256]recentKey
}

// A recentKey is a place of the table. Of a key of up to 16 bytes start is all
// of its text; of others it is its hash.
type recentKey struct {
	start  [2]uint64
	shape  uint32 // the length of the text and its kind
	number uint32 // plus one; 0 where the place is free
}

// number returns the number of a key.
func (x *numbering) number(v record.Value) uint64 {
	off, n, data := v.Off(), v.Len(), x.batch.Data
	if n > 16 || off+16 > len(data) {
		return x.numberLong(v)
	}
	start := [2]uint64{
		binary.LittleEndian.Uint64(data[off:]) & lowBytes(n),
		binary.LittleEndian.Uint64(data[off+8:]) & lowBytes(max(n-8, 0)),
	}
	const golden = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio: Fibonacci hashing
	at := &x.recent[(start[0]+start[1]*golden)*golden>>56]
	if at.number == 0 || at.shape != uint32(v) || at.start != start {
		// Field by field: see lineFramer.add.
		number := x.add(HashKey(v.Kind(), textOf(x.batch, v)), v)
		at.start[0], at.start[1], at.shape, at.number = start[0], start[1], uint32(v), number
	}
	return uint64(at.number - 1)
}

// numberLong is number for keys that are not compared in two words.
func (x *numbering) numberLong(v record.Value) uint64 {
	text := textOf(x.batch, v)
	hash := HashKey(v.Kind(), text)
	start := [2]uint64{hash}
	at := &x.recent[hash>>56]
	if at.number == 0 || at.shape != uint32(v) || at.start != start ||
		!bytes.Equal(text, textOf(x.batch, record.Value(x.values[at.number-1]))) {
		*at = recentKey{start, uint32(v), x.add(hash, v)}
	}
	return uint64(at.number - 1)
}

func (x *numbering) add(hash uint64, v record.Value) uint32 {
	x.hashes[x.n], x.values[x.n] = hash, uint64(v)
	x.n++
	return uint32(x.n)
}

// lowBytes returns a mask of the first n bytes of a word.
func lowBytes(n int) uint64 { return 1<<(8*uint(n)) - 1 }
