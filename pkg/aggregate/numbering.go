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
	places         []uint64 // as many as records: numbers plus one, above them half of the key's hash
}

func newNumbering(b *record.Batch) numbering {
	x := numbering{batch: b, hashes: b.Words(keyHash), values: b.Words(keyValue), places: b.Words(keyPlace)}
	clear(x.places)
	return x
}

// number returns the number of a key.
func (x *numbering) number(v record.Value) uint64 {
	const half = 1<<32 - 1
	hash := x.hash(v)
	at := &x.places[hash>>32*uint64(len(x.places))>>32]
	if n := *at & half; n == 0 || *at&^half != hash&^half || !x.same(record.Value(x.values[n-1]), v) {
		x.hashes[x.n], x.values[x.n] = hash, uint64(v)
		x.n++
		*at = hash&^half | uint64(x.n)
	}
	return *at&half - 1
}

// hash is HashKey, with a short way for short keys.
func (x *numbering) hash(v record.Value) uint64 {
	kind, off, n, data := v.Kind(), v.Off(), v.Len(), x.batch.Data
	if n > shortKey || off+shortKey > len(data) || kind <= record.False {
		return HashKey(kind, textOf(x.batch, v))
	}
	first := binary.LittleEndian.Uint64(data[off:]) & lowBytes(n)
	second := binary.LittleEndian.Uint64(data[off+8:]) & lowBytes(max(n-8, 0))
	return hashShort(kind, n, first, second)
}

// same reports whether two values are one key.
func (x *numbering) same(v, w record.Value) bool {
	return uint32(v) == uint32(w) && string(textOf(x.batch, v)) == string(textOf(x.batch, w))
}

// lowBytes returns a mask of the first n bytes of a word.
func lowBytes(n int) uint64 { return 1<<(8*uint(n)) - 1 }
