package codec

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// zeek finds fields in the logs that Zeek writes by default: tabs between
// columns (or what #separator says), above them lines that begin with # and
// name the columns and their types:
//
//	#separator \x09
//	#set_separator	,
//	#empty_field	(empty)
//	#unset_field	-
//	#path	conn
//	#fields	ts	uid	id.orig_h	local_orig	tags
//	#types	time	string	addr	bool	set[string]
//
// The values are those that Zeek writes in JSON: numbers (times and intervals in
// seconds), true and false, lists; what is unset is missing. Lines further down
// that begin with #, as #close does, are no records; see zeekFramer for those that
// change the header. A record with another number of columns is bad.
type zeek struct {
	binding
	header  zeekHeader
	columns []zeekColumn
	text    []byte // of an item; kept for its memory
}

type zeekColumn struct {
	to   []target
	kind byte // of zeekKinds
	list bool // a set or a vector of such
}

// zeekHeader is what the lines above a log say.
type zeekHeader struct {
	separator, inner byte
	empty, unset     string
	names, types     []string
	fields           string // the line that names them
}

func newZeek(plan *record.Plan, header string) *zeek {
	p := &zeek{binding: newBinding(plan), header: readZeekHeader(header)}
	for i, name := range p.header.names {
		c := zeekColumn{to: p.byName[name], kind: 's'}
		if i < len(p.header.types) {
			c.kind, c.list = zeekType(p.header.types[i])
		}
		p.columns = append(p.columns, c)
	}
	return p
}

// zeekType returns n for numbers, b for booleans and s for the rest, and
// whether there are many of them.
func zeekType(name string) (kind byte, list bool) {
	if _, inner, ok := strings.Cut(name, "["); ok {
		name, list = strings.TrimSuffix(inner, "]"), true
	}
	switch name {
	case "count", "int", "double", "time", "interval", "port":
		return 'n', list
	case "bool":
		return 'b', list
	default:
		return 's', list
	}
}

const otherColumns = "other columns than those at the beginning of the file"

// isZeek reports whether lines begin as a log of Zeek does.
func isZeek(lines [][]byte) bool { return bytes.HasPrefix(lines[0], []byte("#separator ")) }

func readZeekHeader(text string) zeekHeader {
	h := zeekHeader{separator: '\t', inner: ',', empty: "(empty)", unset: "-"}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if hex, ok := strings.CutPrefix(line, `#separator \x`); ok {
			if code, err := strconv.ParseUint(hex, 16, 8); err == nil {
				h.separator = byte(code)
			}
			continue
		}
		key, value, _ := strings.Cut(line, string(rune(h.separator)))
		switch key {
		case "#set_separator":
			if len(value) == 1 {
				h.inner = value[0]
			}
		case "#empty_field":
			h.empty = value
		case "#unset_field":
			h.unset = value
		case "#fields":
			h.names, h.fields = strings.Split(value, string(rune(h.separator))), line
		case "#types":
			h.types = strings.Split(value, string(rune(h.separator)))
		}
	}
	return h
}

// parse reads the record in s, which is row's text.
func (p *zeek) parse(b *record.Batch, row int, s record.Span) (reason string) {
	line := b.Bytes(s)
	switch {
	case len(line) > 0 && line[0] == '#':
		if bytes.HasPrefix(line, []byte("#fields")) && string(line) != p.header.fields {
			return otherColumns
		}
		b.Recs[row].Flags |= record.Dropped
		b.Remarks++
		return ""
	case len(p.columns) == 0:
		return "the columns have no names: a log of Zeek names them in a line that begins with #fields"
	}
	p.begin()
	n := 0
	for i := 0; i <= len(line); n++ {
		end := fieldEnd(line, i, p.header.separator)
		if n < len(p.columns) && len(p.columns[n].to) > 0 {
			p.set(b, row, p.columns[n].to, p.value(b, p.columns[n], int(s.Off)+i, line[i:end]))
		}
		i = end + 1
	}
	if n != len(p.columns) {
		p.clear(b, row)
		return columnCount(n, len(p.columns))
	}
	return ""
}

// value returns the value of a field, which stands at off.
func (p *zeek) value(b *record.Batch, c zeekColumn, off int, text []byte) record.Value {
	switch {
	case string(text) == p.header.unset:
		return 0
	case c.list:
		return p.listValue(b, c, text)
	case string(text) == p.header.empty:
		return record.NewValue(record.String, off, 0)
	case c.kind == 'b' && len(text) == 1 && (text[0] == 'T' || text[0] == 'F'):
		return record.NewValue(zeekBool(text), off, 1)
	case c.kind == 'n' && isNumber(text):
		return record.NewValue(record.Number, off, len(text))
	case bytes.IndexByte(text, '\\') < 0:
		return record.NewValue(record.String, off, len(text))
	}
	off = len(b.Data)
	b.Data = appendZeekText(b.Data, text)
	return record.NewValue(record.String, off, len(b.Data)-off)
}

func zeekBool(text []byte) record.Kind {
	if text[0] == 'T' {
		return record.True
	}
	return record.False
}

// listValue appends a set or a vector as JSON.
func (p *zeek) listValue(b *record.Batch, c zeekColumn, text []byte) record.Value {
	start := len(b.Data)
	b.Data = append(b.Data, '[')
	if string(text) == p.header.empty {
		text = nil
	}
	for i := 0; i < len(text); {
		end := fieldEnd(text, i, p.header.inner)
		if i > 0 {
			b.Data = append(b.Data, ',')
		}
		b.Data = p.appendItem(b.Data, c.kind, text[i:end])
		i = end + 1
	}
	b.Data = append(b.Data, ']')
	return record.NewValue(record.Array, start, len(b.Data)-start)
}

func (p *zeek) appendItem(dst []byte, kind byte, item []byte) []byte {
	switch {
	case string(item) == p.header.unset:
		return append(dst, "null"...)
	case kind == 'n' && isNumber(item):
		return append(dst, item...)
	case kind == 'b' && string(item) == "T":
		return append(dst, "true"...)
	case kind == 'b' && string(item) == "F":
		return append(dst, "false"...)
	default:
		p.text = appendZeekText(p.text[:0], item)
		return record.AppendQuoted(dst, p.text)
	}
}

// appendZeekText appends the text that a field stands for: \xHH is a byte, and
// two backslashes are one.
func appendZeekText(dst, field []byte) []byte {
	for i := 0; i < len(field); i++ {
		c := field[i]
		if c == '\\' && i+1 < len(field) && field[i+1] == '\\' {
			i++
		} else if c == '\\' && i+3 < len(field) && field[i+1] == 'x' {
			if code, err := strconv.ParseUint(string(field[i+2:i+4]), 16, 8); err == nil {
				c = byte(code)
				i += 3
			}
		}
		dst = append(dst, c)
	}
	return dst
}
