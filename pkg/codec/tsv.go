package codec

import (
	"bytes"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// tsv finds fields between tabs. There are no quotes: \t, \n, \r and \\ stand
// for what a field cannot hold, as PostgreSQL, ClickHouse and Miller write
// them; a backslash before anything else is one. A field that is empty or \N
// is missing. For the rest it is as csv.
type tsv struct {
	binding
	columns [][]target
	clock   dayClock
}

// newTSV returns a parser for columns with the names of a header line or,
// where names is not empty, those names, between commas.
func newTSV(plan *record.Plan, header, names string) *tsv {
	p := &tsv{binding: newBinding(plan)}
	columns := tsvNames(header, names)
	p.clock = newDayClock(p.byName["timestamp"], columns, "")
	for _, name := range columns {
		p.columns = append(p.columns, p.byName[name])
	}
	return p
}

// tsvNames returns names where there are any, else those of a header line.
func tsvNames(header, names string) []string {
	if names != "" {
		return headerNames(',', "", names)
	}
	return distinct(tsvColumns(header))
}

// tsvColumns returns the names of the columns as they stand in a header line.
func tsvColumns(header string) []string {
	if header == "" {
		return nil
	}
	columns := strings.Split(header, "\t")
	for i, name := range columns {
		columns[i] = strings.TrimSpace(string(appendTSVText(nil, []byte(name))))
	}
	return columns
}

// parse reads the record in s, which is row's text.
func (p *tsv) parse(b *record.Batch, row int, s record.Span) (reason string) {
	if len(p.columns) == 0 {
		return noColumns
	}
	p.begin()
	line := bytes.TrimSuffix(b.Bytes(s), []byte{'\r'})
	p.clock.begin()
	n := 0
	for i := 0; i <= len(line); n++ {
		end := fieldEnd(line, i, '\t')
		if n < len(p.columns) && (len(p.columns[n]) > 0 || p.clock.wants(n)) {
			v := p.value(b, int(s.Off)+i, line[i:end])
			p.clock.take(n, v)
			p.set(b, row, p.columns[n], v)
		}
		i = end + 1
	}
	if n != len(p.columns) {
		p.clear(b, row)
		return columnCount(n, len(p.columns))
	}
	p.set(b, row, p.clock.to, p.clock.join(b))
	return ""
}

// value returns the value of a field, which stands at off.
func (p *tsv) value(b *record.Batch, off int, text []byte) record.Value {
	switch {
	case len(text) == 0 || string(text) == `\N`:
		return 0
	case isCanonical(text):
		return record.NewValue(record.Number, off, len(text))
	case bytes.IndexByte(text, '\\') < 0:
		return record.NewValue(record.String, off, len(text))
	}
	off = len(b.Data)
	b.Data = appendTSVText(b.Data, text)
	return record.NewValue(record.String, off, len(b.Data)-off)
}

// appendTSVText appends the text that a field stands for.
func appendTSVText(dst, field []byte) []byte {
	for i := 0; i < len(field); i++ {
		c := field[i]
		if c == '\\' && i+1 < len(field) {
			if k := strings.IndexByte(`tnr\`, field[i+1]); k >= 0 {
				c = "\t\n\r\\"[k]
				i++
			}
		}
		dst = append(dst, c)
	}
	return dst
}
