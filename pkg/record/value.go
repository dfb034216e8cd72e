package record

import (
	"math"
	"strconv"
	"unsafe"
)

// Kind is what a field's value is, as its codec found it.
type Kind uint8

// The kinds of values. Missing stands for an absent field and for null: they
// are one thing in every command.
const (
	Missing Kind = iota
	True
	False
	Number  // text in JSON's number syntax
	String  // text as it stands
	Escaped // the inside of a JSON string that holds backslashes
	Object  // raw JSON
	Array   // raw JSON
)

const (
	kindBits = 4
	lenBits  = 28
	maxLen   = 1<<lenBits - 1
)

// A Value says what a field holds and where its bytes stand in the arena of
// its batch. It holds no pointer, so columns of values cost the collector
// nothing, and it stays true when the arena grows.
type Value uint64

// NewValue describes the n bytes at off of a batch's arena. A value longer
// than 256 MiB is cut to that length.
func NewValue(k Kind, off, n int) Value {
	if n > maxLen {
		n = maxLen
	}
	return Value(uint64(off)<<32 | uint64(n)<<kindBits | uint64(k))
}

// Kind returns what the value is.
func (v Value) Kind() Kind { return Kind(v & (1<<kindBits - 1)) }

// Off returns where the value's bytes begin in the arena.
func (v Value) Off() int { return int(v >> 32) }

// Len returns the number of bytes of the value as written.
func (v Value) Len() int { return int(v>>kindBits) & maxLen }

// Raw returns the bytes of v as they were written: for a JSON string without
// its quotes and still escaped. The slice is valid as long as the batch is.
func (b *Batch) Raw(v Value) []byte {
	o, n := v.Off(), v.Len()
	return b.Data[o : o+n : o+n]
}

// Text returns the text of v: a string unescaped, anything else as written.
// Unescaping writes to the arena's end and may move it; it is not for
// concurrent use on one batch.
func (b *Batch) Text(v Value) []byte {
	switch v.Kind() {
	case True:
		return litTrue
	case False:
		return litFalse
	case Missing:
		return nil
	case Escaped:
		start := len(b.Data)
		b.Data = AppendUnescaped(b.Data, b.Raw(v))
		return b.Data[start:len(b.Data):len(b.Data)]
	default:
		return b.Raw(v)
	}
}

var litTrue, litFalse, litNull = []byte("true"), []byte("false"), []byte("null")

// Num returns v as a number. Text that looks like a decimal number counts as
// one ("503" is 503); everything else, infinities included, does not.
func (b *Batch) Num(v Value) (float64, bool) {
	switch v.Kind() {
	case Number, String:
		return ParseNumber(b.Raw(v))
	case Escaped:
		return ParseNumber(b.Text(v))
	default:
		return 0, false
	}
}

// AppendJSON appends v as a JSON value; a missing one as null.
func (b *Batch) AppendJSON(dst []byte, v Value) []byte {
	switch v.Kind() {
	case True:
		return append(dst, litTrue...)
	case False:
		return append(dst, litFalse...)
	case Number, Object, Array:
		return append(dst, b.Raw(v)...)
	case String:
		return AppendQuoted(dst, b.Raw(v))
	case Escaped:
		dst = append(dst, '"')
		dst = append(dst, b.Raw(v)...)
		return append(dst, '"')
	default:
		return append(dst, litNull...)
	}
}

// AppendText appends text to the arena and returns it as a string value.
func (b *Batch) AppendText(text []byte) Value {
	off := len(b.Data)
	b.Data = append(b.Data, text...)
	return NewValue(String, off, len(text))
}

// AppendNumber appends f to the arena, in the shortest form that reads back
// as f. A value that JSON cannot say (NaN, an infinity) is missing.
func (b *Batch) AppendNumber(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	off := len(b.Data)
	b.Data = AppendNumber(b.Data, f)
	return NewValue(Number, off, len(b.Data)-off)
}

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
