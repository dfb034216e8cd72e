// Package wire is how state, sketches and what is spooled stand in bytes: numbers as
// the varints of Protocol Buffers, words of eight bytes with the least first, texts
// behind their length. Package encoding/binary appends the numbers.
package wire

import (
	"encoding/binary"
	"math"
)

// AppendBytes appends a text behind its length.
func AppendBytes[T ~[]byte | ~string](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// AppendFloat appends the bits of a float as a word.
func AppendFloat(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

// A Reader takes apart what was put together so, in the same order. What it cannot
// take fails it, and from then on all that it returns is zero: it is enough to ask
// at the end. The bytes it returns are those it reads.
type Reader struct {
	src    []byte
	failed bool
}

// Read returns a reader of src.
func Read(src []byte) Reader { return Reader{src: src} }

// Check fails the reader unless what it has read is as it must be.
func (r *Reader) Check(ok bool) {
	if !ok {
		r.src, r.failed = nil, true
	}
}

// Failed reports whether what was read is not what was written.
func (r *Reader) Failed() bool { return r.failed }

// Done reports whether all was read, and did not fail.
func (r *Reader) Done() bool { return !r.failed && len(r.src) == 0 }

// Rest returns what is not read yet, for another reader.
func (r *Reader) Rest() []byte { return r.src }

// Take returns the next n bytes.
func (r *Reader) Take(n uint64) []byte {
	r.Check(n <= uint64(len(r.src)))
	if r.failed {
		return nil
	}
	taken := r.src[:n]
	r.src = r.src[n:]
	return taken
}

// Byte returns the next byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Bytes returns a text.
func (r *Reader) Bytes() []byte { return r.Take(r.Uvarint()) }

// Uvarint returns a number without a sign.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.src)
	return pass(r, v, n)
}

// Uint returns a number without a sign, which is at most limit.
func (r *Reader) Uint(limit uint64) uint64 {
	v := r.Uvarint()
	if r.Check(v <= limit); r.failed {
		return 0
	}
	return v
}

// Varint returns a number with a sign.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.src)
	return pass(r, v, n)
}

// pass passes over the n bytes of v, if they are a number.
func pass[T int64 | uint64](r *Reader, v T, n int) T {
	if r.Check(n > 0); r.failed {
		return 0
	}
	r.src = r.src[n:]
	return v
}

// Word returns a word.
func (r *Reader) Word() uint64 {
	if b := r.Take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Float returns a float.
func (r *Reader) Float() float64 { return math.Float64frombits(r.Word()) }
