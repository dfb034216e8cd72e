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
	first, second  []uint64 // likewise the text, where the key is short
	n              int
	places         []uint64 // as many as records: numbers plus one, above them half of the key's hash
}

func newNumbering(b *record.Batch) numbering {
	x := numbering{
		batch: b, hashes: b.Words(keyHash), values: b.Words(keyValue),
		first: b.Words(keyFirst), second: b.Words(keySecond), places: b.Words(keyPlace),
	}
	clear(x.places)
	return x
}

const half = 1<<32 - 1

// number returns the number of a key. Short keys are compared as words: no processor can
// foresee the length of a text, and how often a loop over it turns.
func (x *numbering) number(v record.Value) uint64 {
	off, n, data := v.Off(), v.Len(), x.batch.Data
	if n > shortKey || off+shortKey > len(data) || v.Kind() <= record.False {
		return x.numberSlowly(v)
	}
	text := data[off : off+shortKey]
	first := binary.LittleEndian.Uint64(text) & lowBytes(n)
	second := binary.LittleEndian.Uint64(text[8:]) & lowBytes(max(n-8, 0))
	hash := hashShort(v.Kind(), n, first, second)
	at := x.place(hash)
	k := int(*at&half) - 1
	if k < 0 || uint32(x.values[k]) != uint32(v) || x.first[k] != first || x.second[k] != second {
		k = x.add(at, hash, v)
		x.first[k], x.second[k] = first, second
	}
	return uint64(k)
}

// numberSlowly is number for long keys, for those that are no text, and for those at the
// end of the arena.
func (x *numbering) numberSlowly(v record.Value) uint64 {
	text := textOf(x.batch, v)
	hash := HashKey(v.Kind(), text)
	at := x.place(hash)
	k := int(*at&half) - 1
	if k < 0 || *at&^half != hash&^half || !x.same(record.Value(x.values[k]), v) {
		k = x.add(at, hash, v)
		if len(text) <= shortKey {
			x.first[k], x.second[k] = words(text)
		}
	}
	return uint64(k)
}

// place returns the place of a key.
func (x *numbering) place(hash uint64) *uint64 { return &x.places[hash>>32*uint64(len(x.places))>>32] }

// add gives a key the next number and the place.
func (x *numbering) add(at *uint64, hash uint64, v record.Value) (k int) {
	k = x.n
	x.hashes[k], x.values[k] = hash, uint64(v)
	x.n++
	*at = hash&^half | uint64(x.n)
	return k
}

// same reports whether two values are one key.
func (x *numbering) same(v, w record.Value) bool {
	return uint32(v) == uint32(w) && string(textOf(x.batch, v)) == string(textOf(x.batch, w))
}

// lowBytes returns a mask of the first n bytes of a word.
func lowBytes(n int) uint64 { return 1<<(8*uint(n)) - 1 }
