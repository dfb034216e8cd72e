package letter

import (
	"github.com/zeebo/xxh3"
)

// Sign returns the signature of an error: equal for errors of one class whose
// messages differ only in what Pattern leaves out.
func Sign(class, message string) uint64 {
	var room [mostMessage]byte
	text := append(append(room[:0], class...), 0)
	return xxh3.Hash(appendPattern(text, message))
}

// Pattern returns a message without what differs from one occurrence of an
// error to the next: numbers, ids and addresses are each a #. A word with a
// digit in it is one, and so is a long one of hexadecimal digits alone; an
// address (10.0.0.1:9092, fe80::1, a UUID, a time) is several of them, joined.
func Pattern(message string) string {
	return string(appendPattern(make([]byte, 0, len(message)), message))
}

func appendPattern(out []byte, message string) []byte {
	for i := 0; i < len(message); {
		n := wordLen(message[i:])
		switch {
		case n == 0:
			out = append(out, message[i])
			i++
		case variable(message[i : i+n]):
			out = append(out, '#')
			i += addressLen(message[i:], n)
		default:
			out = append(out, message[i:i+n]...)
			i += n
		}
	}
	return out
}

// addressLen returns the length of the address at the start of s, whose first
// word has n bytes.
func addressLen(s string, n int) int {
	for {
		end := n
		for end < len(s) && end < n+2 && joint(s[end]) {
			end++
		}
		w := wordLen(s[end:])
		if end == n || w == 0 {
			return n
		}
		word := s[end : end+w]
		part := hexadecimal(word) && (s[end-1] == ':' || s[end-1] == '-' && w >= 4)
		if !variable(word) && !part {
			return n
		}
		n = end + w
	}
}

// wordLen returns the length of the word at the start of s, 0 for none.
func wordLen(s string) (n int) {
	for n < len(s) && wordly(s[n]) {
		n++
	}
	return n
}

func wordly(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// joint reports whether a character holds the parts of an address together.
func joint(c byte) bool { return c == '.' || c == ':' || c == '-' || c == '/' || c == '@' }

// longHex is the length from which a word of hexadecimal digits is no English.
const longHex = 8

// variable reports whether a word is a number or an id.
func variable(word string) bool {
	for i := range len(word) {
		if digit(word[i]) {
			return true
		}
	}
	return len(word) >= longHex && hexadecimal(word)
}

func hexadecimal(word string) bool {
	for i := range len(word) {
		if c := word[i] | 0x20; !digit(word[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
