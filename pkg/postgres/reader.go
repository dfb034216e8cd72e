package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// A Reader reads the rows of a table that a Sink has written. It is a
// store.RowSource, for one goroutine.
type Reader struct {
	*server
	name    string
	columns []table.Column
	waits   patience
}

// OpenReader connects to the database that a URL names. An empty name of the table
// means table.Default. Only Busy and Within of the options are used.
func OpenReader(ctx context.Context, url, name string, opt SinkOptions) (*Reader, error) {
	if name == "" {
		name = table.Default
	}
	srv, err := newServer(url)
	if err != nil {
		return nil, err
	}
	if err := srv.connect(ctx); err != nil {
		return nil, err
	}
	r := &Reader{server: srv, name: name, waits: patience{within: opt.Within}}
	if opt.Busy != nil {
		r.waits.busy = func(err error) error { return opt.Busy(fmt.Errorf("reading %s: %w", r, err)) }
	}
	if r.columns, err = srv.columnsOf(ctx, name); err == nil && len(r.columns) == 0 {
		err = errors.New("there is no such table")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", r, err), srv.close())
	}
	return r, nil
}

// String names the table, without the password.
func (r *Reader) String() string { return fmt.Sprintf("table %q of postgres %s", r.name, r.server) }

// UniqueFields returns the fields that identify a row, or none if rows are identified
// by the place of their records.
func (r *Reader) UniqueFields(ctx context.Context) ([]string, error) {
	rows, err := r.query(ctx, `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = to_regclass($1) AND i.indisunique`, quote(r.name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", r, err)
	}
	for _, row := range rows {
		if by, ok := strings.CutPrefix(row[0], r.name+" by "); ok && by != "" {
			return strings.Split(by, ","), nil
		}
	}
	return nil, nil
}

// Columns implements store.RowSource.
func (r *Reader) Columns(_ context.Context, field string) ([]table.Column, error) {
	var found []table.Column
	for _, c := range r.columns {
		switch {
		case c.Name == table.Topic || c.Name == table.Extra:
			found = append(found, table.Column{Name: c.Name, Kind: "TEXT"})
		case slices.Contains(origin, c.Name):
			found = append(found, table.Column{Name: c.Name, Kind: "INTEGER"})
		case c.Name == field && (kinds[c.Kind].kind == text || kinds[c.Kind].kind == jsonb):
			found = append(found, table.Column{Name: c.Name, Kind: "TEXT"})
		case c.Name == field:
			found = append(found, table.Column{Name: c.Name, Kind: "NUMERIC"})
		}
	}
	return found, nil
}

// Read implements store.RowSource.
func (r *Reader) Read(
	ctx context.Context, field string, empty func() error, each func(values [][]byte) error,
) (at []stream.Position, err error) {
	waits := r.waits
	err = r.again(ctx, &waits, func(ctx context.Context) error {
		err := r.connect(ctx)
		if err == nil {
			err = empty()
		}
		if err == nil {
			at, err = r.positions(ctx)
		}
		if err == nil {
			err = r.rows(ctx, field, each)
		}
		return err
	})
	return at, err
}

// rows calls each for every row.
func (r *Reader) rows(ctx context.Context, field string, each func(values [][]byte) error) error {
	var list []string
	for _, c := range r.columns {
		switch {
		case c.Name == table.Extra:
			list = append(list, "CASE WHEN _extra ? $1 THEN jsonb_build_object($1, _extra -> $1) END")
		case c.Name == field && kinds[c.Kind].kind == boolean:
			list = append(list, quote(field)+"::integer")
		case c.Name == field && kinds[c.Kind].kind == jsonb:
			list = append(list, quote(field)+" #>> '{}'")
		case c.Name == field || slices.Contains(origin, c.Name):
			list = append(list, quote(c.Name))
		}
	}
	rows := r.c.ExecParams(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+quote(r.name)+" WHERE $1::text IS NOT NULL",
		[][]byte{[]byte(field)}, nil, nil, nil)
	var err error
	for err == nil && rows.NextRow() {
		err = each(rows.Values())
	}
	if _, closed := rows.Close(); err == nil {
		err = r.told(closed)
	}
	return err
}

// origin are the columns that say where a row came from.
var origin = []string{table.Topic, table.Partition, table.Offset, table.Part}

// positions returns how far the rows go; nothing where that is not kept.
func (r *Reader) positions(ctx context.Context) ([]stream.Position, error) {
	rows, err := r.query(ctx, "SELECT 1 WHERE to_regclass('_logctl_positions') IS NOT NULL")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return (&positions{sink: r.name}).stored(ctx, r.server)
}

// Close ends the connection.
func (r *Reader) Close() error { return r.close() }
