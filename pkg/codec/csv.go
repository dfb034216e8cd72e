package codec

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// csv finds fields in records of RFC 4180: fields between commas (or, as ssv,
// semicolons), quotes around those that hold such, quotes (doubled) or newlines. The header line
// names the columns, without the spaces around a name; see distinct for columns
// that share one.
//
// A field that is empty, and not in quotes, is missing. One that is a decimal
// of at most 15 digits is a number, anything else a string. A quote within a
// field that does not begin with one is part of it. A record is bad where its
// number of fields is not that of the header, where a quote is not closed, and
// where something other than a comma stands behind one that is.
type csv struct {
	binding
	separator byte
	columns   [][]target
	clock     dayClock
	last      int // the columns behind this one are not asked for
}

// newCSV returns a parser for columns with the names of a header line or,
// where names is not empty, those names, between commas.
func newCSV(plan *record.Plan, separator byte, header, names string) *csv {
	p := &csv{binding: newBinding(plan), separator: separator}
	columns := headerNames(separator, header, names)
	p.clock = newDayClock(p.byName["timestamp"], columns, "")
	p.last = max(p.clock.date, p.clock.time)
	for i, name := range columns {
		to := p.byName[name]
		p.columns = append(p.columns, to)
		if len(to) > 0 {
			p.last = max(p.last, i)
		}
	}
	return p
}

// headerNames returns names where there are any, else those of a header line.
func headerNames(separator byte, header, names string) []string {
	if names != "" {
		return distinct(csvNames(names, ','))
	}
	return distinct(csvNames(header, separator))
}

// distinct gives names that stand there before a number, so that no column hides
// another: a, a and a become a, a_2 and a_3. It changes names.
func distinct(names []string) []string {
	taken := make(map[string]bool, len(names))
	for _, name := range names {
		taken[name] = true
	}
	count := make(map[string]int, len(names))
	for i, name := range names {
		count[name]++
		for n := count[name]; n > 1 && name != "" && taken[names[i]]; n++ {
			names[i] = name + "_" + strconv.Itoa(n)
		}
		taken[names[i]] = true
	}
	return names
}

// csvNames returns the names of the columns.
func csvNames(header string, separator byte) []string {
	var names []string
	if header == "" {
		return nil
	}
	for i := 0; i <= len(header); {
		text, next, quoted, ok := csvField([]byte(header), i, separator)
		if !ok {
			text, next = []byte(header[i:]), len(header)+1
		}
		name := string(text)
		if quoted && ok {
			name = strings.ReplaceAll(name, `""`, `"`)
		}
		names = append(names, strings.TrimSpace(name))
		i = next
	}
	return names
}

const noColumns = "the columns have no names: give them, as in --format csv:time,host,status"

// parse reads the record in s, which is row's text.
func (p *csv) parse(b *record.Batch, row int, s record.Span) (reason string) {
	if len(p.columns) == 0 {
		return noColumns
	}
	p.begin()
	line := bytes.TrimSuffix(b.Bytes(s), []byte{'\r'})
	p.clock.begin()
	n := 0
	for i := 0; i <= len(line); n++ {
		start := i
		text, next, quoted, ok := csvField(line, i, p.separator)
		if !ok {
			p.clear(b, row)
			return p.flaw(line, start, n)
		}
		if n <= p.last && (len(p.columns[n]) > 0 || p.clock.wants(n)) {
			off := int(s.Off) + start
			if quoted {
				off++
			}
			v := p.value(b, off, text, quoted)
			p.clock.take(n, v)
			p.set(b, row, p.columns[n], v)
		}
		i = next
	}
	if n != len(p.columns) {
		p.clear(b, row)
		return columnCount(n, len(p.columns))
	}
	p.set(b, row, p.clock.to, p.clock.join(b))
	return ""
}

func columnCount(got, want int) string {
	return fmt.Sprintf("%d columns, want the %d of the header", got, want)
}

// csvField returns the field that begins at line[i], without its quotes but
// with those inside still doubled, and where the next one begins: beyond
// len(line) behind the last. ok is false where its quotes are wrong.
func csvField(line []byte, i int, separator byte) (text []byte, next int, quoted, ok bool) {
	if i == len(line) || line[i] != '"' {
		end := fieldEnd(line, i, separator)
		return line[i:end], end + 1, false, true
	}
	end := closingQuote(line, i+1)
	if end < 0 || end+1 < len(line) && line[end+1] != separator {
		return nil, 0, true, false
	}
	return line[i+1 : end], end + 2, true, true
}

// fieldEnd returns where the field that begins at line[i] ends: at the
// separator or with the line.
func fieldEnd(line []byte, i int, separator byte) int {
	if n := bytes.IndexByte(line[i:], separator); n >= 0 {
		return i + n
	}
	return len(line)
}

// flaw says what is wrong with the quotes of column n, which begins at
// line[i].
func (p *csv) flaw(line []byte, i, n int) string {
	end := closingQuote(line, i+1)
	if end < 0 {
		return fmt.Sprintf("no closing quote in column %d", n+1)
	}
	return fmt.Sprintf("got %q behind the closing quote of column %d, want a %s", line[end+1:end+2], n+1,
		map[byte]string{',': "comma", ';': "semicolon"}[p.separator])
}

// value returns the value of a field, which stands at off.
func (p *csv) value(b *record.Batch, off int, text []byte, quoted bool) record.Value {
	switch {
	case !quoted && len(text) == 0:
		return 0
	case isCanonical(text):
		return record.NewValue(record.Number, off, len(text))
	case !quoted || bytes.IndexByte(text, '"') < 0:
		return record.NewValue(record.String, off, len(text))
	}
	return appendUndoubled(b, text)
}

// appendUndoubled appends text from within quotes, in which each quote is doubled.
func appendUndoubled(b *record.Batch, text []byte) record.Value {
	off := len(b.Data)
	for i := 0; i < len(text); i++ {
		b.Data = append(b.Data, text[i])
		if text[i] == '"' {
			i++
		}
	}
	return record.NewValue(record.String, off, len(b.Data)-off)
}
