package codec

import "bytes"

// maxIndent is how far a record may be indented, and how long its first key may be, for
// others to be known by it.
const maxIndent = 1 << 10

// A documentRest finds where a record of a document ends that is broken or too long.
//
// One that is too long ends with its closing brace. One that is broken ends where a
// line begins with a brace that is indented as its own or, if it begins within a line,
// at the next object with the same first key. What is no object ends with its line, or
// where another element may begin.
type documentRest struct {
	kind    restKind
	mark    []byte // with it the next record begins
	from    int    // where in the first piece to look for it
	depth   int
	in, esc bool // within a string; behind a backslash in it
}

type restKind uint8

const (
	untilMark restKind = iota
	untilClosed
	untilStop
)

// rest returns what finds the end of the record that begins at data[from], after value
// has found a flaw in it. What is in front of it begins at data[prev].
func (w *documentWalk) rest(data []byte, prev, from int) *documentRest {
	r := &documentRest{from: 1, depth: 1}
	switch {
	case data[from] != '{':
		r.kind, r.in = untilStop, data[from] == '"'
	case w.check.unended(data):
		r.kind = untilClosed
	}
	line := false
	if r.mark, line = recordMark(data, prev, from); !line && r.kind == untilMark {
		r.from = max(1, w.check.flaw.at-from) // what was in order before may hold more of its like
	}
	return r
}

// recordMark returns with what records begin that are like the one at data[from], and
// whether that is a line.
func recordMark(data []byte, prev, from int) (mark []byte, line bool) {
	i := from - 1
	for i >= prev && from-i < maxIndent && (data[i] == ' ' || data[i] == '\t') {
		i--
	}
	if i >= prev && data[i] == '\n' {
		return data[i : from+1], true
	}
	key := space(data, from+1)
	if key < len(data) && data[key] == '"' {
		if end, _ := stringEnd(data, key+1); end >= 0 && end-from < maxIndent {
			return data[from : end+1], false
		}
	}
	return []byte("\n{"), false
}

// end is a Rest.
func (r *documentRest) end(piece []byte) (n int, ended bool) {
	from := r.from
	r.from = 0
	switch r.kind {
	case untilClosed:
		return r.closed(piece, from)
	case untilStop:
		return r.stop(piece, from)
	default:
		return r.marked(piece, from)
	}
}

func (r *documentRest) marked(piece []byte, from int) (n int, ended bool) {
	if at := bytes.Index(piece[from:], r.mark); at >= 0 {
		return from + at, true
	}
	return max(from, len(piece)-len(r.mark)+1), false
}

// closed finds the bracket that closes the first one. Where a string goes over a line
// end the record is broken after all.
func (r *documentRest) closed(piece []byte, from int) (n int, ended bool) {
	for i := from; i < len(piece); i++ {
		switch c := piece[i]; {
		case r.in && c == '\n':
			r.kind = untilMark
			return r.marked(piece, i)
		case r.quoted(c):
		case c == '{' || c == '[':
			r.depth++
		case c == '}' || c == ']':
			if r.depth--; r.depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(piece), false
}

// stop finds where something else may begin.
func (r *documentRest) stop(piece []byte, from int) (n int, ended bool) {
	for i := from; i < len(piece); i++ {
		switch c := piece[i]; {
		case c == '\n':
			return i, true
		case r.quoted(c):
		case c == '{' || c == ',' || c == ']':
			return i, true
		}
	}
	return len(piece), false
}

// quoted reports whether c, the next byte, belongs to a string.
func (r *documentRest) quoted(c byte) bool {
	switch {
	case r.esc:
		r.esc = false
	case r.in && c == '\\':
		r.esc = true
	case c == '"':
		r.in = !r.in
	default:
		return r.in
	}
	return true
}
