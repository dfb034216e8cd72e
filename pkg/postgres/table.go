package postgres

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// maxName is how long a name may be, in bytes: the server cuts the rest off.
const maxName = 63

// limits are those of the tables that a sink makes. A row's part that cannot be
// moved out of its page must fit into it: 18 bytes a column.
var limits = table.Limits{
	Fields: 250, Name: maxName,
	Reserved: []string{"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", sequence},
}

// sequence is the column of the stage that says in which order rows came.
const sequence = "_logctl_sequence"

// stage is where rows are copied to, a table of the connection: from there they
// replace those with their keys.
const stage = "pg_temp._logctl_stage"

// A kind is a type of columns that rows can be written into.
type kind int

const (
	text kind = iota
	numeric
	bigint
	double
	boolean
	jsonb
)

// kinds are those of the types, by the server's names, and the constants that
// stand for null in keys: there null is a value like another.
var kinds = map[string]struct {
	kind kind
	null string
}{
	"text": {text, "''"}, "character varying": {text, "''"}, "numeric": {numeric, "0"}, "bigint": {bigint, "0"},
	"double precision": {double, "0"}, "boolean": {boolean, "false"}, "jsonb": {jsonb, "'null'"},
}

// typeOf returns the type of a new column. Numbers are exact and may be whole in
// one record and not in the next. What was null so far can become anything.
func typeOf(kind string) string {
	switch kind {
	case table.Boolean:
		return "boolean"
	case table.Integer, table.Real:
		return "numeric"
	case table.String:
		return "text"
	default:
		return "jsonb"
	}
}

// createTable returns the statement that makes a table for rows from o.
func createTable(name string, o *record.Origin, fields []table.Column) string {
	var sql strings.Builder
	fmt.Fprintf(&sql, "CREATE TABLE IF NOT EXISTS %s (%s text, %s integer, %s bigint", quote(name),
		table.Topic, table.Partition, table.Offset)
	if o != nil && codec.Splits(o.Format) {
		fmt.Fprintf(&sql, ", %s integer", table.Part)
	}
	for _, c := range fields {
		fmt.Fprintf(&sql, ", %s %s", quote(c.Name), typeOf(c.Kind))
	}
	fmt.Fprintf(&sql, ", %s jsonb)", table.Extra)
	return sql.String()
}

// A layout is how rows are written into a table that is there.
type layout struct {
	name   string
	origin []string // the columns that say where a row came from
	shape  *table.Shape
	kinds  []kind // of the shape's columns
	key    []string
	unique []int // columns that must hold what they are given
	whole  bool  // the key is the origin, and knows no parts of a record

	scratch []byte
}

// columnsOf returns the columns of a table, Kind being the server's name of the type;
// none where there is no such table.
func (s *server) columnsOf(ctx context.Context, name string) ([]table.Column, error) {
	rows, err := s.query(ctx, `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
		WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, quote(name))
	if err != nil {
		return nil, err
	}
	columns := make([]table.Column, len(rows))
	for i, row := range rows {
		columns[i] = table.Column{Name: row[0], Kind: row[1]}
	}
	return columns, nil
}

// newLayout reads the columns of a table, Kind being the server's name of the
// type.
func newLayout(name string, columns []table.Column, unique []string) (*layout, error) {
	origin, fields, missing := table.Divide(columns)
	if missing != "" {
		return nil, fault.Hint(fmt.Errorf("it was not made by logctl: it has no column %s", missing),
			"name another table behind the #")
	}
	l := &layout{name: name, origin: origin}
	var names, types []string
	for _, c := range fields {
		k, ok := kinds[c.Kind]
		if !ok {
			return nil, fault.Hint(fmt.Errorf("its column %q is of type %s", c.Name, c.Kind),
				"columns of text, numeric, bigint, double precision, boolean and jsonb can be written")
		}
		names, types, l.kinds = append(names, c.Name), append(types, c.Kind), append(l.kinds, k.kind)
	}
	return l, l.setKey(names, types, unique)
}

// setKey finds the columns of the key.
func (l *layout) setKey(names, types, unique []string) error {
	l.shape = table.NewShape(names)
	l.key, l.whole = l.origin, len(l.origin) == 3 && len(unique) == 0
	if len(unique) > 0 {
		l.key = nil
	}
	for _, name := range unique {
		k := l.shape.Column(name)
		if k < 0 {
			return fmt.Errorf("it has no column %q to be unique", name)
		}
		l.unique = append(l.unique, k)
		l.key = append(l.key, fmt.Sprintf("(%s IS NULL)", quote(name)),
			fmt.Sprintf("(coalesce(%s, %s))", quote(name), kinds[types[k]].null))
	}
	return nil
}

// columns returns those of a row, as they are copied.
func (l *layout) columns() []string {
	all := slices.Clone(l.origin)
	for _, name := range l.shape.Names {
		all = append(all, quote(name))
	}
	return append(all, table.Extra)
}

// indexName names the index of the key.
func indexName(name string, unique []string) string {
	index := name + " by " + strings.Join(unique, ",")
	if len(index) <= maxName {
		return index
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(index)) // never fails
	return fmt.Sprintf("%.40s %016x", strings.ToValidUTF8(name[:min(len(name), 40)], ""), h.Sum64())
}

// createIndex returns the statement that makes the key unique.
func (l *layout) createIndex(index string) string {
	return fmt.Sprintf("CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s)", quote(index), quote(l.name),
		strings.Join(l.key, ", "))
}

// apart says with an error how rows are taken out that cannot be told apart, where they
// keep the index from being made. Rows without a place are like no others.
func (l *layout) apart(err error) error {
	if stateOf(err) != uniqueViolation {
		return err
	}
	placed := ""
	if len(l.unique) == 0 {
		placed = table.Offset + " IS NOT NULL AND "
	}
	return fault.Hint(err, fmt.Sprintf("it has several rows of one record; `DELETE FROM %[1]s WHERE %[2]sctid NOT IN "+
		"(SELECT max(ctid) FROM %[1]s GROUP BY %[3]s)` leaves the last of each; or name another table behind the #",
		quote(l.name), placed, strings.Join(l.key, ", ")))
}

// createStage returns the statement that makes the stage of a connection.
func (l *layout) createStage() string {
	return fmt.Sprintf(`CREATE TEMP TABLE _logctl_stage ON COMMIT DELETE ROWS
		AS SELECT %s, 0::bigint AS %s FROM %s WITH NO DATA`, strings.Join(l.columns(), ", "), sequence, quote(l.name))
}

// copyIn returns the statement that takes rows as appendRow writes them.
func (l *layout) copyIn() string {
	return fmt.Sprintf("COPY %s (%s) FROM STDIN", quote(l.name), strings.Join(l.columns(), ", "))
}

// copyToStage returns the statement that takes such rows with their numbers.
func (l *layout) copyToStage() string {
	return fmt.Sprintf("COPY %s (%s, %s) FROM STDIN", stage, strings.Join(l.columns(), ", "), sequence)
}

// merge returns the statement that moves rows from the stage to the table: of
// those with one key the last, in the place of the one that is there.
func (l *layout) merge() string {
	columns := l.columns()
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	list, key, by := strings.Join(columns, ", "), strings.Join(l.key, ", "), strings.Join(l.key, ", ")
	if len(l.unique) == 0 { // rows without a place are like no others
		by += fmt.Sprintf(", (CASE WHEN %s IS NULL THEN %s END)", table.Offset, sequence)
	}
	return fmt.Sprintf(`INSERT INTO %s (%s) SELECT DISTINCT ON (%s) %s FROM %s ORDER BY %s, %s DESC
		ON CONFLICT (%s) DO UPDATE SET %s`, quote(l.name), list, by, list, stage, by, sequence, key, strings.Join(set, ", "))
}

// quote writes a name as SQL does.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// checkTable refuses names that PostgreSQL cuts off or logctl keeps for itself.
func checkTable(name string) error {
	switch {
	case len(name) > maxName || strings.ContainsRune(name, 0):
		return fault.Usagef("", "table %q: want a name of at most %d bytes", name, maxName)
	case strings.Contains(name, "."):
		return fault.Usagef("a schema stands in the URL: ?search_path=SCHEMA#TABLE", "table %q: want a name without a point",
			name)
	case strings.HasPrefix(name, "_logctl_"):
		return fault.Usagef("", "table %q: names that begin with _logctl_ are taken", name)
	}
	return nil
}
