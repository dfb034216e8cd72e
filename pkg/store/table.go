package store

import (
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
	"github.com/logctl/logctl/pkg/table"
)

const maxVariables = 32_000 // of one statement; SQLite's limit is 32,766

// limits are those of the tables that a sink makes.
var limits = table.Limits{Fields: 500}

// A rowTable takes rows.
type rowTable struct {
	shape   *table.Shape
	origin  []string    // the columns that say where a row came from
	whole   bool        // these are the key, and know no parts of a record
	width   int         // arguments of a row: those of its origin, the fields, the rest
	batches []insertion // statements, those for more rows first
	extras  []byte      // the _extra columns of all rows of the statement under way
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
	fields := table.Fields(rows, s.opt.Unique, limits)
	if len(fields) == 0 {
		return nil
	}
	var sql strings.Builder
	fmt.Fprintf(&sql, "CREATE TABLE %s (%s TEXT, %s INTEGER, %s INTEGER",
		quote(s.name), table.Topic, table.Partition, table.Offset)
	if rows.Origin != nil && codec.Splits(rows.Origin.Format) {
		fmt.Fprintf(&sql, ", %s INTEGER", table.Part)
	}
	for _, c := range fields {
		fmt.Fprintf(&sql, ", %s %s", quote(c.Name), c.Kind)
	}
	fmt.Fprintf(&sql, ", %s %s)", table.Extra, table.JSON)
	if _, err := exec(ctx, s.c, sql.String()); err != nil {
		return s.failed("creating", err)
	}
	return s.findTable(ctx)
}

// openTable prepares the statements for a table with the given columns.
func (s *Sink) openTable(ctx context.Context, columns []table.Column) (*rowTable, error) {
	t := &rowTable{origin: []string{table.Topic, table.Partition, table.Offset}}
	var names []string
	missing := []string{table.Topic, table.Partition, table.Offset, table.Extra}
	for _, c := range columns {
		if c.Name == table.Part {
			t.origin = append(t.origin, table.Part)
			continue
		}
		if i := slices.Index(missing, c.Name); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			continue
		}
		names = append(names, c.Name)
	}
	if len(missing) > 0 {
		err := fmt.Errorf("it was not made by logctl: it has no column %s", missing[0])
		return nil, fault.Hint(s.failed("writing to", err), "name another table, as in sqlite:"+s.path+"#events")
	}
	t.shape = table.NewShape(names)
	for _, name := range s.opt.Unique {
		if t.shape.Column(name) < 0 {
			return nil, s.failed("writing to", fmt.Errorf("it has no column %q to be unique", name))
		}
	}
	t.width = len(t.origin) + len(t.shape.Names) + 1
	t.whole = len(t.origin) == 3 && len(s.opt.Unique) == 0
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
func (s *Sink) uniqueKey(t *rowTable) string {
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
func (t *rowTable) sql(name, key string, n int) string {
	columns := slices.Clone(t.origin)
	for _, f := range t.shape.Names {
		columns = append(columns, quote(f))
	}
	columns = append(columns, table.Extra)
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + "=excluded." + c
	}
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", quote(name),
		strings.Join(columns, ","), strings.Repeat(row+",", n-1)+row, key, strings.Join(set, ","))
}

// insert writes the live rows, as many as possible with each statement.
func (t *rowTable) insert(ctx context.Context, rows record.Rows) error {
	left, err := table.Live(rows, t.whole)
	if err != nil {
		return err
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
func (t *rowTable) row(args []driver.NamedValue, b *record.Batch, i int) {
	for k := range len(t.origin) {
		args[k].Value = nil
	}
	if o := b.Origin; o != nil {
		args[0].Value, args[1].Value = o.Source, int64(o.Partition)
		if table.HasPlace(o) {
			args[2].Value = b.Recs[i].Offset
		}
	}
	if len(t.origin) > 3 {
		args[3].Value = int64(b.Recs[i].Part)
	}
	t.shape.Row(b, i)
	for k, v := range t.shape.Cells {
		args[len(t.origin)+k].Value = valueOf(b, v)
	}
	last := &args[len(args)-1]
	last.Value = nil
	start := len(t.extras)
	if t.extras = t.shape.AppendRest(t.extras); len(t.extras) > start {
		last.Value = view(t.extras[start:])
	}
}

// valueOf returns the value that SQLite is given.
func valueOf(b *record.Batch, v record.Value) driver.Value {
	switch v.Kind() {
	case record.Missing:
		return nil
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

func (t *rowTable) close() error {
	var errs []error
	for _, ins := range t.batches {
		errs = append(errs, ins.statement.(driver.Stmt).Close())
	}
	return errors.Join(errs...)
}
