// Package table turns records into rows of a database table: it says which columns a
// table has, and which fields go into which column. All databases share it, so that a
// table has the same meaning in each of them.
package table

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// Default is the name of the table if none is given.
const Default = "logs"

// The columns that every table of logctl has besides the fields: where the row
// came from, and the fields that are no columns.
const (
	Topic     = "_topic"
	Partition = "_partition"
	Offset    = "_offset"
	Part      = "_part" // where several rows are from one record: which it is
	Extra     = "_extra"
	Text      = "value" // a record that is no JSON object
)

// The kinds of columns, by the first value of a field. Where there was none but
// null, the kind is "".
const (
	Boolean = "BOOLEAN"
	Integer = "INTEGER"
	Real    = "REAL"
	String  = "TEXT"
	JSON    = "JSON_TEXT" // an object or an array
)

const firstRows = 100 // records whose fields become columns

// A Column of a table, with its kind or with the name of its type in a database.
type Column struct{ Name, Kind string }

// Limits are the limits of a database.
type Limits struct {
	Fields   int      // columns of fields that a table is made with
	Name     int      // bytes of a name; 0 is no limit
	Reserved []string // names that the database has for itself
}

// Fields returns the columns of a table that is made for rows: their fields in order of
// appearance, then those of unique that are not among them. Names that differ only in
// case are one column in SQL, which has the first of the names. It returns none if no
// row is live or has a field.
func Fields(rows record.Rows, unique []string, limits Limits) []Column {
	f := fields{limits: limits, taken: map[string]int{}}
	for _, name := range slices.Concat([]string{Topic, Partition, Offset, Part, Extra}, limits.Reserved) {
		f.taken[name] = -1
	}
	f.addAll(rows)
	if len(f.columns) == 0 {
		return nil
	}
	for _, name := range unique {
		if !slices.ContainsFunc(f.columns, func(c Column) bool { return c.Name == name }) {
			f.columns = append(f.columns, Column{name, ""})
		}
	}
	return f.columns
}

// fields are the columns that were found so far.
type fields struct {
	limits  Limits
	columns []Column
	taken   map[string]int // lower-case names: the column, -1 for what is reserved
}

func (f *fields) addAll(rows record.Rows) {
	var m codec.Members
	for i, n := rows.Lo, 0; i < rows.Hi && n < firstRows; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		n++
		if !isObject(rows.Value(i)) {
			f.add(Text, String)
			continue
		}
		m.Reset(rows.Batch, rec.Value)
		for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
			f.add(string(key), kindOf(rows.Batch, v))
		}
	}
}

func (f *fields) add(name, kind string) {
	lower := strings.ToLower(name)
	i, ok := f.taken[lower]
	tooLong := f.limits.Name > 0 && len(name) > f.limits.Name
	switch {
	case ok && i >= 0 && f.columns[i].Kind == "":
		f.columns[i].Kind = kind
	case ok || name == "" || tooLong || strings.ContainsRune(name, 0) || len(f.columns) == f.limits.Fields:
	default:
		f.taken[lower] = len(f.columns)
		f.columns = append(f.columns, Column{name, kind})
	}
}

func isObject(value []byte) bool {
	value = bytes.TrimLeft(value, " \t\r")
	return len(value) > 0 && value[0] == '{'
}

func kindOf(b *record.Batch, v record.Value) string {
	switch v.Kind() {
	case record.True, record.False:
		return Boolean
	case record.Number:
		if bytes.ContainsAny(b.Raw(v), ".eE") {
			return Real
		}
		return Integer
	case record.Object, record.Array:
		return JSON
	case record.Missing:
		return ""
	default:
		return String
	}
}

// Divide separates the columns of fields from those that logctl gives every table: the
// origin of a row, and Extra. If one of these is missing, it returns its name.
func Divide(columns []Column) (origin []string, fields []Column, missing string) {
	origin = []string{Topic, Partition, Offset}
	wanted := append(slices.Clone(origin), Extra)
	for _, c := range columns {
		if c.Name == Part {
			origin = append(origin, Part)
		} else if i := slices.Index(wanted, c.Name); i >= 0 {
			wanted = slices.Delete(wanted, i, i+1)
		} else {
			fields = append(fields, c)
		}
	}
	if len(wanted) > 0 {
		missing = wanted[0]
	}
	return origin, fields, missing
}

// ComesOnce reports whether an origin is a pipe, which cannot be read again.
func ComesOnce(o *record.Origin) bool { return !o.Topic && (o.Partition == 0 || o.Source == "stdin") }

// HasPlace reports whether the offsets of an origin mean the same in the next run, so
// that they identify rows.
func HasPlace(o *record.Origin) bool { return !ComesOnce(o) || o.Partition != 0 }

// ErrParts is returned for records that would replace each other.
var ErrParts = errors.New("it was made for records that are one at an offset, and has no column " + Part)

// Live counts the live rows. If rows are identified by their offset alone (whole), it
// returns ErrParts for a record that is one of several at an offset.
func Live(rows record.Rows, whole bool) (n int, err error) {
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		n++
		if rows.Recs[i].Part > 0 && whole {
			return 0, ErrParts
		}
	}
	return n, nil
}

// A Namer names records; records of the same name within a time are duplicates. See
// transform.Once.
type Namer interface {
	// Name returns the name of record i and the time by which it counts; false
	// for a record that is like no other.
	Name(b *record.Batch, i int) (name [16]byte, at int64, ok bool)
}

// A Shape puts the fields of a record into columns.
type Shape struct {
	Names []string       // of the columns of fields
	Cells []record.Value // of the row under way, as Names; Missing where it has none

	starts []string       // of the members that are columns, as Names: the key as it is written as a rule
	column map[string]int // by name
	text   int            // the column of what is no object, -1 where there is none
	extra  []byte
}

// NewShape returns a shape for columns of the given names.
func NewShape(names []string) *Shape {
	s := &Shape{Names: names, Cells: make([]record.Value, len(names)), column: map[string]int{}, text: -1}
	for i, name := range names {
		s.column[name] = i
		s.starts = append(s.starts, string(append(record.AppendQuoted(nil, []byte(name)), ':')))
	}
	if i, ok := s.column[Text]; ok {
		s.text = i
	}
	return s
}

// Column returns the number of a column, -1 if there is none of that name.
func (s *Shape) Column(name string) int {
	if i, ok := s.column[name]; ok {
		return i
	}
	return -1
}

// Row begins a row: it sets Cells and Rest to the fields of record i. A tombstone has
// none.
func (s *Shape) Row(b *record.Batch, i int) {
	clear(s.Cells)
	s.extra = s.extra[:0]
	rec := &b.Recs[i]
	switch {
	case rec.Flags&record.Tombstone != 0:
	case !isObject(b.Value(i)):
		s.set(b, []byte(Text), record.NewValue(record.String, int(rec.Value.Off), int(rec.Value.Len)), s.text)
	default:
		s.members(b, rec.Value)
	}
}

// members sets the fields of an object. Of a key that stands twice the first
// value counts.
func (s *Shape) members(b *record.Batch, object record.Span) {
	var m codec.Members
	m.Reset(b, object)
	next := 0 // rows are alike as a rule: the column behind the last one
	for {
		if next < len(s.starts) {
			if v, ok := m.NextAs(s.starts[next]); ok {
				s.set(b, nil, v, next)
				next++
				continue
			}
		}
		key, v, ok := m.Next()
		if !ok {
			return
		}
		k, found := s.column[string(key)]
		if !found {
			k = -1
		}
		s.set(b, key, v, k)
		next = k + 1
	}
}

// set sets column k, or adds to the fields that are no columns.
func (s *Shape) set(b *record.Batch, key []byte, v record.Value, k int) {
	switch {
	case v.Kind() == record.Missing:
	case k < 0:
		s.begin(key)
		s.extra = b.AppendJSON(s.extra, v)
	case s.Cells[k].Kind() == record.Missing:
		s.Cells[k] = v
	}
}

func (s *Shape) begin(key []byte) {
	s.extra = append(s.extra, ",{"[boolIndex(len(s.extra) == 0)])
	s.extra = record.AppendQuoted(s.extra, key)
	s.extra = append(s.extra, ':')
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Misfit moves a cell that its column cannot hold to the rest.
func (s *Shape) Misfit(b *record.Batch, k int) {
	s.begin([]byte(s.Names[k]))
	s.extra = b.AppendJSON(s.extra, s.Cells[k])
	s.Cells[k] = record.Value(record.Missing)
}

// AppendRest appends the fields that have no column as a JSON object, or nothing if
// there are none.
func (s *Shape) AppendRest(dst []byte) []byte {
	if len(s.extra) == 0 {
		return dst
	}
	return append(append(dst, s.extra...), '}')
}
