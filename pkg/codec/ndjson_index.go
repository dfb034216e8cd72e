package codec

import (
	"encoding/binary"
)

// indexAhead is how many bytes of a batch are indexed at a time: few enough to
// be in the first cache when they are scanned.
const indexAhead = 8 << 10

// A quoteIndex has a bit for each byte of a record: set for quotes and
// backslashes. The end of a string is then found by counting zeros instead of
// by a loop, the length of which no processor can foresee. It pays only where
// canIndex says so: with AVX2.
type quoteIndex struct {
	bits  []byte // words of 64 bits, the lowest byte first
	base  int    // what the first bit stands for
	end   int    // what bits stand for ends here; -1 for nothing
	ahead int    // how much is indexed at a time, where a record is not longer
}

// begin forgets what was indexed, as the bytes are others now.
func (x *quoteIndex) begin(ahead int) { x.end, x.ahead = -1, ahead }

// mark sees to it that data[from:to] is indexed.
func (x *quoteIndex) mark(data []byte, from, to int) {
	if from >= x.base && to <= x.end {
		return
	}
	to = max(to, min(from+x.ahead, len(data)))
	size := (to-from)>>6<<3 + 16 // with one word more, for window
	if cap(x.bits) < size {
		x.bits = make([]byte, 2*size)
	}
	x.bits, x.base, x.end = x.bits[:size], from, to
	data = data[from:]
	for k := markBlocks(x.bits, data); k < size; k += 8 {
		binary.LittleEndian.PutUint64(x.bits[k:], markTail(data[min(k<<3, len(data)):]))
	}
}

// window returns the bits of the 57 bytes and more from data[i] on, which may
// be the first behind the record.
func (x *quoteIndex) window(i int) uint64 {
	i -= x.base
	return word(x.bits, i>>3) >> (i & 7)
}

// markTail returns the bits of up to 64 bytes.
func markTail(data []byte) (word uint64) {
	for i, c := range data[:min(64, len(data))] {
		if c == '"' || c == '\\' {
			word |= 1 << i
		}
	}
	return word
}
