package aggregate

import (
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
)

// HashKey returns the hash of a group's key by its kind and text. Nothing that is kept
// depends on it.
func HashKey(kind record.Kind, text []byte) uint64 {
	if len(text) > shortKey {
		return HashValue(kind, text)
	}
	first, second := words(text)
	return hashShort(kind, len(text), first, second)
}

// words returns the text of a short key in two words, zeros behind it.
func words(text []byte) (first, second uint64) {
	var all [shortKey]byte
	copy(all[:], text)
	return binary.LittleEndian.Uint64(all[:]), binary.LittleEndian.Uint64(all[8:])
}

// shortKey is how many bytes may be hashed as two words, in less time than HashValue
// takes.
const shortKey = 16

// hashShort returns the hash of a key of n bytes, which stand in two words: both halves
// of their product, after some of their bits are turned over. No text that is valid
// makes a factor zero.
func hashShort(kind record.Kind, n int, first, second uint64) uint64 {
	high, low := bits.Mul64(first^golden, (second^0xd1342543de82ef95)+uint64(n)<<8+uint64(kind))
	return high ^ low
}

// golden is 2^64 over the golden ratio.
const golden = 0x9e3779b97f4a7c15

// HashValue returns the hash of a value by its kind and text. It is the same in every
// run and on every machine: sketches are made of it, and kept.
func HashValue(kind record.Kind, text []byte) uint64 {
	return xxh3.Hash(text) + uint64(kind)*golden
}
