package codec

import (
	"bytes"
	"fmt"

	"github.com/logctl/logctl/pkg/record"
)

// Posted takes the bodies of requests apart: JSON objects one after the other
// (NDJSON among them), or one array of objects. All of a body is checked, values
// included, as RFC 8259 and UTF-8 have it. It belongs to one goroutine.
type Posted struct {
	check  checker
	fields []string
	names  map[string]int // the names of the fields to look for, aliases included, to their numbers
	key    []byte
}

// A PostedObject is an object of a body.
type PostedObject struct {
	record.Span              // in the body
	Has         uint64       // has a bit for each of the fields that stand in it and are not null
	Null        uint64       // likewise for those that stand in it as null, by their own name
	First       record.Value // what field 0 holds; 0 where it is missing
	Empty       bool         // it has no member at all
}

// NewPosted returns a reader that looks for some fields, at most 64, at the top
// of each object, under their aliases too.
func NewPosted(fields ...string) *Posted {
	p := &Posted{names: map[string]int{}, fields: fields}
	p.check.strict = true
	for k, f := range fields {
		for _, name := range record.Names(f) {
			if _, known := p.names[name]; !known {
				p.names[name] = k
			}
		}
	}
	return p
}

// A PostedError is what is wrong with a body, and where.
type PostedError struct {
	Line, Byte int // from 1
	Reason     string
}

// Error returns the line and the reason, which says the byte.
func (e *PostedError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Split appends the objects of a body to objects. Line ends within an object, which
// stand outside of its strings, become spaces, so that each is one line. The
// error is a *PostedError.
func (p *Posted) Split(body []byte, objects []PostedObject) ([]PostedObject, error) {
	i := space(body, len(body)-len(bytes.TrimPrefix(body, []byte("\uFEFF"))))
	if i < len(body) && body[i] == '[' {
		objects, i = p.array(body, i+1, objects)
	} else {
		objects, i = p.sequence(body, i, objects)
	}
	if i < 0 {
		return objects, p.fault(body)
	}
	for _, o := range objects {
		inLine(body[o.Off:o.End()])
	}
	return objects, nil
}

// sequence reads objects up to the end of the body; at least one.
func (p *Posted) sequence(body []byte, i int, objects []PostedObject) ([]PostedObject, int) {
	for {
		var o PostedObject
		if o, i = p.object(body, i); i < 0 {
			return objects, i
		}
		objects = append(objects, o)
		if i = space(body, i); i == len(body) {
			return objects, i
		}
	}
}

// array reads the objects of an array, and that nothing follows it.
func (p *Posted) array(body []byte, i int, objects []PostedObject) ([]PostedObject, int) {
	i = space(body, i)
	for more := i == len(body) || body[i] != ']'; more; {
		var o PostedObject
		if o, i = p.object(body, i); i < 0 {
			return objects, i
		}
		objects = append(objects, o)
		i = space(body, i)
		if more = i < len(body) && body[i] == ','; more {
			i = space(body, i+1)
		}
	}
	if i == len(body) || body[i] != ']' {
		return objects, p.check.fail(i, unexpected, `"," or "]"`)
	}
	if i = space(body, i+1); i < len(body) {
		return objects, p.check.fail(i, unexpected, "nothing after the array")
	}
	return objects, i
}

// object reads the object that begins at body[i].
func (p *Posted) object(body []byte, i int) (o PostedObject, next int) {
	if i == len(body) || body[i] != '{' {
		return o, p.check.fail(i, unexpected, "a JSON object")
	}
	o.Off = uint32(i)
	i = space(body, i+1)
	for o.Empty = i < len(body) && body[i] == '}'; !o.Empty; i = space(body, i+1) {
		if i = p.member(body, i, &o); i < 0 {
			return o, i
		}
		if i = space(body, i); i < len(body) && body[i] == '}' {
			break
		}
		if i == len(body) || body[i] != ',' {
			return o, p.check.fail(i, unexpected, wantInObject)
		}
	}
	o.Len = uint32(i+1) - o.Off
	return o, i + 1
}

// member reads a key and its value, and notes whether it is one that is looked for.
func (p *Posted) member(body []byte, i int, o *PostedObject) int {
	key, next := p.readKey(body, i)
	if next < 0 {
		return next
	}
	v, next := p.check.value(body, next)
	if next < 0 {
		return next
	}
	if k, ok := p.names[string(key)]; ok {
		if v = settle(body, v); v.Kind() != record.Missing {
			if o.Has |= 1 << k; k == 0 && o.First == 0 {
				o.First = v
			}
		} else if string(key) == p.fields[k] {
			o.Null |= 1 << k
		}
	}
	return next
}

// readKey reads a key, and the colon behind it.
func (p *Posted) readKey(body []byte, i int) (key []byte, next int) {
	end, next, escaped := p.check.key(body, i)
	if next < 0 {
		return nil, next
	}
	key = body[i+1 : end]
	if escaped {
		p.key = record.AppendUnescaped(p.key[:0], key)
		key = p.key
	}
	return key, next
}

// BlankNulls replaces the members of o by spaces that are null and stand for one
// of the fields, each a bit, by its own name: what is to be said of them does not
// stand beside it. It reports whether a member is left. O is of a body that Split
// has found to be right.
func (p *Posted) BlankNulls(body []byte, o PostedObject, fields uint64) bool {
	last := int(o.End()) - 1 // the closing brace
	comma := -1              // before the member, where one stays
	left := false
	for i := space(body, int(o.Off)+1); i < last; i = space(body, i) {
		start := i
		key, at := p.readKey(body, i)
		k, known := p.names[string(key)]
		own := known && fields>>k&1 != 0 && string(key) == p.fields[k]
		v, next := p.check.value(body, at)
		i = space(body, next)
		switch {
		case !own || settle(body, v).Kind() != record.Missing:
			left = true
			comma = i
		case i < last:
			fillSpaces(body[start : i+1])
		case left:
			fillSpaces(body[comma:i])
		default:
			fillSpaces(body[start:i])
		}
		if i < last {
			i++ // the comma
		}
	}
	return left
}

func fillSpaces(b []byte) {
	for i := range b {
		b[i] = ' '
	}
}

// fault turns the flaw that was found into an error with its place.
func (p *Posted) fault(body []byte) *PostedError {
	f := p.check.flaw
	if f.at >= len(body) { // it ends where its last text does, not on an empty line behind it
		body = bytes.TrimRight(body, " \t\r\n")
		f.at = len(body)
	}
	at := min(f.at, len(body))
	start := bytes.LastIndexByte(body[:at], '\n') + 1
	return &PostedError{
		Line: bytes.Count(body[:start], newline) + 1, Byte: at - start + 1, Reason: f.reason(body, start),
	}
}

// inLine replaces line ends by spaces.
func inLine(object []byte) {
	for i, c := range object {
		if c == '\n' || c == '\r' {
			object[i] = ' '
		}
	}
}
