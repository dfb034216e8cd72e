package codec

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
)

// maxDepth is how deep objects and arrays may be nested, the record itself
// included: as deep as encoding/json reads.
const maxDepth = 10_000

// A checker walks JSON and checks it.
//
// Its structure, always: strings are closed, brackets balanced and of one
// kind, keys are strings, colons and commas stand where they must, a value
// stands wherever one is due, nothing is nested deeper than maxDepth. A scalar
// is any run of bytes other than white space, quotes and punctuation. So NaN,
// 1e400 or 007 are values, and control characters, NUL, unknown escapes and
// bytes that are not UTF-8 may stand in strings: real logs hold all of them,
// and none makes it doubtful where a value ends.
//
// With strict also what stands in values: numbers and literals are those of
// RFC 8259, strings are UTF-8, hold no control character and only known
// escapes. (Halves of surrogate pairs are let pass, as the RFC does.)
//
// Its methods take the text up to its end and an index in it, and return the
// index behind what they read, or -1 after noting the flaw.
type checker struct {
	strict  bool
	oneLine bool // no string goes over the end of a line
	flaw    flaw
	// objects has a bit for each open bracket: 1 for an object, 0 for an array.
	objects [maxDepth/64 + 1]uint64
}

// A flaw is what is wrong, and where.
type flaw struct {
	at   int
	what string // a whole reason, or one that begins with "want"
	kind flawKind
}

type flawKind uint8

const (
	unexpected flawKind = iota // another byte than what was wanted, or the end
	wrong                      // what stands there is described by what
	noValue                    // a scalar that is not JSON
)

// reason says the flaw in line, which begins at data[start]. Bytes are counted
// from 1, as cut -b and editors do.
func (f flaw) reason(data []byte, start int) string {
	at := f.at - start + 1
	switch {
	case f.kind == wrong:
		return fmt.Sprintf("%s at byte %d", f.what, at)
	case f.at >= len(data):
		return fmt.Sprintf("the record ends after %d bytes, want %s", len(data)-start, f.what)
	case f.kind == noValue:
		scalar := data[f.at:scalarEnd(data, f.at)]
		return fmt.Sprintf("got %s at byte %d, want %s", strconv.Quote(shorten(scalar)), at, f.what)
	default:
		return fmt.Sprintf("got %s at byte %d, want %s", strconv.Quote(string(data[f.at:f.at+1])), at, f.what)
	}
}

// shorten keeps what is quoted in a reason to a length that people read.
func shorten(s []byte) string {
	const most = 32
	if len(s) <= most {
		return string(s)
	}
	return string(s[:most]) + "..."
}

func (c *checker) fail(at int, kind flawKind, what string) int {
	c.flaw = flaw{at, what, kind}
	return -1
}

// key reads a key and its colon; the value begins at next. The inside of the
// key is data[i+1:end].
func (c *checker) key(data []byte, i int) (end, next int, escaped bool) {
	if i == len(data) || data[i] != '"' {
		return 0, c.fail(i, unexpected, "a key in quotes"), false
	}
	if end, next, escaped = c.str(data, i); next < 0 {
		return end, next, escaped
	}
	if next = space(data, next); next == len(data) || data[next] != ':' {
		return end, c.fail(next, unexpected, `":"`), escaped
	}
	return end, space(data, next+1), escaped
}

// str reads the string whose opening quote is data[i] and returns where its
// closing quote stands, too.
func (c *checker) str(data []byte, i int) (end, next int, escaped bool) {
	end, escaped = stringEnd(data, i+1)
	if c.oneLine && c.breaks(data, i, end) {
		return end, -1, escaped
	}
	if end < 0 {
		return end, c.fail(i, wrong, unterminated), escaped
	}
	if c.strict && !c.text(data[:end], i+1) {
		return end, -1, escaped
	}
	return end, end + 1, escaped
}

// breaks reports whether a line ends in the string that begins at data[i].
func (c *checker) breaks(data []byte, i, end int) bool {
	if end < 0 {
		end = len(data)
	}
	if n := bytes.IndexByte(data[i:end], '\n'); n >= 0 {
		c.fail(i+n, wrong, "a line ends within a string")
		return true
	}
	return false
}

// unended reports whether all that the flaw says is that data ends too early.
func (c *checker) unended(data []byte) bool {
	return c.flaw.at >= len(data) || c.flaw.kind == wrong && c.flaw.what == unterminated
}

const unterminated = "unterminated string"

// value reads one value of any kind. The kind of a scalar is left unsettled.
func (c *checker) value(data []byte, i int) (v record.Value, next int) {
	if i == len(data) {
		return 0, c.fail(i, unexpected, "a value")
	}
	switch data[i] {
	case '"':
		end, next, escaped := c.str(data, i)
		return stringValue(i, end, escaped), next
	case '{':
		next = c.nested(data, i)
		return record.NewValue(record.Object, i, next-i), next
	case '[':
		next = c.nested(data, i)
		return record.NewValue(record.Array, i, next-i), next
	default:
		next = c.scalar(data, i)
		return record.NewValue(unsettled, i, next-i), next
	}
}

// stringValue describes the string between the quotes at open and end.
func stringValue(open, end int, escaped bool) record.Value {
	if escaped {
		return record.NewValue(record.Escaped, open+1, end-open-1)
	}
	return record.NewValue(record.String, open+1, end-open-1)
}

// scalar reads a value that is neither string, object nor array.
func (c *checker) scalar(data []byte, i int) int {
	end := scalarEnd(data, i)
	if end == i {
		return c.fail(i, unexpected, "a value")
	}
	if c.strict && scalarKind(data[i:end]) == record.String {
		return c.fail(i, noValue, "a JSON value")
	}
	return end
}

// nested reads the object or array that begins at data[i], without recursion.
// It stands within the object that is the record: that is level 1.
func (c *checker) nested(data []byte, i int) int {
	for depth := 1; ; {
		if i == len(data) {
			return c.fail(i, unexpected, "a value")
		}
		switch open := data[i]; open {
		case '{', '[':
			if depth == maxDepth {
				return c.fail(i, wrong, "nested deeper than 10000 levels")
			}
			c.push(depth, open == '{')
			depth++
			i = space(data, i+1)
			if i < len(data) && data[i] == open+2 {
				break // empty: '}' is '{'+2, and ']' is '['+2
			}
			if open == '{' {
				_, i, _ = c.key(data, i)
			}
			if i < 0 {
				return -1
			}
			continue
		case '"':
			_, i, _ = c.str(data, i)
		default:
			i = c.scalar(data, i)
		}
		if i < 0 {
			return -1
		}
		if i, depth = c.unwind(data, i, depth); i < 0 || depth == 1 {
			return i
		}
	}
}

// unwind reads what may follow a value at the given depth: closing brackets,
// until all are closed, or until a comma, and a key where one is due. It
// returns where the next value begins, and its depth.
func (c *checker) unwind(data []byte, i, depth int) (next, left int) {
	for depth > 1 {
		i = space(data, i)
		object := c.inObject(depth - 1)
		switch {
		case i < len(data) && data[i] == ',':
			if i = space(data, i+1); object {
				_, i, _ = c.key(data, i)
			}
			return i, depth
		case object && (i == len(data) || data[i] != '}'):
			return c.fail(i, unexpected, wantInObject), depth
		case !object && (i == len(data) || data[i] != ']'):
			return c.fail(i, unexpected, `"," or "]"`), depth
		}
		i++
		depth--
	}
	return i, depth
}

const wantInObject = `"," or "}"`

func (c *checker) push(level int, object bool) {
	bit := uint64(1) << (level & 63)
	if object {
		c.objects[level>>6] |= bit
	} else {
		c.objects[level>>6] &^= bit
	}
}

func (c *checker) inObject(level int) bool { return c.objects[level>>6]>>(level&63)&1 != 0 }
