package codec

import (
	"math/bits"

	"github.com/logctl/logctl/pkg/record"
)

// The searches of this file look at eight bytes at a time in one word. In each
// of them the first byte reported is exact; what a mask says of later bytes of
// the same word may be wrong, because a borrow runs upwards, and is not used.
// (Hacker's Delight, 6-1; Mycroft's zero byte test.)
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// zeros marks the first zero byte of w.
func zeros(w uint64) uint64 { return (w - ones) &^ w & highs }

// stringEnd returns where the string whose inside begins at data[i] ends: the
// index of its closing quote, -1 where there is none, and whether a backslash
// stands inside.
func stringEnd(data []byte, i int) (end int, escaped bool) {
	for i+8 <= len(data) {
		w := word(data, i)
		m := zeros(w^ones*'"') | zeros(w^ones*'\\')
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) >> 3
		if data[i] == '"' {
			return i, escaped
		}
		escaped = true
		i += 2
	}
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i, escaped
		case '\\':
			escaped = true
			i++
		}
	}
	return -1, escaped
}

// stops are the bytes that end a scalar: JSON's punctuation and white space.
var stops = [256]bool{
	'{': true, '}': true, '[': true, ']': true, ':': true, ',': true, '"': true,
	' ': true, '\t': true, '\n': true, '\r': true,
}

// scalarEnd returns the index behind the scalar (a number, a literal, or
// whatever stands in the place of one) that begins at data[i]; i where none
// does.
func scalarEnd(data []byte, i int) int {
	for i < len(data) && !stops[data[i]] {
		i++
	}
	return i
}

// numberEnd is scalarEnd for numbers of up to seven bytes without an exponent,
// without a loop: bytes from '-' to '9' are skipped. It returns i for others.
func numberEnd(data []byte, i int) int {
	if i+8 > len(data) {
		return i
	}
	w := word(data, i)
	m := ((w-ones*'-')&^w | (w + ones*(127-'9')) | w) & highs
	end := i + bits.TrailingZeros64(m)>>3
	if end == i+8 || !stops[data[end]] {
		return i
	}
	return end
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// space returns the index of the first byte from data[i] on that is not JSON's
// white space, or len(data).
func space(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' {
		switch data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// unsettled is the kind of a scalar that nobody has looked at yet; see settle.
const unsettled = record.Number

// settle gives a scalar its kind: a literal, a number, or, where it is no JSON
// value, the text that it stands for. Other values are returned as they are.
func settle(data []byte, v record.Value) record.Value {
	if v.Kind() != unsettled {
		return v
	}
	off, n := v.Off(), v.Len()
	if uint(n-1) < 8 && off+8 <= len(data) && isShortNumber(word(data, off), n) {
		return record.NewValue(record.Number, off, n)
	}
	return record.NewValue(scalarKind(data[off:off+n]), off, n)
}

// isShortNumber is isNumber for the first n bytes of w, one to eight, without a
// loop. It is false for numbers other than digits with at most one point among
// them, and for those that begin with 0.
func isShortNumber(w uint64, n int) bool {
	w ^= ones * '0'
	other := ((w&^highs + ones*(0x80-10)) | w) & highs & (1<<(8*n) - 1)
	if w&0xff-1 >= 9 || other&(other-1) != 0 {
		return false
	}
	at := bits.TrailingZeros64(other) &^ 7 // 64 where there is no point
	return other == 0 || byte(w>>at) == '.'^'0' && at != 8*(n-1)
}

func scalarKind(raw []byte) record.Kind {
	switch {
	case isNumber(raw):
		return record.Number
	case string(raw) == "null":
		return record.Missing
	case string(raw) == "true":
		return record.True
	case string(raw) == "false":
		return record.False
	default:
		return record.String
	}
}

// isNumber reports whether s is a number in JSON's grammar.
func isNumber(s []byte) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	first := i
	if i = digitsEnd(s, i); i == first || s[first] == '0' && i > first+1 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		first = i + 1
		if i = digitsEnd(s, first); i == first {
			return false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		first = i
		if i = digitsEnd(s, first); i == first {
			return false
		}
	}
	return i == len(s)
}

func digitsEnd(s []byte, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}
