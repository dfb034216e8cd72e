// Package store is the door to SQLite: a sink that keeps the positions of the
// source in the transaction of the rows, and a source that reads a table.
//
// It speaks to SQLite itself (conn.go, stmt.go): the conversions and locks of a
// driver would cost more than the rows. One connection, one goroutine.
package store

import (
	"context"
	"os"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/table"
)

// originColumns say where a row came from.
var originColumns = []string{table.Topic, table.Partition, table.Offset, table.Part}

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

// literal writes a text as SQL does.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// expand fills in the words of a statement, each $name once.
func expand(sql string, words map[string]string) string {
	return os.Expand(sql, func(name string) string { return words[name] })
}

// columnsOf returns the columns of a table, with the types that they were declared
// with; none where it does not exist.
func columnsOf(ctx context.Context, c *conn, name string) ([]table.Column, error) {
	var columns []table.Column
	err := query(ctx, c, "SELECT name, type FROM pragma_table_info(?)", func(row []any) {
		columns = append(columns, table.Column{Name: text(row[0]), Kind: strings.ToUpper(text(row[1]))})
	}, name)
	return columns, err
}

// text returns a value of a text column.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
