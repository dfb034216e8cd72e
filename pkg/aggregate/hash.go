package aggregate

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
)

// seeds are this process's own: nobody who chooses keys knows which of them are in each
// other's way in a table.
var seeds = [...]uint64{rand.Uint64(), rand.Uint64()} //nolint:gosec // what they give is shown to nobody

// HashKey returns the hash of a group's key by its kind and text. It is another one in
// every run: nothing that is kept or written depends on it.
func HashKey(kind record.Kind, text []byte) uint64 {
	if len(text) > shortKey {
		return xxh3.HashSeed(text, seeds[0]+uint64(kind))
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
// of their product, after some of their bits are turned over.
func hashShort(kind record.Kind, n int, first, second uint64) uint64 {
	high, low := bits.Mul64(first^seeds[0], (second^seeds[1])+uint64(n)<<8+uint64(kind))
	high, low = bits.Mul64(high^low, golden)
	return high ^ low
}

// golden is 2^64 over the golden ratio.
const golden = 0x9e3779b97f4a7c15

// HashValue returns the hash of a value by its kind and text. It is the same in every
// run and on every machine: sketches are made of it, and kept.
func HashValue(kind record.Kind, text []byte) uint64 {
	return xxh3.Hash(text) + uint64(kind)*golden
}
