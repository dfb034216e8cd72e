package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// A Source reads the rows of a table of a SQLite database as JSON objects, in
// the order of their row numbers, which are their offsets. Nulls are left out.
// Of a table that a Sink has made it gives the fields that were written
// there; text that was no object is the field "value". It is one partition, named file#table, and can be sought.
type Source struct {
	c       *conn
	path    string
	table   string
	columns []table.Column
	made    bool // by a Sink
	origin  *record.Origin
	after   int64 // the last row number that was dealt with
	rows    *stmt
	row     []any
	ended   bool // there is no further row
	pending bool // row holds one that did not fit into the last batch
	buf     []byte
}

// OpenSource opens the database at path for reading. An empty table is the only
// one that it has.
func OpenSource(ctx context.Context, path, table string) (*Source, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening sqlite %q: %w", path, errors.Unwrap(err))
	}
	c, err := openFile(ctx, path, "", sqlite3.SQLITE_OPEN_READONLY)
	if err != nil {
		return nil, err
	}
	s := &Source{c: c, path: path, table: table, after: math.MinInt64}
	if err := s.find(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	s.origin = &record.Origin{Source: path + "#" + s.table, Modified: record.NoTime, Format: "ndjson"}
	return s, nil
}

// tablesOf returns the names of the tables that are not logctl's own.
func tablesOf(ctx context.Context, c *conn) (tables []string, err error) {
	err = query(ctx, c, `SELECT name FROM sqlite_schema WHERE type = 'table'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_logctl\_%' ESCAPE '\' ORDER BY name`,
		func(row []any) { tables = append(tables, text(row[0])) })
	return tables, err
}

func noTable(path, table string, tables []string) error {
	return fault.Hint(fmt.Errorf("sqlite %q has no table %q", path, table), fault.DidYouMean(table, tables))
}

// find finds the table and its columns.
func (s *Source) find(ctx context.Context) error {
	tables, err := tablesOf(ctx, s.c)
	if err != nil {
		return opening(s.path, err)
	}
	if s.table == "" && len(tables) == 1 {
		s.table = tables[0]
	}
	if s.table == "" {
		return fault.Usagef(fmt.Sprintf("as in sqlite:%s#%s", s.path, strings.Join(tables, " or #")),
			"sqlite %q has %d tables: want the name of one", s.path, len(tables))
	}
	if !slices.Contains(tables, s.table) {
		return noTable(s.path, s.table, tables)
	}
	s.columns, err = columnsOf(ctx, s.c, s.table)
	own := 0
	for _, c := range s.columns {
		if slices.Contains([]string{table.Topic, table.Partition, table.Offset, table.Extra}, c.Name) {
			own++
		}
	}
	s.made = own == 4
	return err
}

// Seek has the source begin behind the rows that an earlier run has dealt with.
func (s *Source) Seek(at []stream.Position) error {
	for _, p := range at {
		if p.Source == s.origin.Source {
			s.after = p.Next - 1
		}
	}
	return nil
}

// Read fills b with the next rows.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.rows == nil {
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("reading table %q of sqlite %q: %w", s.table, s.path, err)
		}
	}
	b.Origin, b.Arrived = s.origin, time.Now().UnixNano()
	for ctx.Err() == nil {
		if !s.pending {
			switch err := s.next(); {
			case err == io.EOF && len(b.Recs) == 0:
				return io.EOF
			case err == io.EOF:
				b.AtEnd = true
				return nil
			case err != nil:
				return fmt.Errorf("reading table %q of sqlite %q: %w", s.table, s.path, err)
			}
			s.encode()
		}
		s.pending = len(b.Recs) > 0 && len(b.Data)+len(s.buf)+1 > cap(b.Data)
		if s.pending {
			return nil
		}
		rowid, _ := s.row[0].(int64)
		b.Add(s.buf).Offset = rowid
		b.Next = rowid + 1
	}
	if len(b.Recs) == 0 {
		return context.Cause(ctx)
	}
	return nil
}

func (s *Source) start(ctx context.Context) error {
	var sql strings.Builder
	sql.WriteString("SELECT rowid")
	for _, c := range s.columns {
		sql.WriteString(", " + quote(c.Name))
	}
	fmt.Fprintf(&sql, " FROM %s WHERE rowid > ? ORDER BY rowid", quote(s.table))
	rows, err := s.c.prepare(sql.String())
	if err != nil {
		return err
	}
	if err := rows.begin(context.WithoutCancel(ctx), s.after); err != nil {
		return err
	}
	s.rows, s.row = rows, make([]any, len(s.columns)+1)
	return nil
}

// next fetches a row. SQLite would begin anew behind the last one.
func (s *Source) next() error {
	if s.ended {
		return io.EOF
	}
	err := s.rows.next(s.row)
	s.ended = err == io.EOF
	return err
}

// encode writes the row under way into buf, as an object.
func (s *Source) encode() {
	s.buf = append(s.buf[:0], '{')
	for i, c := range s.columns {
		v := s.row[i+1]
		if v == nil || s.made && slices.Contains(originColumns, c.Name) {
			continue
		}
		if s.made && c.Name == table.Extra {
			s.comma()
			extra := text(v)
			s.buf = append(s.buf, extra[1:len(extra)-1]...)
			continue
		}
		s.comma()
		s.buf = record.AppendQuoted(s.buf, c.Name)
		s.buf = append(s.buf, ':')
		s.buf = appendValue(s.buf, v, c.Kind)
	}
	s.buf = append(s.buf, '}')
}

func (s *Source) comma() {
	if len(s.buf) > 1 {
		s.buf = append(s.buf, ',')
	}
}

// appendValue writes a value of a column that was declared with the given type.
func appendValue(dst []byte, v any, kind string) []byte {
	switch v := v.(type) {
	case int64:
		if kind == table.Boolean && (v == 0 || v == 1) {
			return strconv.AppendBool(dst, v == 1)
		}
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if v-v != 0 {
			return append(dst, "null"...)
		}
		return record.AppendNumber(dst, v)
	case string:
		if kind == table.JSON && v != "" && (v[0] == '{' || v[0] == '[') {
			return append(dst, v...)
		}
		return record.AppendQuoted(dst, v)
	case []byte:
		return record.AppendQuoted(dst, v)
	}
	return append(dst, "null"...)
}

// Close closes the database.
func (s *Source) Close() error {
	if s.rows != nil {
		s.rows.Close()
	}
	return s.c.Close()
}
