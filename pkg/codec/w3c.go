package codec

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"github.com/logctl/logctl/pkg/record"
)

// w3c finds fields in the extended log file format of the W3C, which IIS and
// CloudFront write: spaces or tabs between columns, above them lines that begin
// with # and name the columns:
//
//	#Version: 1.0
//	#Date: 2026-11-24 10:00:00
//	#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent)
//
// Where commas part the names, as Exchange writes them, they part the columns, too. A
// dash is missing, a value may stand in quotes (doubled within). The fields date and
// time together are the timestamp; where there is no date, that of #Date. Exchange's
// date-time is one alone.
// Lines further down that begin with #, as IIS writes them whenever it starts, are
// no records; see w3cFramer for those that change the header. A record with another
// number of columns is bad.
type w3c struct {
	binding
	header  w3cHeader
	columns [][]target
	clock   dayClock
}

// w3cHeader is what the lines above a log say.
type w3cHeader struct {
	names  []string
	commas bool   // between the names, and so between the columns
	date   string // of #Date
}

const w3cFields = "#Fields:"

func newW3C(plan *record.Plan, header string) *w3c {
	p := &w3c{binding: newBinding(plan), header: readW3CHeader(header)}
	for _, name := range p.header.names {
		to := p.byName[name]
		if name == "date-time" {
			to = slices.Concat(to, p.byName["timestamp"])
		}
		p.columns = append(p.columns, to)
	}
	p.clock = newDayClock(p.byName["timestamp"], p.header.names, p.header.date)
	return p
}

func readW3CHeader(text string) (h w3cHeader) {
	for line := range strings.SplitSeq(text, "\n") {
		if names, ok := strings.CutPrefix(line, w3cFields); ok {
			h.commas = strings.Contains(names, ",")
			h.names = namesIn(names)
		}
		if date, ok := strings.CutPrefix(line, w3cDate); ok && len(strings.Fields(date)) > 0 {
			h.date = strings.Fields(date)[0]
		}
	}
	return h
}

// namesIn returns the names of columns behind #Fields:.
func namesIn(text string) []string {
	return distinct(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }))
}

// w3cDate is the directive whose day counts where there is no field for it.
const w3cDate = "#Date:"

// A w3cFramer has a record a line. A line of #Fields begins another header, and so
// does one of #Date, where records have no date.
type w3cFramer struct{ lineFramer }

func (w3cFramer) Renew(header string, data []byte) (renewed string, n int) {
	h := readW3CHeader(header)
	if h.begins(data) {
		between := " "
		if h.commas {
			between = ","
		}
		header = w3cDate + " " + h.date + "\n" + w3cFields + " " + strings.Join(h.names, between) + "\n" + firstLine(data)
		h = readW3CHeader(header)
	}
	return header, nextHeader(data, h.begins)
}

// begins reports whether line is another header behind h.
func (h w3cHeader) begins(line []byte) bool {
	return bytes.HasPrefix(line, []byte(w3cFields)) ||
		bytes.HasPrefix(line, []byte(w3cDate)) && !slices.Contains(h.names, "date")
}

// isW3C reports whether lines begin with such that begin with # and name columns.
func isW3C(lines [][]byte) bool {
	for _, line := range lines {
		if len(line) == 0 || line[0] != '#' {
			return false
		}
		if bytes.HasPrefix(line, []byte(w3cFields)) {
			return true
		}
	}
	return false
}

// parse reads the record in s, which is row's text.
func (p *w3c) parse(b *record.Batch, row int, s record.Span) (reason string) {
	line := b.Bytes(s)
	switch {
	case len(line) > 0 && line[0] == '#':
		names, ok := bytes.CutPrefix(line, []byte(w3cFields))
		if ok && !slices.Equal(namesIn(string(names)), p.header.names) {
			return otherColumns
		}
		b.Recs[row].Flags |= record.Dropped
		b.Remarks++
		return ""
	case len(p.columns) == 0:
		return "the columns have no names: an extended log of the W3C names them in a line that begins with " + w3cFields
	}
	p.begin()
	separator := byte(' ')
	switch {
	case p.header.commas:
		separator = ','
	case bytes.IndexByte(line, '\t') >= 0:
		separator = '\t'
	}
	n := 0
	p.clock.begin()
	for i := pastSpaces(line, 0, separator); i < len(line); n++ {
		text, next, quoted, ok := csvField(line, i, separator)
		if !ok {
			next = fieldEnd(line, i, separator) + 1
			text, quoted = line[i:next-1], false
		}
		if n < len(p.columns) {
			p.field(b, row, n, p.value(b, int(s.Off)+i, text, quoted))
		}
		i = pastSpaces(line, next, separator)
	}
	if separator == ',' && bytes.HasSuffix(line, []byte(",")) {
		n++ // an empty one
	}
	if n != len(p.columns) {
		p.clear(b, row)
		return columnCount(n, len(p.columns))
	}
	p.set(b, row, p.clock.to, p.clock.join(b))
	return ""
}

// field hands on the value of column n.
func (p *w3c) field(b *record.Batch, row, n int, v record.Value) {
	p.clock.take(n, v)
	p.set(b, row, p.columns[n], v)
}

// value returns the value of a field, which stands at off, its quotes included.
func (p *w3c) value(b *record.Batch, off int, text []byte, quoted bool) record.Value {
	switch {
	case !quoted && len(text) == 0:
		return 0
	case !quoted:
		return numberValue(off, text)
	case bytes.IndexByte(text, '"') < 0:
		return record.NewValue(record.String, off+1, len(text))
	default:
		return appendUndoubled(b, text)
	}
}

// pastSpaces returns where the next field begins: spaces may be several.
func pastSpaces(line []byte, i int, separator byte) int {
	for separator == ' ' && i < len(line) && line[i] == ' ' {
		i++
	}
	return i
}
