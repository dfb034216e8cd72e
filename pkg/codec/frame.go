package codec

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// TooLong is why a record of more than maxRecord bytes is bad.
func TooLong(maxRecord int) string {
	return "longer than " + human.Whole(int64(maxRecord)) + " bytes, the greatest size of a record"
}

// appendRecord appends the record that is data[from:to]. Of one that is too
// long the first part stays, and it is bad.
func appendRecord(b *record.Batch, from, to int, line int64, maxRecord int) {
	b.Recs = append(b.Recs, record.Rec{
		Value:  record.Span{Off: uint32(from), Len: uint32(to - from)},
		Offset: b.Base + int64(from),
		Stamp:  record.NoTime,
		Time:   record.NoTime,
		Line:   line,
	})
	if to-from > maxRecord {
		row := len(b.Recs) - 1
		b.Recs[row].Value.Len = uint32(maxRecord)
		b.Recs[row].Flags = record.Truncated
		b.SetBad(row, TooLong(maxRecord))
	}
}

// A lineFramer has a record a line. A carriage return before the newline is
// part of the record, and so are empty lines records: framing loses no byte.
type lineFramer struct{ maxRecord int }

func (f lineFramer) Cut(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

func (f lineFramer) Frame(b *record.Batch) {
	line, step := numbering(b)
	for off := 0; off < len(b.Data); line += step {
		end := lineEnd(b.Data, off)
		f.add(b, off, end, line)
		off = end + 1
	}
}

// add appends the record that is data[from:to].
func (f lineFramer) add(b *record.Batch, from, to int, line int64) {
	if to-from > f.maxRecord {
		appendRecord(b, from, to, line, f.maxRecord)
		return
	}
	// Field by field, and not as a whole: copying what was written just now in
	// other widths takes longer than all else here.
	b.Recs = slices.Grow(b.Recs, 1)[:len(b.Recs)+1]
	rec := &b.Recs[len(b.Recs)-1]
	rec.Value = record.Span{Off: uint32(from), Len: uint32(to - from)}
	rec.Key, rec.Headers, rec.Flags, rec.Part = record.Span{}, record.Span{}, 0, 0
	rec.Offset, rec.Line = b.Base+int64(from), line
	rec.Stamp, rec.Time = record.NoTime, record.NoTime
}

// An indexFramer is a lineFramer that finds the lines by the index that the
// parser of its batches is to use.
type indexFramer struct {
	lineFramer
	parser *ndjson
}

func (f indexFramer) Frame(b *record.Batch) {
	line, step := numbering(b)
	off := 0
	for _, end := range f.parser.lines(b.Data) {
		f.add(b, off, int(end), line)
		off = int(end) + 1
		line += step
	}
	if off < len(b.Data) {
		f.add(b, off, len(b.Data), line)
	}
}

// numbering returns the number of the first line of b and what to add for each
// further one: nothing where lines are not numbered.
func numbering(b *record.Batch) (line, step int64) { return b.Line, min(b.Line, 1) }

// lineEnd returns where the line that begins at data[i] ends: at its newline,
// or with data.
func lineEnd(data []byte, i int) int {
	if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(data)
}

// A csvFramer has a record a line, except that newlines within quotes are part
// of a field (RFC 4180). A quote opens at the start of a field only, so that a
// stray one within a field swallows nothing.
type csvFramer struct {
	separator byte
	maxRecord int
}

func (f csvFramer) Cut(data []byte) int {
	if bytes.IndexByte(data, '"') < 0 {
		return bytes.LastIndexByte(data, '\n') + 1
	}
	whole := 0
	for {
		end := csvEnd(data, whole, f.separator)
		if end == len(data) {
			return whole
		}
		whole = end + 1
	}
}

func (f csvFramer) Frame(b *record.Batch) {
	line, step := numbering(b)
	for off := 0; off < len(b.Data); {
		end := csvEnd(b.Data, off, f.separator)
		appendRecord(b, off, end, line, f.maxRecord)
		if step > 0 {
			line += 1 + int64(bytes.Count(b.Data[off:end], newline))
		}
		off = end + 1
	}
}

var newline = []byte{'\n'}

// csvEnd returns where the CSV record that begins at data[i] ends: at its
// newline, or with data where it has none outside of quotes.
func csvEnd(data []byte, i int, separator byte) int {
	for {
		end := lineEnd(data, i)
		i = openQuote(data[:end], i, separator)
		if i < 0 {
			return end
		}
		if i = closingQuote(data, i); i < 0 {
			return len(data)
		}
		i++
	}
}

// openQuote returns the index behind the first quote from line[i] on that
// opens a field, -1 where none does. What is before line[i] is the end of a
// field in quotes, or of a record.
func openQuote(line []byte, i int, separator byte) int {
	for from := i; ; {
		n := bytes.IndexByte(line[from:], '"')
		if n < 0 {
			return -1
		}
		from += n + 1
		if q := from - 1; q == 0 || line[q-1] == separator || line[q-1] == '\n' {
			return from
		}
	}
}

// closingQuote returns the index of the quote that closes the field whose
// inside begins at data[i], -1 where there is none. Two quotes are one of the
// field's own.
func closingQuote(data []byte, i int) int {
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		if i+1 == len(data) || data[i+1] != '"' {
			return i
		}
		i += 2
	}
}

// A multiFramer joins lines: a record begins with a line that matches start.
// Lines before the first such line are records of their own up to it. The last
// record of a stream is whole only when the next one begins, or at the end.
type multiFramer struct {
	start     *regexp.Regexp
	maxRecord int
}

func (f multiFramer) Cut(data []byte) int {
	for end := bytes.LastIndexByte(data, '\n'); end >= 0; {
		begin := bytes.LastIndexByte(data[:end], '\n') + 1
		if begin == 0 {
			return 0
		}
		if f.starts(data[begin:end]) {
			return begin
		}
		end = begin - 1
	}
	return 0
}

func (f multiFramer) Frame(b *record.Batch) {
	number, step := numbering(b)
	first, begin := number, 0
	for off := 0; off < len(b.Data); {
		if off > 0 && f.starts(b.Data[off:lineEnd(b.Data, off)]) {
			appendRecord(b, begin, off-1, first, f.maxRecord)
			first, begin = number, off
		}
		off = lineEnd(b.Data, off) + 1
		number += step
	}
	if len(b.Data) > 0 {
		appendRecord(b, begin, len(bytes.TrimSuffix(b.Data, newline)), first, f.maxRecord)
	}
}

func (f multiFramer) starts(line []byte) bool {
	return f.start.Match(bytes.TrimSuffix(line, []byte{'\r'}))
}
