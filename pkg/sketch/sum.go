package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// nano is the number of units of a Sum's fixed-point part in one.
const nano = 1_000_000_000

// Sum adds numbers exactly: its result is the float64 nearest to the true sum,
// in whatever order they came. A number with up to nine decimal places and 15
// digits in all (or within 2^-51 of one), as logs hold them, counts as that
// decimal, in units of 1e-9 in 128 bits, and so does a whole number below 2^63;
// so 0.1 ten times is 1. Any other counts as the binary fraction that it is. NaN
// and infinities are ignored.
type Sum struct {
	hi   int64 // the fixed-point part, two's complement
	lo   uint64
	rest *longsum // the other numbers; nil where there are none
}

// Add adds a number.
func (s *Sum) Add(v float64) {
	t := v * nano
	if math.Abs(t) < 1<<51 {
		// Adding and subtracting 1.5*2^52 rounds to a whole number. Where v
		// is the float nearest to a decimal of nine places, t misses it by
		// two roundings at most.
		const round = 3 << 51
		whole := t + round - round
		if math.Abs(t-whole) <= math.Abs(t)*0x1p-51 {
			s.addFixed(int64(whole), 1)
			return
		}
	}
	s.addSlow(v)
}

// addFixed adds m*scale units.
func (s *Sum) addFixed(m int64, scale uint64) {
	sign := m >> 63
	hi, lo := bits.Mul64(uint64((m^sign)-sign), scale)
	// Where m is negative, what is added is the two's complement.
	var carry uint64
	lo, carry = bits.Add64(lo^uint64(sign), uint64(sign)&1, 0)
	hi = (hi ^ uint64(sign)) + carry
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi += int64(hi + carry)
}

// addSlow adds large numbers and those that are no short decimals. Large ones
// that are decimals of fewer places still count as such.
func (s *Sum) addSlow(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	// Decimals of 15 digits differ as floats, so there is one m at most.
	scale := float64(nano)
	for math.Abs(v*scale) > 1e15 && scale > 1 {
		scale /= 10
	}
	m := math.RoundToEven(v * scale)
	if math.Abs(m) < 1<<63 && m/scale == v && (scale == 1 || math.Abs(m) <= 1<<53) {
		s.addFixed(int64(m), uint64(nano/scale))
		s.spill()
		return
	}
	if s.rest == nil {
		s.rest = new(longsum)
	}
	mantissa, exp, negative := split(v)
	s.rest.add(mantissa, exp, negative)
}

// spill moves the whole part of a fixed-point part that nears its end to the
// other numbers.
func (s *Sum) spill() {
	if s.hi < 1<<61 && s.hi > -1<<61 {
		return
	}
	whole, left := new(big.Int).QuoRem(s.fixed(), big.NewInt(nano), new(big.Int))
	s.hi, s.lo = 0, 0
	s.addFixed(left.Int64(), 1)
	if s.rest == nil {
		s.rest = new(longsum)
	}
	negative := whole.Sign() < 0
	whole.Abs(whole)
	for exp := 0; whole.Sign() > 0; exp += digitBits {
		s.rest.add(whole.Uint64()&digitMask, exp, negative)
		whole.Rsh(whole, digitBits)
	}
}

// Merge adds all numbers of o, which stays as it is.
func (s *Sum) Merge(o *Sum) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi += o.hi + int64(carry)
	s.spill()
	if o.rest != nil {
		if s.rest == nil {
			s.rest = new(longsum)
		}
		s.rest.merge(o.rest)
	}
}

// Float returns the sum; an infinity where it is beyond float64.
func (s *Sum) Float() float64 {
	if s.rest == nil {
		if f, ok := s.short(); ok {
			return f
		}
	}
	f, _ := s.rat().Float64()
	return f
}

func (s *Sum) rat() *big.Rat {
	r := new(big.Rat).SetFrac(s.fixed(), big.NewInt(nano))
	if s.rest != nil {
		r.Add(r, s.rest.rat())
	}
	return r
}

// AppendWhole appends the sum in full where it is a whole number that a float64
// may not hold, from 2^53 up to 1e21, beyond which numbers are written with an
// exponent; ok is false where it is not.
func (s *Sum) AppendWhole(dst []byte) (_ []byte, ok bool) {
	f := math.Abs(s.Float())
	if f < 1<<53 || f >= 1e21 {
		return dst, false
	}
	r := s.rat()
	if !r.IsInt() {
		return dst, false
	}
	return r.Num().Append(dst, 10), true
}

// short returns the fixed-point part where it is a decimal that one division
// of floats gives exactly, which is nearly always.
func (s *Sum) short() (float64, bool) {
	m := s.lo
	negative := s.hi < 0
	if negative {
		m = -m
	}
	if s.hi != 0 && (s.hi != -1 || m == 0) {
		return 0, false
	}
	scale := float64(nano)
	for m > 1<<53 && m%1000 == 0 && scale > 1 {
		m /= 1000
		scale /= 1000
	}
	f := float64(m) / scale
	if negative {
		f = -f
	}
	return f, m <= 1<<53
}

// fixed returns the fixed-point part in units.
func (s *Sum) fixed() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(s.hi), 64)
	return x.Add(x, new(big.Int).SetUint64(s.lo))
}

const sumVersion = 1

// Append appends the encoded sum to dst.
func (s *Sum) Append(dst []byte) []byte {
	dst = s.appendFixed(append(dst, sumVersion))
	if s.rest == nil {
		return append(dst, 0, 0) // as an empty longsum is written
	}
	return s.rest.append(dst)
}

// appendFixed appends the fixed-point part as appendInt does.
func (s *Sum) appendFixed(dst []byte) []byte {
	hi, lo, negative := uint64(s.hi), s.lo, uint64(0)
	if s.hi < 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
		negative = 1
	}
	size := (bits.Len64(lo) + 7) / 8
	if hi != 0 {
		size = 8 + (bits.Len64(hi)+7)/8
	}
	dst = binary.AppendUvarint(dst, uint64(size)<<1|negative)
	for at := size - 1; at >= 0; at-- {
		word := lo
		if at >= 8 {
			word = hi
		}
		dst = append(dst, byte(word>>(8*(at%8))))
	}
	return dst
}

// Decode replaces s by the sum that src begins with and returns what follows.
func (s *Sum) Decode(src []byte) (behind []byte, err error) {
	*s = Sum{}
	r := newReader(src, "sum", sumVersion)
	hi, lo := r.fixed()
	rest := r.longsum()
	if !r.Failed() {
		s.hi, s.lo, s.rest = hi, lo, rest
	}
	return r.end()
}

// fixed takes what appendFixed has written.
func (r *reader) fixed() (hi int64, lo uint64) {
	const longest = 16
	size := r.Uint(2*longest + 1)
	digits := r.Take(size >> 1)
	r.Check(len(digits) == 0 && size == 0 || len(digits) > 0 && digits[0] != 0)
	if r.Failed() {
		return 0, 0
	}
	var high uint64
	for _, d := range digits {
		high = high<<8 | lo>>56
		lo = lo<<8 | uint64(d)
	}
	r.Check(high>>63 == 0)
	if size&1 != 0 {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		high, _ = bits.Sub64(0, high, borrow)
	}
	return int64(high), lo
}
