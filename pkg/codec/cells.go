package codec

import (
	"bytes"
	"fmt"

	"github.com/logctl/logctl/pkg/record"
)

// textColumn is the column of records that are no JSON objects.
const textColumn = "message"

// cells are the fields of a record in the order of columns. These are given,
// or the keys of the first record. A value under a key that comes up later has
// no column: it is counted.
type cells struct {
	columns []string
	given   bool           // columns are paths that somebody named
	index   map[string]int // the first column of each name
	values  []record.Value // of the record at hand, by column

	lost      int64  // values that had no column
	firstLost string // the key of the first of them
}

func newCells(columns []string) cells {
	c := cells{given: len(columns) > 0, index: map[string]int{}}
	for _, name := range columns {
		c.add(name)
	}
	return c
}

// read finds the cells of record i.
func (c *cells) read(b *record.Batch, i int) {
	clear(c.values)
	s := b.Recs[i].Value
	if !isJSON(b.Bytes(s)) {
		c.put(0, []byte(textColumn), record.NewValue(record.String, int(s.Off), int(s.Len)))
		return
	}
	if c.given {
		for k, path := range c.columns {
			c.values[k] = Lookup(b, s, path)
		}
		return
	}
	learn := len(c.columns) == 0
	var m Members
	m.Reset(b, s)
	for k := 0; ; k++ {
		key, v, ok := m.Next()
		if !ok {
			return
		}
		if learn && c.find(k, key) < 0 {
			c.add(string(key))
		}
		c.put(k, key, v)
	}
}

// put puts the member with the given key into its cell. Of two with one key
// the first counts. near is where its column probably is.
func (c *cells) put(near int, key []byte, v record.Value) {
	if len(c.columns) == 0 {
		c.add(string(key))
	}
	switch k := c.find(near, key); {
	case k >= 0 && c.values[k] == 0:
		c.values[k] = v
	case k < 0 && v.Kind() != record.Missing:
		if c.lost == 0 {
			c.firstLost = string(key)
		}
		c.lost++
	}
}

func (c *cells) find(near int, key []byte) int {
	if near < len(c.columns) && c.columns[near] == string(key) {
		return near
	}
	if k, ok := c.index[string(key)]; ok {
		return k
	}
	return -1
}

// add adds a column.
func (c *cells) add(name string) {
	if _, known := c.index[name]; !known {
		c.index[name] = len(c.columns)
	}
	c.columns = append(c.columns, name)
	c.values = append(c.values, 0)
}

// Note says what had no column.
func (c *cells) Note() string {
	if c.lost == 0 {
		return ""
	}
	return fmt.Sprintf("%d values had no column, the first under %q: the first record fixes the columns, "+
		"or --select names them", c.lost, c.firstLost)
}

// A listEncoder writes a header line with the columns, and a line a record.
type listEncoder struct {
	cells
	separator byte
	field     func(dst, text []byte) []byte
	begun     bool // the header is written
	text      []byte
}

func (e *listEncoder) Append(dst []byte, rows record.Rows) []byte {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		e.read(rows.Batch, i)
		dst = e.header(dst)
		for k, v := range e.values {
			if k > 0 {
				dst = append(dst, e.separator)
			}
			e.text = appendCell(e.text[:0], rows.Batch, v)
			if v.Kind() == record.String || v.Kind() == record.Escaped {
				dst = e.field(dst, e.text)
				continue
			}
			dst = e.fieldUnlessEmpty(dst)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// fieldUnlessEmpty appends e.text; a missing value is nothing at all.
func (e *listEncoder) fieldUnlessEmpty(dst []byte) []byte {
	if len(e.text) == 0 && len(e.values) > 1 {
		return dst
	}
	return e.field(dst, e.text)
}

func (e *listEncoder) header(dst []byte) []byte {
	if e.begun {
		return dst
	}
	e.begun = true
	for k, name := range e.columns {
		if k > 0 {
			dst = append(dst, e.separator)
		}
		dst = e.field(dst, []byte(name))
	}
	return append(dst, '\n')
}

// Settle appends nothing: no record is held back.
func (e *listEncoder) Settle(dst []byte) []byte { return dst }

// Finish appends the header line of columns that were given and no record had.
func (e *listEncoder) Finish(dst []byte) []byte {
	if !e.given {
		return dst
	}
	return e.header(dst)
}

// appendCell appends the text of a value, unescaped; nothing where it is
// missing, JSON where it is nested.
func appendCell(dst []byte, b *record.Batch, v record.Value) []byte {
	switch v.Kind() {
	case record.Missing:
		return dst
	case record.Escaped:
		return record.AppendUnescaped(dst, b.Raw(v))
	case record.String:
		return append(dst, b.Raw(v)...)
	default:
		return b.AppendJSON(dst, v)
	}
}

// appendCSVField appends a field of RFC 4180. Empty text is in quotes, so that
// it differs from a missing value; so is what begins or ends with white space.
func appendCSVField(dst, text []byte) []byte {
	if len(text) > 0 && !bytes.ContainsAny(text, ",\"\r\n") && text[0] > ' ' && text[len(text)-1] > ' ' {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// appendTSVField appends a field with the escapes that tsv reads.
func appendTSVField(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '\t':
			dst = append(dst, `\t`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\\':
			dst = append(dst, `\\`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
