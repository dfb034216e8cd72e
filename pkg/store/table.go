package store

import (
	"bytes"
	"context"
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
	key     string      // what makes a row unique, by an index; "" where that is not looked at
	width   int         // arguments of a row: its offset and part, the fields, the rest
	batches []insertion // statements, those for more rows first
	extra   []byte      // the _extra column of the row under way
}

// An insertion is a statement for a fixed number of rows.
type insertion struct {
	rows int
	*stmt
}

// originArguments are those that the rows of a statement have in common: the topic
// and the partition.
const originArguments = 2

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
	t.width = len(t.origin) - originArguments + len(t.shape.Names) + 1
	t.whole = len(t.origin) == 3 && len(s.opt.Unique) == 0
	if err := s.openKey(ctx, t); err != nil {
		return nil, err
	}
	for _, n := range []int{min(64, maxVariables/t.width), 8, 1} {
		statement, err := s.c.prepare(s.sql(t, n))
		if err != nil {
			return nil, s.failed("writing to", err)
		}
		t.batches = append(t.batches, insertion{n, statement})
	}
	return t, nil
}

// values returns those of one row, whose own arguments begin at a number.
func (t *rowTable) values(first int) string {
	row := []byte("(?1,?2")
	for i := range t.width {
		row = strconv.AppendInt(append(row, ",?"...), int64(first+i), 10)
	}
	return string(append(row, ')'))
}

// insert writes the live rows, as many as possible with each statement.
func (t *rowTable) insert(rows record.Rows) error {
	left, err := table.Live(rows, t.whole)
	if err != nil {
		return err
	}
	at := rows.Lo
	for _, ins := range t.batches {
		for ; left >= ins.rows; left -= ins.rows {
			setOrigin(ins.stmt, 1, rows.Origin)
			next := originArguments + 1
			for k := 0; k < ins.rows; at++ {
				if rows.Recs[at].Live() {
					t.setRow(ins.stmt, next, rows.Batch, at)
					next += t.width
					k++
				}
			}
			if err := ins.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}

// setOrigin sets arguments n and n+1, which the rows of an origin have in common.
func setOrigin(s *stmt, n int, o *record.Origin) {
	if o == nil {
		s.setNull(n)
		s.setNull(n + 1)
		return
	}
	s.setText(n, unsafe.Slice(unsafe.StringData(o.Source), len(o.Source)))
	s.setInt(n+1, int64(o.Partition))
}

// setRow sets the arguments of record i, from number n on.
func (t *rowTable) setRow(s *stmt, n int, b *record.Batch, i int) {
	if o := b.Origin; o != nil && table.HasPlace(o) {
		s.setInt(n, b.Recs[i].Offset)
	} else {
		s.setNull(n)
	}
	n++
	if len(t.origin) > 3 {
		s.setInt(n, int64(b.Recs[i].Part))
		n++
	}
	t.shape.Row(b, i)
	for _, v := range t.shape.Cells {
		setValue(s, n, b, v)
		n++
	}
	if t.extra = t.shape.AppendRest(t.extra[:0]); len(t.extra) > 0 {
		s.setText(n, t.extra)
	} else {
		s.setNull(n)
	}
}

// setValue sets an argument to a value of a record.
func setValue(s *stmt, n int, b *record.Batch, v record.Value) {
	switch v.Kind() {
	case record.Missing:
		s.setNull(n)
	case record.True:
		s.setInt(n, 1)
	case record.False:
		s.setInt(n, 0)
	case record.Number:
		raw := b.Raw(v)
		if i, ok := integer(raw); ok {
			s.setInt(n, i)
		} else if f, ok := b.Num(v); ok && f-f == 0 {
			s.setFloat(n, f)
		} else {
			s.setText(n, raw)
		}
	default:
		s.setText(n, b.Text(v))
	}
}

// integer returns a number that is whole and written so.
func integer(raw []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(raw, minus)
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) == 19 {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return n, err == nil
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}

var minus = []byte{'-'}

func (t *rowTable) close() {
	for _, ins := range t.batches {
		ins.Close()
	}
}
