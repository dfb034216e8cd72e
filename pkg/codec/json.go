package codec

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// Members goes through the members of a JSON object in the order in which they
// stand, without allocating:
//
//	var m codec.Members
//	for m.Reset(b, rec.Value); ; {
//		key, v, ok := m.Next()
//		if !ok {
//			break
//		}
//	}
//
// The object is one whose structure was checked: a record that is not Bad, or
// an Object value of one. Of anything else it yields what it can, or nothing.
// A key that stands twice comes twice. The zero value has no members.
type Members struct {
	rest elements
	key  []byte // an unescaped key; kept for its memory
}

// Reset begins with the first member of the object in s of b's arena.
func (m *Members) Reset(b *record.Batch, s record.Span) {
	m.rest = inside(b.Data, int(s.Off), int(s.End()), '{')
}

// Next returns the next member, its key unescaped; ok is false after the last.
// A null is a Missing value. The key is valid until the following call.
func (m *Members) Next() (key []byte, v record.Value, ok bool) {
	raw, escaped, v, ok := m.rest.member()
	if escaped {
		m.key = record.AppendUnescaped(m.key[:0], raw)
		return m.key, v, ok
	}
	return raw, v, ok
}

// NextAs returns the value of the next member where that begins as start says: a
// quoted key and its colon. Else it returns false and has gone nowhere. Where it is
// known which member comes next, it costs less than Next.
func (m *Members) NextAs(start string) (v record.Value, ok bool) {
	e := &m.rest
	at := e.i
	if len(e.data)-at < len(start) || string(e.data[at:at+len(start)]) != start {
		return 0, false
	}
	e.i = space(e.data, at+len(start))
	if v, ok = e.value(); !ok {
		e.i = at
	}
	return v, ok
}

// Whole reports, once Next has returned false, whether it went through a whole
// object with nothing behind it, rather than through a part of one that is
// broken or of text that only looks like one.
func (m *Members) Whole() bool {
	e := &m.rest
	return e.i < len(e.data) && e.data[e.i] == '}' && space(e.data, e.i+1) == len(e.data)
}

// Lookup returns the value at path in the JSON object in s of b's arena, which
// is a record that is not Bad or an Object value of one. Path is a single
// name, without its aliases. The literal key is looked for first (a.b), then
// what is nested, the longest key first: for a.b.c the key a.b, and in it c;
// then a, and in it b.c, then b and c. A null counts as absent everywhere.
//
// It reads the path anew at each call: a field of many records belongs to a
// plan.
func Lookup(b *record.Batch, s record.Span, path string) record.Value {
	return compilePath(path).find(b.Data, record.NewValue(record.Object, int(s.Off), int(s.Len)))
}

// elements goes through the values of an array or the members of an object
// whose structure is known to be right.
type elements struct {
	data []byte // up to the end of the array or object
	i    int    // the next element, or at or behind what closes it
}

// inside returns the elements of the array or object in data[from:to]; none
// where it does not begin with open.
func inside(data []byte, from, to int, open byte) elements {
	i := space(data[:to], from)
	if i == to || data[i] != open {
		return elements{}
	}
	return elements{data[:to], space(data[:to], i+1)}
}

// member returns the inside of the next key as it is written, and its value.
func (e *elements) member() (key []byte, escaped bool, v record.Value, ok bool) {
	if e.i >= len(e.data) || e.data[e.i] != '"' {
		return nil, false, 0, false
	}
	start := e.i + 1
	end, escaped := stringEnd(e.data, start)
	if end < 0 {
		return nil, false, 0, false
	}
	e.i = space(e.data, end+1)
	if e.i == len(e.data) || e.data[e.i] != ':' {
		return nil, false, 0, false
	}
	e.i = space(e.data, e.i+1)
	v, ok = e.value()
	return e.data[start:end:end], escaped, v, ok
}

// value returns the value that begins here and goes on to the next element.
func (e *elements) value() (v record.Value, ok bool) {
	if e.i >= len(e.data) {
		return 0, false
	}
	start, next := e.i, 0
	switch e.data[start] {
	case '"':
		end, escaped := stringEnd(e.data, start+1)
		if end < 0 {
			return 0, false
		}
		v, next = stringValue(start, end, escaped), end+1
	case '{':
		next = skipNested(e.data, start)
		v = record.NewValue(record.Object, start, next-start)
	case '[':
		next = skipNested(e.data, start)
		v = record.NewValue(record.Array, start, next-start)
	default:
		if next = scalarEnd(e.data, start); next == start {
			return 0, false
		}
		v = settle(e.data, record.NewValue(unsettled, start, next-start))
	}
	e.i = space(e.data, next)
	if e.i < len(e.data) && e.data[e.i] == ',' {
		e.i = space(e.data, e.i+1)
	}
	return v, true
}

// skipNested returns the index behind the array or object at data[i].
func skipNested(data []byte, i int) int {
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			end, _ := stringEnd(data, i+1)
			if end < 0 {
				return len(data)
			}
			i = end
		}
	}
	return len(data)
}

// A pathNode is a place within a path, with the steps that may be taken from
// there, the best first. Different splits of a path share their remainders, so
// a path of n parts has n nodes.
type pathNode []pathStep

// A pathStep goes into an object by key or into an array by index.
type pathStep struct {
	key   string
	index int
	array bool
	then  pathNode // what is left of the path; nil at its end
}

// compilePath reads a path such as a.b[0].c into its first node, the steps of
// which all go by key.
func compilePath(path string) pathNode {
	cuts := cutPath(path)
	nodes := make([]pathNode, len(cuts)) // the last stands for the end: nil
	for from := len(cuts) - 2; from >= 0; from-- {
		if cut := cuts[from]; cut.array {
			nodes[from] = pathNode{{index: cut.index, array: true, then: nodes[from+1]}}
			continue
		}
		for to := len(cuts) - 1; to > from; to-- {
			if cuts[to].array && cuts[to].at == cuts[from].at {
				continue // an index without a name before it
			}
			key := strings.TrimSuffix(path[cuts[from].at:cuts[to].at], ".")
			if to == len(cuts)-1 {
				key = path[cuts[from].at:]
			}
			nodes[from] = append(nodes[from], pathStep{key: key, then: nodes[to]})
		}
	}
	return nodes[0]
}

// A pathCut is a place of a path at which a step begins, or its end.
type pathCut struct {
	at    int
	index int
	array bool
}

// cutPath finds where the steps of a path begin, as record.Steps has them.
// A path that begins with an index begins with an empty key here: a record is
// an object, and nothing but a literal key can match.
func cutPath(path string) []pathCut {
	var cuts []pathCut
	at := 0
	for part := range strings.SplitSeq(path, ".") {
		var found []pathCut
		steps, end := record.Steps(part), len(part)
		for k := len(steps) - 1; k >= 0 && steps[k].Array; k-- {
			end = strings.LastIndexByte(part[:end], '[')
			found = append(found, pathCut{at + end, steps[k].Index, true})
		}
		if end > 0 || len(found) == 0 || at == 0 {
			found = append(found, pathCut{at: at}) // a name
		}
		slices.Reverse(found)
		cuts = append(cuts, found...)
		at += len(part) + 1
	}
	return append(cuts, pathCut{at: len(path)})
}

// find returns the value to which the node's steps lead from v, the first that
// leads to one other than null.
func (n pathNode) find(data []byte, v record.Value) record.Value {
	for _, step := range n {
		found := step.take(data, v)
		if step.then != nil && found != 0 {
			found = step.then.find(data, found)
		}
		if found.Kind() != record.Missing {
			return found
		}
	}
	return 0
}

func (s pathStep) take(data []byte, v record.Value) record.Value {
	switch {
	case s.array && v.Kind() == record.Array:
		return element(data, v, s.index)
	case !s.array && v.Kind() == record.Object:
		return member(data, v, s.key)
	default:
		return 0
	}
}

// member returns the value of the first member with the given key.
func member(data []byte, object record.Value, key string) record.Value {
	rest := inside(data, object.Off(), object.Off()+object.Len(), '{')
	for {
		raw, escaped, v, ok := rest.member()
		if !ok {
			return 0
		}
		if string(raw) == key || escaped && unescapesTo(raw, key) {
			return v
		}
	}
}

// unescapesTo reports whether raw, the inside of a string, stands for text.
func unescapesTo(raw []byte, text string) bool {
	var buf [128]byte
	return string(record.AppendUnescaped(buf[:0], raw)) == text
}

// element returns an element of an array, from its end where index is negative.
func element(data []byte, array record.Value, index int) record.Value {
	all := inside(data, array.Off(), array.Off()+array.Len(), '[')
	if index < 0 {
		for rest := all; ; index++ {
			if _, ok := rest.value(); !ok {
				break
			}
		}
	}
	for ; index > 0; index-- {
		if _, ok := all.value(); !ok {
			return 0
		}
	}
	if index < 0 {
		return 0
	}
	v, _ := all.value()
	return v
}
