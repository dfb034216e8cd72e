package aggregate

import (
	"encoding/binary"

	"github.com/logctl/logctl/pkg/record"
)

// A numbering numbers the keys of a batch from 0 on, as they come up, while
// the batch is prepared: in parallel, and with the text at hand. So the
// operator has to look up a key once for a batch and a pane, and not for each
// row in memory that another core has written.
//
// A key has one place, and gives way to another one there. A key that is no
// more in its place gets another number: that costs a look-up, no more.
type numbering struct {
	batch          *record.Batch
	hashes, values []uint64 // of each number's key
	n              int
	places         []uint64 // as many as records: numbers plus one, above them half of what key was mixed to
}

func newNumbering(b *record.Batch) numbering {
	x := numbering{batch: b, hashes: b.Words(keyHash), values: b.Words(keyValue), places: b.Words(keyPlace)}
	clear(x.places)
	return x
}

// number returns the number of a key.
func (x *numbering) number(v record.Value) uint64 {
	const half = 1<<32 - 1
	mixed := x.mix(v)
	at := &x.places[mixed>>32*uint64(len(x.places))>>32]
	if n := *at & half; n == 0 || *at&^half != mixed&^half || !x.same(record.Value(x.values[n-1]), v) {
		x.hashes[x.n], x.values[x.n] = HashKey(v.Kind(), textOf(x.batch, v)), uint64(v)
		x.n++
		*at = mixed&^half | uint64(x.n)
	}
	return *at&half - 1
}

// mix makes one word of a key. For short keys that takes less than to hash them.
func (x *numbering) mix(v record.Value) uint64 {
	off, n, data := v.Off(), v.Len(), x.batch.Data
	if n > 16 || off+16 > len(data) {
		return HashKey(v.Kind(), textOf(x.batch, v))
	}
	const golden = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio: Fibonacci hashing
	first := binary.LittleEndian.Uint64(data[off:]) & lowBytes(n)
	second := binary.LittleEndian.Uint64(data[off+8:]) & lowBytes(max(n-8, 0))
	return (first + second*golden) * golden
}

// same reports whether two values are one key.
func (x *numbering) same(v, w record.Value) bool {
	return uint32(v) == uint32(w) && string(textOf(x.batch, v)) == string(textOf(x.batch, w))
}

// lowBytes returns a mask of the first n bytes of a word.
func lowBytes(n int) uint64 { return 1<<(8*uint(n)) - 1 }
