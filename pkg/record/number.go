package record

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"
)

// AppendNumber appends f as JSON writes it: integers without exponent up to
// 2^53, else the shortest form that reads back as f.
func AppendNumber(dst []byte, f float64) []byte {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// ParseNumber reads a decimal number: an optional sign, digits, an optional
// fraction and an optional exponent, and nothing else. Decimals of up to 15
// digits, nearly all that logs hold, are read exactly without strconv
// (Clinger's fast path: both mantissa and power of ten are exact floats).
func ParseNumber(b []byte) (float64, bool) {
	if len(b) == 0 || len(b) > 17 {
		return parseLong(b)
	}
	i := 0
	if b[0] == '-' || b[0] == '+' {
		i = 1
	}
	first := i
	var m uint64
	frac := 0
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c <= 9 {
			m = m*10 + uint64(c)
			continue
		}
		if b[i] != '.' || frac != 0 || i == first || i == len(b)-1 {
			return parseLong(b)
		}
		frac = len(b) - i - 1
	}
	if first == len(b) || m > 1<<53 {
		return parseLong(b)
	}
	f := float64(m)
	if frac != 0 {
		f /= pow10[frac]
	}
	if b[0] == '-' {
		f = -f
	}
	return f, true
}

// Rounded returns what f, as which ParseNumber has read text, lacks of it where
// that is a whole number too large for a float64: a small number, exact for
// whole numbers of 64 bits with or without sign; 0 of any other text.
func Rounded(text []byte, f float64) float64 {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	if math.Abs(f) > 1<<64 || f != math.Trunc(f) {
		return 0
	}
	m, err := strconv.ParseUint(unsafe.String(unsafe.SliceData(text), len(text)), 10, 64)
	if err != nil {
		return 0
	}
	near := uint64(0) // as which 2^64 counts: differences are taken modulo it
	if math.Abs(f) < 1<<64 {
		near = uint64(math.Abs(f))
	}
	return math.Copysign(1, f) * float64(int64(m-near))
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// parseShort reads a number that is the first n bytes of w, up to eight: digits,
// and perhaps a point between two of them. It works on all bytes at a time; a
// loop, the length of which no processor can foresee, takes several times as
// long. ok is false for all else, though it may be a number.
func parseShort(w uint64, n int) (f float64, ok bool) {
	if n == 0 {
		return 0, false
	}
	w = (w ^ ones*'0') << (64 - 8*uint(n)) // the value of each digit, zeros before them
	other := ((w&^highs + ones*(0x80-10)) | w) & highs
	if other == 0 {
		return float64(eightDigits(w)), true
	}
	end := uint(bits.TrailingZeros64(other)) + 1 // of the point, in bits
	if other&(other-1) != 0 || byte(w>>(end-8)) != '.'^'0' || end == 64 || end == 72-8*uint(n) {
		return 0, false
	}
	whole := w & (1<<(end-8) - 1)
	w = w>>end<<end | whole<<8 // the gap is closed
	return float64(eightDigits(w)) / pow10[8-end/8], true
}

// eightDigits returns the number whose digits are the bytes of w, the lowest
// first: pairs, then pairs of pairs are joined.
func eightDigits(w uint64) uint64 {
	const pairs = 0x000000ff000000ff
	w = w*10 + w>>8
	return ((w&pairs)*(100+1_000_000<<32) + (w>>16&pairs)*(1+10_000<<32)) >> 32
}

// parseLong is ParseNumber for what its fast path leaves.
func parseLong(b []byte) (float64, bool) {
	if !looksDecimal(b) {
		return 0, false
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	return f, err == nil
}

// looksDecimal rejects what ParseFloat reads beyond decimals: hexadecimal,
// underscores, "inf" and "nan", a point without digits on both sides.
func looksDecimal(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	b, n := skipDigits(b)
	if n == 0 {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b, n = skipDigits(b[1:]); n == 0 {
			return false
		}
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
			b = b[1:]
		}
		if b, n = skipDigits(b); n == 0 {
			return false
		}
	}
	return len(b) == 0
}

func skipDigits(b []byte) (rest []byte, n int) {
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return b[n:], n
}
