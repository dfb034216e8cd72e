package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

const (
	maxFields    = 500    // columns of fields that a table is made with
	maxVariables = 32_000 // of one statement; SQLite's limit is 32,766
	firstRows    = 100    // records whose fields become columns
)

// The types of columns beyond those of SQLite: what is written there is read
// back as it was.
const (
	boolKind = "BOOLEAN"
	jsonKind = "JSON_TEXT"
)

// A table takes rows.
type table struct {
	fields  []string       // columns of fields, in order
	column  map[string]int // by name
	text    int            // the column of what is no object, -1 where there is none
	origin  []string       // the columns that say where a row came from
	whole   bool           // these are the key, and know no parts of a record
	width   int            // arguments of a row: those of its origin, the fields, the rest
	batches []insertion    // statements, those for more rows first
	extra   []byte         // the _extra column of the row under way
	extras  []byte         // those of all rows of the statement under way
	isSet   []bool         // fields of the row under way
}

// An insertion is a statement for a fixed number of rows.
type insertion struct {
	rows      int
	statement driver.StmtExecContext
	args      []driver.NamedValue
}

// createTable makes the table of the fields that the first rows have, if one of
// them is live and has any.
func (s *Sink) createTable(ctx context.Context, rows record.Rows) error {
	fields := fieldsOf(rows)
	if len(fields) == 0 {
		return nil
	}
	for _, name := range s.opt.Unique {
		if !slices.ContainsFunc(fields, func(c column) bool { return c.name == name }) {
			fields = append(fields, column{name, ""})
		}
	}
	var sql strings.Builder
	fmt.Fprintf(&sql, "CREATE TABLE %s (%s TEXT, %s INTEGER, %s INTEGER",
		quote(s.name), topicColumn, partitionColumn, offsetColumn)
	if rows.Origin != nil && codec.Splits(rows.Origin.Format) {
		fmt.Fprintf(&sql, ", %s INTEGER", partColumn)
	}
	for _, c := range fields {
		fmt.Fprintf(&sql, ", %s %s", quote(c.name), c.kind)
	}
	fmt.Fprintf(&sql, ", %s %s)", extraColumn, jsonKind)
	if _, err := exec(ctx, s.c, sql.String()); err != nil {
		return s.failed("creating", err)
	}
	return s.findTable(ctx)
}

// fieldsOf returns the fields of the first rows in the order in which they
// come, with the type of the first value. Names that differ only in case are
// one column in SQL: the first has it.
func fieldsOf(rows record.Rows) []column {
	var fields []column
	taken := map[string]int{topicColumn: -1, partitionColumn: -1, offsetColumn: -1, partColumn: -1, extraColumn: -1}
	add := func(name string, kind string) {
		lower := strings.ToLower(name)
		i, ok := taken[lower]
		switch {
		case ok && i >= 0 && fields[i].kind == "":
			fields[i].kind = kind
		case ok || name == "" || strings.ContainsRune(name, 0) || len(fields) == maxFields:
		default:
			taken[lower] = len(fields)
			fields = append(fields, column{name, kind})
		}
	}
	var m codec.Members
	for i, n := rows.Lo, 0; i < rows.Hi && n < firstRows; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		n++
		if !isObject(rows.Value(i)) {
			add(textColumn, "TEXT")
			continue
		}
		m.Reset(rows.Batch, rec.Value)
		for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
			add(string(key), kindOf(rows.Batch, v))
		}
	}
	return fields
}

func isObject(value []byte) bool {
	value = bytes.TrimLeft(value, " \t\r")
	return len(value) > 0 && value[0] == '{'
}

func kindOf(b *record.Batch, v record.Value) string {
	switch v.Kind() {
	case record.True, record.False:
		return boolKind
	case record.Number:
		if bytes.ContainsAny(b.Raw(v), ".eE") {
			return "REAL"
		}
		return "INTEGER"
	case record.Object, record.Array:
		return jsonKind
	case record.Missing:
		return ""
	default:
		return "TEXT"
	}
}

// openTable prepares the statements for a table with the given columns.
func (s *Sink) openTable(ctx context.Context, columns []column) (*table, error) {
	t := &table{column: map[string]int{}, text: -1, origin: []string{topicColumn, partitionColumn, offsetColumn}}
	missing := []string{topicColumn, partitionColumn, offsetColumn, extraColumn}
	for _, c := range columns {
		if c.name == partColumn {
			t.origin = append(t.origin, partColumn)
			continue
		}
		if i := slices.Index(missing, c.name); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			continue
		}
		if c.name == textColumn {
			t.text = len(t.fields)
		}
		t.column[c.name] = len(t.fields)
		t.fields = append(t.fields, c.name)
	}
	if len(missing) > 0 {
		err := fmt.Errorf("it was not made by logctl: it has no column %s", missing[0])
		return nil, fault.Hint(s.failed("writing to", err), "name another table, as in sqlite:"+s.path+"#events")
	}
	for _, name := range s.opt.Unique {
		if _, ok := t.column[name]; !ok {
			return nil, s.failed("writing to", fmt.Errorf("it has no column %q to be unique", name))
		}
	}
	t.width = len(t.origin) + len(t.fields) + 1
	t.whole = len(t.origin) == 3 && len(s.opt.Unique) == 0
	t.isSet = make([]bool, len(t.fields))
	key := s.uniqueKey(t)
	index := quote(s.name + " by " + strings.Join(s.opt.Unique, ","))
	create := fmt.Sprintf("CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s)", index, quote(s.name), key)
	if _, err := exec(ctx, s.c, create); err != nil {
		return nil, s.failed("indexing", err)
	}
	for _, n := range []int{min(256, maxVariables/t.width), 16, 1} {
		statement, err := s.c.PrepareContext(ctx, t.sql(s.name, key, n))
		if err != nil {
			return nil, s.failed("writing to", err)
		}
		ins := insertion{rows: n, statement: statement.(driver.StmtExecContext), args: make([]driver.NamedValue, n*t.width)}
		for i := range ins.args {
			ins.args[i].Ordinal = i + 1
		}
		t.batches = append(t.batches, ins)
	}
	return t, nil
}

// uniqueKey returns what is unique in a table. Of fields null is a value like
// another here, which SQL does not think of itself.
func (s *Sink) uniqueKey(t *table) string {
	if len(s.opt.Unique) == 0 {
		return strings.Join(t.origin, ", ")
	}
	var parts []string
	for _, name := range s.opt.Unique {
		parts = append(parts, quote(name)+" IS NULL", "ifnull("+quote(name)+", 0)")
	}
	return strings.Join(parts, ", ")
}

// sql returns the statement that inserts or replaces n rows.
func (t *table) sql(name, key string, n int) string {
	columns := slices.Clone(t.origin)
	for _, f := range t.fields {
		columns = append(columns, quote(f))
	}
	columns = append(columns, extraColumn)
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + "=excluded." + c
	}
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", quote(name),
		strings.Join(columns, ","), strings.Repeat(row+",", n-1)+row, key, strings.Join(set, ","))
}

// errParts refuses what would replace one another.
var errParts = errors.New("it was made for records that are one at an offset, and has no column " + partColumn)

// insert writes the live rows, as many as possible with each statement.
func (t *table) insert(ctx context.Context, rows record.Rows) error {
	left := 0
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		left++
		if rows.Recs[i].Part > 0 && t.whole {
			return errParts
		}
	}
	at := rows.Lo
	for _, ins := range t.batches {
		for ; left >= ins.rows; left -= ins.rows {
			t.extras = t.extras[:0]
			for k := 0; k < ins.rows; at++ {
				if rows.Recs[at].Live() {
					t.row(ins.args[k*t.width:(k+1)*t.width], rows.Batch, at)
					k++
				}
			}
			if _, err := ins.statement.ExecContext(ctx, ins.args); err != nil {
				return err
			}
		}
	}
	return nil
}

// row sets the arguments of record i. They point into the arena and are used
// before it changes hands.
func (t *table) row(args []driver.NamedValue, b *record.Batch, i int) {
	for k := range args {
		args[k].Value = nil
	}
	clear(t.isSet)
	rec := &b.Recs[i]
	if o := b.Origin; o != nil {
		args[0].Value, args[1].Value = o.Source, int64(o.Partition)
		if !comesOnce(o) || o.Partition != 0 {
			args[2].Value = rec.Offset
		}
	}
	if len(t.origin) > 3 {
		args[3].Value = int64(rec.Part)
	}
	fields := args[len(t.origin) : len(args)-1]
	t.extra = t.extra[:0]
	if rec.Flags&record.Tombstone != 0 {
		return
	}
	if !isObject(b.Value(i)) {
		t.set(fields, b, []byte(textColumn), record.NewValue(record.String, int(rec.Value.Off), int(rec.Value.Len)), t.text)
	} else {
		t.members(fields, b, rec.Value)
	}
	if len(t.extra) > 0 {
		start := len(t.extras)
		t.extras = append(append(t.extras, t.extra...), '}')
		args[len(args)-1].Value = view(t.extras[start:])
	}
}

// members sets the fields of an object. Of a key that stands twice the first
// value counts.
func (t *table) members(fields []driver.NamedValue, b *record.Batch, object record.Span) {
	var m codec.Members
	m.Reset(b, object)
	next := 0 // rows are alike as a rule: the column behind the last one
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		k := next
		if k >= len(t.fields) || t.fields[k] != string(key) {
			found := false
			if k, found = t.column[string(key)]; !found {
				k = -1
			}
		}
		t.set(fields, b, key, v, k)
		next = k + 1
	}
}

// set sets field k, or adds to the fields that are no columns.
func (t *table) set(fields []driver.NamedValue, b *record.Batch, key []byte, v record.Value, k int) {
	switch {
	case v.Kind() == record.Missing:
	case k < 0:
		t.extra = append(t.extra, ",{"[boolIndex(len(t.extra) == 0)])
		t.extra = record.AppendQuoted(t.extra, key)
		t.extra = append(t.extra, ':')
		t.extra = b.AppendJSON(t.extra, v)
	case !t.isSet[k]:
		t.isSet[k] = true
		fields[k].Value = valueOf(b, v)
	}
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// valueOf returns the value that SQLite is given.
func valueOf(b *record.Batch, v record.Value) driver.Value {
	switch v.Kind() {
	case record.True:
		return int64(1)
	case record.False:
		return int64(0)
	case record.Number:
		raw := view(b.Raw(v))
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return n
		}
		if f, ok := b.Num(v); ok && f-f == 0 {
			return f
		}
		return raw
	default:
		return view(b.Text(v))
	}
}

// view returns bytes as a string without copying them: for arguments that the
// driver copies before the bytes change.
func view(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

func (t *table) close() error {
	var errs []error
	for _, ins := range t.batches {
		errs = append(errs, ins.statement.(driver.Stmt).Close())
	}
	return errors.Join(errs...)
}
