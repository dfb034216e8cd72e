package codec

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// text checks the inside of a string, from data[i] to the end of data.
func (c *checker) text(data []byte, i int) bool {
	for {
		i = plain(data, i)
		switch {
		case i == len(data):
			return true
		case data[i] < ' ':
			c.fail(i, wrong, "control character "+strconv.Quote(string(data[i:i+1]))+" in a string")
			return false
		case data[i] == '\\':
			n := escapeLen(data[i:])
			if n == 0 {
				c.fail(i, wrong, "unknown escape "+strconv.Quote(shorten(data[i:min(i+2, len(data))])))
				return false
			}
			i += n
		default:
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				c.fail(i, wrong, "bytes that are not UTF-8")
				return false
			}
			i += n
		}
	}
}

// plain returns the index of the first byte from data[i] on that is a control
// character, a backslash or not ASCII, or len(data).
func plain(data []byte, i int) int {
	for i+8 <= len(data) {
		w := binary.LittleEndian.Uint64(data[i:])
		m := ((w-ones*' ')&^w | w | zeros(w^ones*'\\')) & highs
		if m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(data) && data[i] >= ' ' && data[i] < utf8.RuneSelf && data[i] != '\\' {
		i++
	}
	return i
}

// escapeLen returns the length of the escape at the start of s; 0 where JSON
// has none such.
func escapeLen(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		for _, c := range s[2:6] {
			if c-'0' > 9 && c|0x20-'a' > 5 {
				return 0
			}
		}
		return 6
	default:
		return 0
	}
}
