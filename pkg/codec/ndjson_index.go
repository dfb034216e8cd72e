package codec

import (
	"encoding/binary"
)

// A quoteIndex has a bit for each byte of a record: set for quotes and
// backslashes. The end of a string is then found by counting zeros instead of
// by a loop, the length of which no processor can foresee.
type quoteIndex struct {
	bits []uint64
	base int // what the first bit stands for
}

// mark makes x the index of data[from:to]. Of the bytes behind it some may be
// marked, too.
func (x *quoteIndex) mark(data []byte, from, to int) {
	words := (to-from)>>6 + 2 // one more than needed for window
	if cap(x.bits) < words {
		x.bits = make([]uint64, words+words/2)
	}
	x.bits, x.base = x.bits[:words], from
	data = data[from:]
	done := markBlocks(x.bits[:words-1], data)
	for w := done; w < words; w++ {
		x.bits[w] = 0
		if w<<6 < to-from {
			x.bits[w] = markTail(data[w<<6:])
		}
	}
}

// window returns the bits of the 64 bytes from data[i] on, which may be the
// first behind the record.
func (x *quoteIndex) window(i int) uint64 {
	i -= x.base
	k := i >> 6
	return x.bits[k]>>(i&63) | x.bits[k+1]<<1<<(63-i&63)
}

// markTail returns the bits of up to 64 bytes.
func markTail(data []byte) (word uint64) {
	if len(data) >= 64 {
		return markBlock(data)
	}
	for i, c := range data {
		if c == '"' || c == '\\' {
			word |= 1 << i
		}
	}
	return word
}

// markBlock returns the bits of 64 bytes: eight at a time are compared, and
// their marks gathered by a multiplication.
func markBlock(data []byte) (word uint64) {
	const gather = 0x0102040810204080
	for i := 0; i < 64; i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		m := exactZeros(w^ones*'"') | exactZeros(w^ones*'\\')
		word |= m >> 7 * gather >> 56 << i
	}
	return word
}

// exactZeros marks all zero bytes of w and no other.
func exactZeros(w uint64) uint64 {
	const low = ^uint64(highs)
	return ^(w&low + low | w | low)
}
