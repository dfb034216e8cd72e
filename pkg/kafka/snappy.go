package kafka

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
)

// snappy compresses piece by piece: what a piece refers to is in its own 64 KiB,
// so that the table of what was seen stays in the processor's first cache.
//
// It is most of what producing costs, hence an encoder of our own. Lines of logs come to
// a token in fifteen bytes, and what a token costs are branches that the processor cannot
// foresee. Here they are few: a short literal is copied as if it were of 16 bytes, a copy
// always takes three, and what repeats in less than seven bytes is passed over. Beside
// package s2, whose encoder is assembler, that takes some fifth less time for lines of one
// template, which come out as large, and a tenth or more less for real logs, which come
// out as large or some hundredths larger (docs/BENCHMARKS.md).
type snappy struct{}

const snappyPiece = 64 << 10

// Compress implements kgo.Compressor. A block of snappy is its length and then
// literals and copies, which say how far back they go: those of the pieces follow
// each other.
func (snappy) Compress(dst *bytes.Buffer, src []byte, _ ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	dst.Grow(binary.MaxVarintLen64 + (len(src)/snappyPiece+1)*roomFor(snappyPiece))
	out := binary.AppendUvarint(dst.AvailableBuffer(), uint64(len(src)))
	for len(src) > 0 {
		n := min(len(src), snappyPiece)
		out = packPiece(out, src[:n])
		src = src[n:]
	}
	return out, kgo.CodecSnappy
}

// Kinds of tokens, in their lowest two bits.
const (
	isLiteral = 0
	isCopy    = 2 // its length less 1, and two bytes of how far back it goes
)

// lookAhead is how many bytes of a piece are not looked at for what was seen before: what is
// loaded and copied beyond a place is less.
const lookAhead = 24

// roomFor returns the room that n bytes need: to 65 or more of them, of a literal and a
// copy, a byte is added, to 261 or more two, to the last literal three, and 16 may be
// written behind the end.
func roomFor(n int) int { return n + n/64 + 32 }

// packPiece appends src, of at most snappyPiece bytes, as literals and copies. It needs
// room for them.
func packPiece(dst, src []byte) []byte { //nolint:gocognit,funlen // one loop, for speed
	var seen [1 << seenBits]uint16 // where seven bytes of this hash were last
	d, done := len(dst), 0
	dst = dst[:d+roomFor(len(src))]
	in, out := unsafe.Pointer(unsafe.SliceData(src)), unsafe.Pointer(unsafe.SliceData(dst))
	for s := 1; s < len(src)-lookAhead; {
		next := load64(in, s)
		at, then := &seen[hash7(next)], &seen[hash7(next>>8)]
		from, after := int(*at), int(*then)
		*at, *then = uint16(s), uint16(s+1)
		switch {
		case load32(in, from) == uint32(next):
		case load32(in, after) == uint32(next>>8):
			from = after
			s++
		default:
			s += 3 + (s-done)>>6
			continue
		}
		for from > 0 && s > done && src[from-1] == src[s-1] {
			from--
			s--
		}
		if n := s - done; n <= 16 {
			dst[d] = byte(n-1)<<2 | isLiteral
			store64(out, d+1, load64(in, done))
			store64(out, d+9, load64(in, done+8))
			d += n + (n+63)>>6 // none has no byte that says so either
		} else {
			d = putLiteral(dst, d, src[done:s])
		}
		for {
			back, first := uint32(s-from)<<8, s
			s, from = s+4, from+4
			for s <= len(src)-8 {
				if diff := load64(in, s) ^ load64(in, from); diff != 0 {
					s += bits.TrailingZeros64(diff) >> 3
					break
				}
				s, from = s+8, from+8
			}
			n := s - first
			for ; n > 64; n -= 64 {
				store32(out, d, back|63<<2|isCopy)
				d += 3
			}
			store32(out, d, back|uint32(n-1)<<2|isCopy)
			d += 3
			done = s
			if s >= len(src)-lookAhead {
				break
			}
			next, at := load64(in, s), &seen[hash7(load64(in, s))]
			from = int(*at)
			*at = uint16(s)
			if load32(in, from) != uint32(next) {
				s++
				break
			}
		}
	}
	if done < len(src) {
		d = putLiteral(dst, d, src[done:])
	}
	return dst[:d]
}

// putLiteral writes a literal of any length at d and returns where it ends.
func putLiteral(dst []byte, d int, lit []byte) int {
	n := len(lit) - 1
	switch {
	case n < 60:
		dst[d] = byte(n)<<2 | isLiteral
		d++
	case n < 1<<8:
		dst[d], dst[d+1] = 60<<2|isLiteral, byte(n)
		d += 2
	default:
		dst[d], dst[d+1], dst[d+2] = 61<<2|isLiteral, byte(n), byte(n>>8)
		d += 3
	}
	return d + copy(dst[d:], lit)
}

const seenBits = 13

// hash7 looks at seven bytes: shorter matches are not worth a token.
func hash7(v uint64) uint64 { return v << 8 * 58295818150454627 >> (64 - seenBits) }

// Loads and stores do not look at bounds, which would take a fifth more time.

func load64(p unsafe.Pointer, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, i))[:])
}

func load32(p unsafe.Pointer, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(p, i))[:])
}

func store64(p unsafe.Pointer, i int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(p, i))[:], v)
}

func store32(p unsafe.Pointer, i int, v uint32) {
	binary.LittleEndian.PutUint32((*[4]byte)(unsafe.Add(p, i))[:], v)
}
