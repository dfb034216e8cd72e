package transform

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// A Redactor masks text that must not be passed on, wherever it occurs in the texts and
// numbers of a record. It is immutable and may be shared.
type Redactor struct{ masks []mask }

// A mask finds the next occurrence of something in text from offset from on; a
// start less than zero is none.
type mask struct {
	find func(text []byte, from int) (start, end int)
	with []byte // what stands there instead
}

// Redactions are the names of what can be masked without a regular expression.
var Redactions = []string{"email", "ipv4", "card"}

// NewRedactor returns a redactor. what holds names of Redactions, and regular
// expressions between slashes.
func NewRedactor(what []string) (*Redactor, error) {
	r := &Redactor{}
	for _, w := range what {
		m, err := maskOf(w)
		if err != nil {
			return nil, err
		}
		r.masks = append(r.masks, m)
	}
	return r, nil
}

func maskOf(what string) (mask, error) {
	switch what {
	case "email":
		return mask{findEmail, []byte("[email]")}, nil
	case "ipv4":
		return mask{findIPv4, []byte("[ipv4]")}, nil
	case "card":
		return mask{findCard, []byte("[card]")}, nil
	}
	if len(what) < 3 || what[0] != '/' || what[len(what)-1] != '/' {
		hint := fault.DidYouMean(what, Redactions)
		if hint == "" {
			hint = "one of " + strings.Join(Redactions, ", ") + ", or a regular expression, as in '/token=[0-9a-f]+/'"
		}
		return mask{}, fault.Usagef(hint, "redact: unknown %q", what)
	}
	re, err := regexp.Compile(what[1 : len(what)-1])
	if err != nil {
		return mask{}, fault.Usagef("the syntax is RE2's", "redact: %w", err)
	}
	return mask{findRegexp(re), []byte("[redacted]")}, nil
}

// findRegexp finds matches that are not empty.
func findRegexp(re *regexp.Regexp) func([]byte, int) (int, int) {
	return func(text []byte, from int) (int, int) {
		for from <= len(text) {
			m := re.FindIndex(text[from:])
			if m == nil {
				break
			}
			if m[1] > m[0] {
				return from + m[0], from + m[1]
			}
			from += m[1] + 1
		}
		return -1, -1
	}
}

// Append appends the text of a record, masked. In JSON, strings are matched unescaped
// and the structure is kept; a number that is masked becomes a string.
func (r *Redactor) Append(dst, text []byte) []byte {
	if t := bytes.TrimLeft(text, " \t\r\n"); len(t) == 0 || t[0] != '{' && t[0] != '[' {
		return append(dst, r.plain(text)...)
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			end := stringEnd(text, i+1)
			dst = r.appendString(dst, text[i:end])
			i = end
		case c == '-' || c-'0' <= 9:
			end := i + 1
			for end < len(text) && bytes.IndexByte([]byte(",]} \t\r\n"), text[end]) < 0 {
				end++
			}
			dst = r.appendNumber(dst, text[i:end])
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

// stringEnd returns the offset behind the quote that ends a JSON string.
func stringEnd(text []byte, i int) int {
	for i < len(text) && text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return min(i+1, len(text))
}

// appendString appends a JSON string, quotes included.
func (r *Redactor) appendString(dst, quoted []byte) []byte {
	inside := quoted[1:max(len(quoted)-1, 1)]
	if bytes.IndexByte(inside, '\\') >= 0 {
		inside = record.AppendUnescaped(nil, inside)
	}
	if masked := r.plain(inside); len(inside) == 0 || &masked[0] != &inside[0] {
		return record.AppendQuoted(dst, masked)
	}
	return append(dst, quoted...)
}

func (r *Redactor) appendNumber(dst, number []byte) []byte {
	if masked := r.plain(number); &masked[0] != &number[0] {
		return record.AppendQuoted(dst, masked)
	}
	return append(dst, number...)
}

// plain returns text with all that is to be masked; text itself where nothing is.
func (r *Redactor) plain(text []byte) []byte {
	for _, m := range r.masks {
		start, end := m.find(text, 0)
		if start < 0 {
			continue
		}
		var out []byte
		from := 0
		for start >= 0 {
			out = append(append(out, text[from:start]...), m.with...)
			from = end
			start, end = m.find(text, from)
		}
		text = append(out, text[from:]...)
	}
	return text
}

// findEmail finds something@domain.tld.
func findEmail(text []byte, from int) (int, int) {
	for at := from; ; at++ {
		k := bytes.IndexByte(text[at:], '@')
		if k < 0 {
			return -1, -1
		}
		at += k
		start, end := at, at+1
		for start > from && inMailbox(text[start-1]) {
			start--
		}
		for end < len(text) && (isAlnum(text[end]) || text[end] == '-' || text[end] == '.') {
			end++
		}
		domain := bytes.TrimRight(text[at+1:end], ".-")
		if dot := bytes.LastIndexByte(domain, '.'); start < at && dot > 0 && len(domain)-dot > 2 {
			return start, at + 1 + len(domain)
		}
	}
}

func inMailbox(c byte) bool { return isAlnum(c) || strings.IndexByte("._%+-'", c) >= 0 }

// isAlnum counts all beyond ASCII as letters.
func isAlnum(c byte) bool {
	return c|0x20-'a' <= 'z'-'a' || c-'0' <= 9 || c >= 0x80
}

// findIPv4 finds four numbers up to 255 with dots between and no more of either
// beside.
func findIPv4(text []byte, from int) (int, int) {
	for i := from; i < len(text); i++ {
		if text[i]-'0' > 9 {
			continue
		}
		end := ipv4End(text, i)
		if end > 0 && (i == from || text[i-1] != '.') {
			return i, end
		}
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
	}
	return -1, -1
}

// ipv4End returns the offset behind the address at i, 0 where there is none.
func ipv4End(text []byte, i int) int {
	for part := range 4 {
		n, digits := 0, 0
		for i < len(text) && text[i]-'0' <= 9 && digits < 4 {
			n = n*10 + int(text[i]-'0')
			i++
			digits++
		}
		if digits == 0 || digits > 3 || n > 255 {
			return 0
		}
		if part == 3 {
			break
		}
		if i >= len(text) || text[i] != '.' {
			return 0
		}
		i++
	}
	if i+1 < len(text) && text[i] == '.' && text[i+1]-'0' <= 9 {
		return 0
	}
	return i
}

// findCard finds numbers of payment cards: the digits of an issuer, of a length
// that it has, whose check digit is right, with single spaces or hyphens between
// or none.
func findCard(text []byte, from int) (int, int) {
	for i := from; i < len(text); i++ {
		if text[i]-'0' > 9 || i > from && isAlnum(text[i-1]) {
			continue
		}
		var digits []byte
		end := i
		var buf [20]byte
		digits = buf[:0]
		for k := i; k < len(text) && len(digits) < len(buf); k++ {
			if text[k]-'0' <= 9 {
				digits = append(digits, text[k]-'0')
				end = k + 1
				continue
			}
			if text[k] != ' ' && text[k] != '-' || text[k-1]-'0' > 9 {
				break
			}
		}
		if isCard(digits) && (end == len(text) || !isAlnum(text[end])) {
			return i, end
		}
		for i+1 < len(text) && text[i+1]-'0' <= 9 {
			i++
		}
	}
	return -1, -1
}

// cardLengths are how many digits cards have, by their first one.
var cardLengths = [10][]int{2: {16}, 3: {14, 15, 16}, 4: {13, 16, 19}, 5: {16}, 6: {16, 17, 18, 19}}

func isCard(digits []byte) bool {
	if len(digits) == 0 || !slices.Contains(cardLengths[digits[0]], len(digits)) {
		return false
	}
	sum := 0
	for k, d := range slices.Backward(digits) {
		n := int(d)
		if (len(digits)-1-k)%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
