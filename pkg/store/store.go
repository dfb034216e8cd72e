// Package store is the door to SQLite: a sink that keeps the positions of the
// source in the transaction of the rows, and a source that reads a table.
//
// It speaks to the driver without database/sql, whose pool and conversions
// cost more than the rows: one connection, one goroutine.
package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/table"
)

// busyTimeout is how long a statement waits for another process's transaction,
// in milliseconds.
const busyTimeout = 10_000

// originColumns say where a row came from.
var originColumns = []string{table.Topic, table.Partition, table.Offset, table.Part}

// conn is a connection to a database file.
type conn interface { //nolint:interfacebloat // what database/sql/driver has in four interfaces
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// open opens the database file at path with some more parameters of the
// driver.
func open(path, parameters string) (conn, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, fault.Usagef("as in sqlite:logs.db#events", "sqlite %q is no path of a file", path)
	}
	escaped := (&url.URL{Path: path}).EscapedPath()
	name := fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&%s", escaped, busyTimeout, parameters)
	c, err := new(sqlite.Driver).Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening sqlite %q: %w", path, err)
	}
	full, ok := c.(conn)
	if !ok {
		return nil, errors.Join(errors.New("the sqlite driver has changed"), c.Close())
	}
	return full, nil
}

// busy reports whether another process keeps the database for itself.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// checkTable refuses names that SQLite or logctl keep for themselves.
func checkTable(table string) error {
	lower := strings.ToLower(table)
	switch {
	case len(table) > 128 || strings.ContainsRune(table, 0):
		return fault.Usagef("", "table %q: want a name of at most 128 bytes", table)
	case strings.HasPrefix(lower, "sqlite_") || strings.HasPrefix(lower, "_logctl_"):
		return fault.Usagef("", "table %q: names that begin with sqlite_ or _logctl_ are taken", table)
	}
	return nil
}

// quote writes a name as SQL does.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// arguments numbers the arguments of a statement.
func arguments(values ...driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}

// exec runs a statement and returns how many rows it changed.
func exec(ctx context.Context, c conn, statement string, values ...driver.Value) (int64, error) {
	r, err := c.ExecContext(ctx, statement, arguments(values...))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query runs a statement and calls each for its rows.
func query(ctx context.Context, c conn, statement string, each func(row []driver.Value), values ...driver.Value) error {
	rows, err := c.QueryContext(ctx, statement, arguments(values...))
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(row)
		if err == io.EOF {
			return rows.Close()
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		each(row)
	}
}

// columnsOf returns the columns of a table, with the types that they were declared
// with; none where it does not exist.
func columnsOf(ctx context.Context, c conn, name string) ([]table.Column, error) {
	var columns []table.Column
	err := query(ctx, c, "SELECT name, type FROM pragma_table_info(?)", func(row []driver.Value) {
		columns = append(columns, table.Column{Name: text(row[0]), Kind: strings.ToUpper(text(row[1]))})
	}, name)
	return columns, err
}

// text returns a value of a text column.
func text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
