package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"slices"
)

const (
	// digitBits is the size of a longsum's digits. They stand in words of 64
	// bits, so that many numbers can be added before carries are due.
	digitBits = 32
	digitMask = 1<<digitBits - 1
	// lowest is the exponent of a longsum's first digit: below the square of
	// the least float64, a multiple of digitBits.
	lowest    = -2176
	maxDigits = 256 // beyond the square of the largest, times 2^64
	maxAdds   = 1 << 30
)

// A longsum is a sum of binary fractions of any size, exact: a long number in
// fixed point, of which only the digits from the first to the last in use are
// kept (Neal, "Fast exact summation using small and large superaccumulators",
// 2015).
type longsum struct {
	first  int     // place of digits[0]: it counts 2^(lowest + digitBits*first)
	digits []int64 // each may be beyond its range, or negative, until carried
	adds   int     // how many additions since then
}

// split returns the finite v as m * 2^exp, with m odd or zero.
func split(v float64) (m uint64, exp int, negative bool) {
	b := math.Float64bits(v)
	m = b & (1<<52 - 1)
	exp = int(b>>52) & 0x7ff
	if exp == 0 {
		exp = 1
	} else {
		m |= 1 << 52
	}
	zeros := bits.TrailingZeros64(m) & 63
	return m >> zeros, exp - 1075 + zeros, b>>63 != 0
}

// add adds m * 2^exp, or takes it away.
func (b *longsum) add(m uint64, exp int, negative bool) {
	if m == 0 {
		return
	}
	at := exp - lowest
	i, shift := at/digitBits, uint(at%digitBits)
	low, high := m<<shift, m>>(64-shift)
	d := b.cover(i, i+2)
	if negative {
		d[0] -= int64(low & digitMask)
		d[1] -= int64(low >> digitBits)
		d[2] -= int64(high)
	} else {
		d[0] += int64(low & digitMask)
		d[1] += int64(low >> digitBits)
		d[2] += int64(high)
	}
	if b.adds++; b.adds >= maxAdds {
		b.carry()
	}
}

// cover returns the digits at places i to j, which it makes where needed.
func (b *longsum) cover(i, j int) []int64 {
	if len(b.digits) == 0 {
		b.first, b.digits = i, make([]int64, j-i+1, j-i+3)
	}
	if i < b.first {
		b.digits = append(make([]int64, b.first-i, len(b.digits)+b.first-i), b.digits...)
		b.first = i
	}
	for b.first+len(b.digits) <= j {
		b.digits = append(b.digits, 0)
	}
	return b.digits[i-b.first : j-b.first+1]
}

// carry brings all digits but the last into their range, and that one, which
// bears the sign, near to it.
func (b *longsum) carry() {
	b.adds = 0
	if len(b.digits) == 0 {
		return
	}
	last := len(b.digits) - 1
	for i := range last {
		b.digits[i+1] += b.digits[i] >> digitBits
		b.digits[i] &= digitMask
	}
	if top := b.digits[last]; top>>digitBits != 0 && top>>digitBits != -1 {
		b.digits[last] = top & digitMask
		b.digits = append(b.digits, top>>digitBits)
	}
}

// merge adds o, which stays as it is but for its carries.
func (b *longsum) merge(o *longsum) {
	if len(o.digits) == 0 {
		return
	}
	if b.adds+o.adds+2 >= maxAdds {
		b.carry()
		o.carry()
	}
	d := b.cover(o.first, o.first+len(o.digits)-1)
	for i, digit := range o.digits {
		d[i] += digit
	}
	b.adds += o.adds + 2
}

// int returns b as n * 2^exp.
func (b *longsum) int() (n *big.Int, exp int) {
	n = new(big.Int)
	for _, digit := range slices.Backward(b.digits) {
		n.Lsh(n, digitBits)
		n.Add(n, big.NewInt(digit))
	}
	return n, lowest + digitBits*b.first
}

// rat returns b as a fraction.
func (b *longsum) rat() *big.Rat {
	n, exp := b.int()
	if exp >= 0 {
		return new(big.Rat).SetInt(n.Lsh(n, uint(exp)))
	}
	return new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), uint(-exp)))
}

// append appends b in its one encoded form: its last bit's place and its bits.
func (b *longsum) append(dst []byte) []byte {
	n, exp := b.int()
	zeros := n.TrailingZeroBits()
	if n.Sign() == 0 {
		exp = lowest
	}
	dst = binary.AppendUvarint(dst, uint64(exp-lowest)+uint64(zeros))
	return appendInt(dst, n.Rsh(n, zeros))
}

// longsum takes a sum; nil where it is empty.
func (r *reader) longsum() *longsum {
	if b := r.Rest(); len(b) > 1 && b[0] == 0 && b[1] == 0 { // as nearly always
		r.Take(2)
		return nil
	}
	b := new(longsum)
	if b.decode(r); len(b.digits) == 0 {
		return nil
	}
	return b
}

func (b *longsum) decode(r *reader) {
	at := r.Uint(maxDigits * digitBits)
	n := r.int()
	r.Check(int(at)+n.BitLen() <= maxDigits*digitBits && (n.Bit(0) == 1 || n.Sign() == 0 && at == 0))
	if r.Failed() || n.Sign() == 0 {
		return
	}
	b.set(n, int(at)+lowest)
}

// appendInt appends a whole number: its length in bytes with its sign, then
// the bytes.
func appendInt(dst []byte, n *big.Int) []byte {
	b := n.Bytes()
	size := uint64(len(b)) << 1
	if n.Sign() < 0 {
		size |= 1
	}
	return append(binary.AppendUvarint(dst, size), b...)
}

func (r *reader) int() *big.Int {
	size := r.Uint(2*maxDigits*digitBits/8 + 1)
	b := r.Take(size >> 1)
	r.Check(len(b) == 0 && size == 0 || len(b) > 0 && b[0] != 0)
	n := new(big.Int)
	if r.Failed() {
		return n
	}
	if n.SetBytes(b); size&1 != 0 {
		n.Neg(n)
	}
	return n
}
