package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendQuoted appends text as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, as JSON has no other way to carry them; only control characters,
// quotes and backslashes are escaped.
func AppendQuoted[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	i := 0
	for i+8 <= len(text) { // a word is appended whole, and cut where it is not plain
		x := word(text[i : i+8])
		dst = binary.LittleEndian.AppendUint64(dst, x)
		odd := oddBytes(x)
		if odd == 0 {
			i += 8
			continue
		}
		n := bits.TrailingZeros64(odd) / 8
		dst = dst[:len(dst)-8+n]
		i += n
		if c := text[i]; c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
			i++
			continue
		}
		dst, i = appendOdd(dst, text, i)
	}
	if n := len(text) - i; n > 0 && len(text) >= 8 { // the rest is the end of a word
		x := word(text[len(text)-8:])>>(64-8*n) | spaces<<(8*n)
		if oddBytes(x) == 0 {
			dst = binary.LittleEndian.AppendUint64(dst, x)
			return append(dst[:len(dst)-8+n], '"')
		}
	}
	for i < len(text) {
		if c := text[i]; plain(c) {
			dst = append(dst, c)
			i++
			continue
		}
		dst, i = appendOdd(dst, text, i)
	}
	return append(dst, '"')
}

// word returns the eight bytes of t, the first one lowest.
func word[T string | []byte](t T) uint64 {
	_ = t[7]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

const spaces = ' ' * ones

// oddBytes returns a word whose lowest bit that is set is in the first byte of x that
// is not ASCII which a JSON string holds as it is: nothing is borrowed from below it.
// It is 0 where all eight are plain.
func oddBytes(x uint64) uint64 {
	return (x | (x - spaces) | ((x ^ '"'*ones) - ones) | ((x ^ '\\'*ones) - ones)) & highs
}

func plain(c byte) bool { return c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf }

// appendOdd appends the character at text[i], which is not plain, and those like it
// that follow where it is beyond ASCII; it returns where the rest begins.
func appendOdd[T string | []byte](dst []byte, text T, i int) (grown []byte, next int) {
	switch c := text[i]; {
	case c == '"' || c == '\\':
		return append(dst, '\\', c), i + 1
	case c < utf8.RuneSelf:
		return appendControl(dst, c), i + 1
	}
	start := i
	for i < len(text) && text[i] >= utf8.RuneSelf {
		r, n := decodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			dst = utf8.AppendRune(append(dst, text[start:i]...), utf8.RuneError)
			start = i + 1
		}
		i += n
	}
	return append(dst, text[start:i]...), i
}

func decodeRune[T string | []byte](s T) (rune, int) {
	var buf [utf8.UTFMax]byte
	n := copy(buf[:], s)
	return utf8.DecodeRune(buf[:n])
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

// AppendUnescaped appends the text that the inside of a JSON string stands
// for. An escape that JSON does not know is kept as written; a lone half of a
// surrogate pair becomes U+FFFD.
func AppendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case '"', '\\', '/':
			dst = append(dst, s[i])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, n := unescapeRune(s[i-1:])
			if n == 0 {
				dst = append(dst, '\\', 'u')
				continue
			}
			dst = utf8.AppendRune(dst, r)
			i += n - 2
		default:
			dst = append(dst, '\\', s[i])
		}
	}
	return dst
}

// unescapeRune reads \uXXXX, or a surrogate pair of two, at the start of s and
// returns the bytes it took; 0 where the digits are wrong.
func unescapeRune(s []byte) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(s[6:])
	if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hex4 reads the four digits of a \uXXXX at the start of s.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
