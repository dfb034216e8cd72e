package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// A Span is the offsets of a partition from From to before To.
type Span struct {
	Source    string
	Partition int32
	From, To  int64
}

// A Comparison finds how the rows of a table differ from the records that they are
// made of. It is a stream.Sink for the records; Compare follows, then what asks for
// the differences. A record is known by where it came from, or by a field.
//
// Both sides go into a database on disk that is gone with the process: memory stays
// bounded whatever their number. It is for one goroutine, except Lacks.
type Comparison struct {
	c      *conn
	from   RowSource // of rows that are copied; nil for those of a database of SQLite
	what   string    // is compared with, in messages
	name   string    // of the table
	field  string    // that names records, "" where their place does
	column int       // of the field in the plan

	named   table.Column // the column of the field; without a name where it is in _extra
	parts   bool         // rows of one record are told apart by number
	batches []insertion
	writing bool // in a transaction
	lacks   lookup
}

// seenWidth is the arguments of a record: topic, partition, offset, part, id.
const seenWidth = 5

// OpenComparison compares with a table of the database at path. Field is the name of
// the one that names records, and column its place in the plan; "" for none.
func OpenComparison(ctx context.Context, path, name, field string, column int) (*Comparison, error) {
	if name == "" {
		name = table.Default
	}
	c, err := beside(ctx, path)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("table %q of sqlite %q", name, path)
	r := &Comparison{c: c, what: what, name: name, field: field, column: column}
	if err := r.begin(ctx); err != nil {
		return nil, errors.Join(r.failed(err), c.Close())
	}
	return r, nil
}

// UniqueFields returns the fields by which the rows of a table are unique; none
// where the place of their records makes them so.
func UniqueFields(ctx context.Context, path, name string) (fields []string, err error) {
	if name == "" {
		name = table.Default
	}
	c, err := beside(ctx, path)
	if err != nil {
		return nil, err
	}
	err = query(ctx, c, "SELECT name FROM pragma_index_list(?, 'sink') WHERE \"unique\"", func(row []any) {
		if by, ok := strings.CutPrefix(text(row[0]), name+" by "); ok && by != "" {
			fields = strings.Split(by, ",")
		}
	}, name)
	return fields, errors.Join(err, c.Close())
}

// beside opens a database without a name, with the one at path attached as "sink".
func beside(ctx context.Context, path string) (*conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening sqlite %q: %w", path, errors.Unwrap(err))
	}
	c, err := openScratch(ctx)
	if err != nil {
		return nil, err
	}
	if err := exec(ctx, c, "ATTACH ? AS sink", path); err != nil {
		return nil, errors.Join(opening(path, err), c.Close())
	}
	return c, nil
}

func (r *Comparison) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("comparing with %s: %w", r.what, err)
}

// begin makes the tables of both sides and of what they differ in.
func (r *Comparison) begin(ctx context.Context) error {
	if err := r.find(ctx); err != nil {
		return err
	}
	side := "(topic TEXT, partition INTEGER, offset INTEGER, part INTEGER, id " + r.named.Kind
	say := r.words()
	err := r.execAll(ctx,
		"CREATE TABLE span (topic TEXT, partition INTEGER, lo INTEGER, hi INTEGER, PRIMARY KEY (topic, partition))",
		"CREATE TABLE pos (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition))",
		"CREATE TABLE seen "+side+")", "CREATE TABLE have "+side+", inside INTEGER)",
		"CREATE TABLE odd "+side+")", "CREATE TABLE seen_odd "+side+")", "CREATE TABLE have_odd "+side+", inside INTEGER)",
		say("CREATE INDEX odd_name ON odd ($key)"),
		say("CREATE INDEX seen_odd_name ON seen_odd ($key)"), say("CREATE INDEX have_odd_name ON have_odd ($key)"),
		"CREATE TABLE diff (kind TEXT, id "+r.named.Kind+", topic TEXT, partition INTEGER, offset INTEGER, rows INTEGER)",
		"CREATE INDEX diff_place ON diff (topic, partition, offset)", "BEGIN")
	if err != nil {
		return err
	}
	r.writing = true
	for _, n := range []int{256, 16, 1} {
		row := "(?" + strings.Repeat(",?", seenWidth-1) + ")"
		st, err := r.c.prepare("INSERT INTO seen VALUES " + row + strings.Repeat(","+row, n-1))
		if err != nil {
			return err
		}
		r.batches = append(r.batches, insertion{n, st})
	}
	return nil
}

// find finds the columns of the table.
func (r *Comparison) find(ctx context.Context) error {
	var columns []string
	err := query(ctx, r.c, "SELECT name, type FROM pragma_table_info(?, 'sink')", func(row []any) {
		columns = append(columns, text(row[0]))
		if text(row[0]) == r.field {
			r.named = table.Column{Name: r.field, Kind: text(row[1])}
		}
	}, r.name)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return errors.New("there is no such table")
	}
	for _, want := range []string{table.Topic, table.Partition, table.Offset, table.Extra} {
		if !slices.Contains(columns, want) {
			return fmt.Errorf("it was not made by logctl: it has no column %s", want)
		}
	}
	r.parts = slices.Contains(columns, table.Part)
	return nil
}

func (r *Comparison) execAll(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if err := exec(ctx, r.c, sql); err != nil {
			return err
		}
	}
	return nil
}

// An insertion is a statement for a fixed number of rows.
type insertion struct {
	rows int
	*stmt
}

// Write takes the live ones of rows as records that the table should have.
func (r *Comparison) Write(rows record.Rows) error {
	if rows.Origin == nil || !rows.Origin.Topic {
		return fault.Usagef("as in kafka:app-logs", "what is no topic cannot be compared")
	}
	left, err := table.Live(rows, !r.parts)
	if err != nil {
		return r.failed(err)
	}
	at := rows.Lo
	for _, ins := range r.batches {
		for ; left >= ins.rows; left -= ins.rows {
			next := 1
			for k := 0; k < ins.rows; at++ {
				if rows.Recs[at].Live() {
					r.setRecord(ins.stmt, next, rows.Batch, at)
					next += seenWidth
					k++
				}
			}
			if err := ins.finish(); err != nil {
				return r.failed(err)
			}
		}
	}
	return nil
}

// setRecord sets the arguments of record i, from number n on.
func (r *Comparison) setRecord(s *stmt, n int, b *record.Batch, i int) {
	setOrigin(s, n, b.Origin)
	s.setInt(n+2, b.Recs[i].Offset)
	s.setInt(n+3, int64(b.Recs[i].Part))
	if r.field == "" {
		s.setNull(n + 4)
		return
	}
	setValue(s, n+4, b, b.At(r.column, i))
}

// Close forgets the comparison.
func (r *Comparison) Close() error {
	for _, ins := range r.batches {
		ins.Close()
	}
	if r.lacks.statement != nil {
		r.lacks.statement.Close()
	}
	return r.c.Close()
}
