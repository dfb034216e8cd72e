package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// openKey makes the index by which a row replaces an earlier one. Of rows that go on
// where others ended (SinkOptions.Onward) there are no earlier ones: a table without
// the index does without, and is spared a fifth of what a row costs. The next sink
// that needs it makes it.
func (s *Sink) openKey(ctx context.Context, t *rowTable) error {
	name := s.name + " by " + strings.Join(s.opt.Unique, ",")
	if s.opt.Onward && len(s.opt.Unique) == 0 {
		err := query(ctx, s.c, "SELECT 1 FROM pragma_index_list(?) WHERE name = ?",
			func([]any) { t.key = s.uniqueKey(t) }, s.name, name)
		if err != nil {
			return s.failed("opening", err)
		}
		return nil
	}
	t.key = s.uniqueKey(t)
	create := fmt.Sprintf("CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s)", quote(name), quote(s.name), t.key)
	if _, err := exec(ctx, s.c, create); err != nil {
		return fault.Hint(s.failed("indexing", err), "name another table, as in sqlite:"+s.path+"#events")
	}
	return nil
}

// uniqueKey returns what is unique in a table. Of fields null is a value like
// another here, which SQL does not think of itself.
func (s *Sink) uniqueKey(t *rowTable) string {
	if len(s.opt.Unique) == 0 {
		key := slices.Clone(t.origin)
		slices.Reverse(key) // numbers are compared faster, and offsets differ most
		return strings.Join(key, ", ")
	}
	var parts []string
	var nulls []string
	for _, name := range s.opt.Unique {
		parts = append(parts, "ifnull("+quote(name)+", 0)")
		nulls = append(nulls, quote(name)+" IS NULL")
	}
	return strings.Join(append(parts, nulls...), ", ")
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
