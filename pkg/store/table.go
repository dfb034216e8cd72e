package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// limits are those of the tables that a sink makes.
var limits = table.Limits{Fields: 500}

// A rowTable takes rows.
type rowTable struct {
	shape   *table.Shape
	origin  []string // the columns that say where a row came from
	whole   bool     // these are the key, and know no parts of a record
	key     string   // what makes a row unique, by an index; "" where that is not looked at
	version int64    // of what the database has, when it was opened
	one     *stmt    // inserts a row by its arguments
	image   *image   // nil: there is none
	move    *stmt    // inserts the rows of the image
	copy    *stmt    // inserts them as they are, which is how the table would have them; nil where there is a key
	row     packed
	extra   []byte // the _extra column of the row under way
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
	if err := exec(ctx, s.c, sql.String()); err != nil {
		return s.failed("creating", err)
	}
	return s.findTable(ctx)
}

// openTable opens a table with the given columns.
func (s *Sink) openTable(ctx context.Context, columns []table.Column) (*rowTable, error) {
	t, err := s.shapeTable(columns)
	if err != nil {
		return nil, err
	}
	if err := s.openKey(ctx, t); err != nil {
		return nil, err
	}
	if err = t.prepare(ctx, s, columns); err == nil {
		t.version, err = schemaVersion(ctx, s.c)
	}
	if err != nil {
		t.close()
		return nil, s.failed("writing to", err)
	}
	return t, nil
}

// shapeTable returns a table with the given columns, which is not open.
func (s *Sink) shapeTable(columns []table.Column) (*rowTable, error) {
	origin, fields, missing := table.Divide(columns)
	if missing != "" {
		err := fmt.Errorf("it was not made by logctl: it has no column %s", missing)
		return nil, fault.Hint(s.failed("writing to", err), "name another table, as in sqlite:"+s.path+"#events")
	}
	names := make([]string, len(fields))
	for i, c := range fields {
		names[i] = c.Name
	}
	t := &rowTable{origin: origin, shape: table.NewShape(names)}
	for _, name := range s.opt.Unique {
		if t.shape.Column(name) < 0 {
			return nil, s.failed("writing to", fmt.Errorf("it has no column %q to be unique", name))
		}
	}
	t.whole = len(t.origin) == 3 && len(s.opt.Unique) == 0
	return t, nil
}

// columns returns the names of the columns, in the order in which a row's are set.
func (t *rowTable) columns() []string {
	return slices.Concat(t.origin, t.shape.Names, []string{table.Extra})
}

// prepare compiles the statements.
func (t *rowTable) prepare(ctx context.Context, s *Sink, columns []table.Column) (err error) {
	names := t.columns()
	if t.one, err = s.c.prepare(s.sql(t, "VALUES (?"+strings.Repeat(",?", len(names)-1)+")")); err != nil {
		return err
	}
	inOrder := true
	for i, name := range names {
		at := slices.IndexFunc(columns, func(c table.Column) bool { return c.Name == name })
		t.row.columns = append(t.row.columns, affinityOf(columns[at].Kind))
		inOrder = inOrder && at == i
	}
	if t.image, err = attachImage(ctx, s.c, t.row.columns); err != nil || t.image == nil {
		return err
	}
	// Without the condition SQLite would read ON CONFLICT as that of a join.
	if t.move, err = s.c.prepare(s.sql(t, "SELECT * FROM "+imageTable+" WHERE true")); err != nil {
		return err
	}
	if t.key == "" && inOrder {
		t.copy, err = s.c.prepare("INSERT INTO " + quote(s.name) + " SELECT * FROM " + imageTable)
	}
	return err
}

// schemaVersion returns a number that changes with what tables and indexes there are.
func schemaVersion(ctx context.Context, c *conn) (version int64, err error) {
	err = query(ctx, c, "PRAGMA schema_version", func(row []any) { version, _ = row[0].(int64) })
	return version, err
}

// close forgets the statements and the image. That stays attached where a transaction is
// under way, until the connection is closed.
func (t *rowTable) close() {
	for _, s := range []*stmt{t.one, t.move, t.copy} {
		if s != nil {
			s.Close()
		}
	}
	if t.image != nil {
		t.image.detach()
	}
}
