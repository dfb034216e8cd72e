package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/table"
)

// openKey makes the index by which a row replaces an earlier one. Of rows that go on
// where others ended (SinkOptions.Onward) there are no earlier ones: a table without
// the index does without, and is spared a fifth of what a row costs. The next sink
// that needs it makes it.
func (s *Sink) openKey(ctx context.Context, t *rowTable) (err error) {
	name := s.name + " by " + strings.Join(s.opt.Unique, ",")
	if t.key, err = s.indexed(ctx, name); err != nil {
		return s.failed("opening", err)
	}
	if t.key != "" || s.opt.Onward && len(s.opt.Unique) == 0 {
		return nil
	}
	t.key = s.uniqueKey(t)
	create := fmt.Sprintf("CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s)", quote(name), quote(s.name), t.key)
	if err := exec(ctx, s.c, create); err != nil {
		return fault.Hint(s.failed("indexing", err), s.apart(t, err)+"name another table, as in sqlite:"+s.path+"#events")
	}
	return nil
}

// apart says how rows are taken out that cannot be told apart, where they keep the index
// from being made. Rows without a place are like no others.
func (s *Sink) apart(t *rowTable, err error) string {
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return ""
	}
	placed := ""
	if len(s.opt.Unique) == 0 {
		placed = table.Offset + " IS NOT NULL AND "
	}
	return fmt.Sprintf("it has several rows of one record; `DELETE FROM %[1]s WHERE %[2]srowid NOT IN "+
		"(SELECT max(rowid) FROM %[1]s GROUP BY %[3]s)` leaves the last of each; or ", quote(s.name), placed, t.key)
}

// indexed returns what the index of a name is of, as it was written: earlier versions
// wrote it in other ways. It is "" where there is none.
func (s *Sink) indexed(ctx context.Context, name string) (key string, err error) {
	create := fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (", quote(name), quote(s.name))
	err = query(ctx, s.c, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", func(row []any) {
		if of, ok := strings.CutPrefix(text(row[0]), create); ok {
			key = strings.TrimSuffix(of, ")")
		}
	}, name)
	return key, err
}

// uniqueKey returns what is unique in a table. Of fields null is a value like another
// here, which SQL does not think of itself: it is an empty BLOB, which no field is.
func (s *Sink) uniqueKey(t *rowTable) string {
	if len(s.opt.Unique) == 0 {
		key := slices.Clone(t.origin)
		slices.Reverse(key) // numbers are compared faster, and offsets differ most
		return strings.Join(key, ", ")
	}
	parts := make([]string, len(s.opt.Unique))
	for i, name := range s.opt.Unique {
		parts[i] = "ifnull(" + quote(name) + ", x'')"
	}
	return strings.Join(parts, ", ")
}

// sql returns the statement that inserts rows from where SQL says they are, or replaces
// those with their keys. What makes them unique is not set again: SQLite would have to
// be ready to undo a statement that breaks a key with it, and would keep a copy of each
// page that it changes.
func (s *Sink) sql(t *rowTable, from string) string {
	keyed := t.origin
	if len(s.opt.Unique) > 0 {
		keyed = s.opt.Unique
	}
	var columns, set []string
	for _, c := range t.columns() {
		quoted := quote(c)
		if columns = append(columns, quoted); !slices.Contains(keyed, c) {
			set = append(set, quoted+"=excluded."+quoted)
		}
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) %s", quote(s.name), strings.Join(columns, ","), from)
	if t.key == "" {
		return insert
	}
	return fmt.Sprintf("%s ON CONFLICT (%s) DO UPDATE SET %s", insert, t.key, strings.Join(set, ","))
}
