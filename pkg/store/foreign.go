package store

import (
	"context"
	"errors"
	"strings"

	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// A RowSource is a table of another database, of which copies of rows are compared.
type RowSource interface {
	// Columns returns those that Rows gives: where rows came from, the field where it
	// is a column, and table.Extra with the field in it where that is none. Their kinds
	// are SQLite's types.
	Columns(ctx context.Context, field string) ([]table.Column, error)
	// Read calls empty, then each for every row, with values as text; nil is null. Where
	// it loses the other database in the midst of that it may begin anew, with empty. It
	// returns how far the rows go, at least; nothing where that is not kept.
	Read(ctx context.Context, field string, empty func() error, each func([][]byte) error) ([]stream.Position, error)
}

// OpenCopyComparison compares with the table of another database. What is the name of
// that in messages. For field and column see OpenComparison.
func OpenCopyComparison(ctx context.Context, from RowSource, what, field string, column int) (*Comparison, error) {
	c, err := openScratch(ctx)
	if err != nil {
		return nil, err
	}
	r := &Comparison{c: c, from: from, what: what, name: table.Default, field: field, column: column}
	if err = r.makeCopy(ctx); err == nil {
		err = r.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(r.failed(err), c.Close())
	}
	return r, nil
}

// makeCopy makes an empty table of the columns that are to be copied, in a database
// that stands where that of a file would.
func (r *Comparison) makeCopy(ctx context.Context) error {
	columns, err := r.from.Columns(ctx, r.field)
	if err != nil {
		return err
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = quote(c.Name) + " " + c.Kind
	}
	return r.execAll(ctx, "ATTACH '' AS sink", "PRAGMA sink.journal_mode = off", "PRAGMA sink.synchronous = off",
		"CREATE TABLE sink."+quote(r.name)+" ("+strings.Join(list, ", ")+")",
		"CREATE TABLE sink._logctl_positions (sink TEXT, source TEXT, partition INTEGER, next INTEGER)")
}

// copyRows copies the rows and the positions as they are now.
func (r *Comparison) copyRows(ctx context.Context) error {
	columns, err := r.from.Columns(ctx, r.field)
	if err != nil {
		return err
	}
	arguments := "?" + strings.Repeat(",?", len(columns)-1)
	insert, err := r.c.prepare("INSERT INTO sink." + quote(r.name) + " VALUES (" + arguments + ")")
	if err != nil {
		return err
	}
	defer insert.Close()
	if err := r.execAll(ctx, "BEGIN", "DELETE FROM sink._logctl_positions"); err != nil {
		return err
	}
	empty := func() error { return r.execAll(ctx, "DELETE FROM sink."+quote(r.name)) }
	at, err := r.from.Read(ctx, r.field, empty, func(values [][]byte) error {
		for i, v := range values {
			if v == nil {
				insert.setNull(i + 1)
			} else {
				insert.setText(i+1, v) // the column makes a number of it
			}
		}
		return insert.finish()
	})
	if err != nil {
		return err
	}
	for _, p := range at {
		err := exec(ctx, r.c, "INSERT INTO sink._logctl_positions VALUES (?, ?, ?, ?)", r.name, p.Source,
			int64(p.Partition), p.Next)
		if err != nil {
			return err
		}
	}
	return r.execAll(ctx, "COMMIT")
}
