package store

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
)

// declared are types of columns, of every affinity.
var declared = []string{"", "BLOB", "TEXT", "JSON_TEXT", "varchar(9)", "INTEGER", "tinyint", "NUMERIC", "BOOLEAN", "REAL", "double"}

// aValue returns a value of one of nine kinds, as JSON and as an argument of a statement.
func aValue(rnd *rand.Rand, kind int) (string, any) {
	whole := int64(rnd.Uint64()) >> rnd.IntN(64)
	switch kind {
	case 0:
		return "null", nil
	case 1:
		yes := rnd.IntN(2) == 0
		return fmt.Sprint(yes), yes
	case 2:
		return fmt.Sprint(whole), whole
	case 3:
		bound := []int64{0, 1, -1, 127, 128, -128, -129, 1 << 15, 1 << 23, 1<<47 - 1, 1 << 47, -1 << 47, math.MaxInt64, math.MinInt64}
		v := bound[rnd.IntN(len(bound))]
		return fmt.Sprint(v), v
	case 4:
		f := []float64{0.5, -2.25, 5, 1e15, 1e18, 1e19, -1e300, 1 << 47, -1 << 63}[rnd.IntN(9)] * float64(1+rnd.IntN(3))
		return fmt.Sprintf("%.17e", f), f
	case 5:
		s := []string{"", "12", " 7", "-1.50", ".5", "1e3", "12x", "0x10", "+", "abc", "inf", "é"}[rnd.IntN(12)]
		return quoted(s), s
	case 6:
		s := strings.Repeat("x", rnd.IntN(200))
		return quoted(s), s
	default:
		s := fmt.Sprint("v", whole)
		return quoted(s), s
	}
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// dump returns the fields of a table's rows as SQL writes their values.
func dump(t *testing.T, c *conn, name string, columns int) (rows []string) {
	t.Helper()
	var list []string
	for i := range columns {
		list = append(list, fmt.Sprintf("quote(f%d)", i))
	}
	statement := "SELECT " + strings.Join(list, " || ' ' || ") + " FROM " + name + " ORDER BY rowid"
	if err := query(t.Context(), c, statement, func(row []any) { rows = append(rows, text(row[0])) }); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRowsAreWhatArgumentsMake writes random values, and rows about as long as a page,
// into columns of all types. SQLite makes the same of them as of arguments to a
// statement, row by row.
func TestRowsAreWhatArgumentsMake(t *testing.T) {
	for round := range proof.Some(40) {
		rnd := rand.New(rand.NewPCG(uint64(round), 1))
		columns := make([]string, 1+rnd.IntN(8))
		if round%7 == 0 {
			columns = make([]string, 130) // what its values are is written with a length of two bytes
		}
		for i := range columns {
			columns[i] = fmt.Sprintf("f%d %s", i, declared[rnd.IntN(len(declared))])
		}
		t.Run(strings.Join(columns, ","), func(t *testing.T) {
			s, err := OpenSink(t.Context(), ":memory:", "", SinkOptions{Onward: round%3 > 0})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			list := strings.Join(columns, ", ")
			err = exec(t.Context(), s.c, "CREATE TABLE plain ("+list+"); CREATE TABLE logs (_topic TEXT, "+
				"_partition INTEGER, _offset INTEGER, "+list+", _extra JSON_TEXT)")
			if err != nil {
				t.Fatal(err)
			}
			writeBoth(t, s, rnd, len(columns))
			checkDatabases(t, s)
			if d := cmp.Diff(dump(t, s.c, "plain", len(columns)), dump(t, s.c, "logs", len(columns))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// writeBoth has the sink write records, some at a time, and sets them as arguments of a
// statement.
func writeBoth(t *testing.T, s *Sink, rnd *rand.Rand, columns int) {
	t.Helper()
	insert, err := s.c.prepare("INSERT INTO plain VALUES (?" + strings.Repeat(", ?", columns-1) + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	kinds := rnd.Perm(9)[:1+rnd.IntN(4)] // few, so that there are pages without a misfit
	b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
	for row := range rnd.Int64N(200) {
		fields, values := make([]string, columns), make([]any, columns)
		for i := range fields {
			text, value := aValue(rnd, kinds[rnd.IntN(len(kinds))])
			if rnd.IntN(200*columns) == 0 {
				long := strings.Repeat("y", longestPacked-40-9*columns+rnd.IntN(100))
				text, value = quoted(long), long
			}
			fields[i], values[i] = fmt.Sprintf(`"f%d":%s`, i, text), value
		}
		if err := insert.run(t.Context(), values...); err != nil {
			t.Fatal(err)
		}
		b.Add([]byte("{" + strings.Join(fields, ",") + "}")).Offset = row
	}
	for at := 0; at < len(b.Recs); {
		next := min(len(b.Recs), at+1+rnd.IntN(200))
		if err := s.Write(record.Rows{Batch: b, Lo: at, Hi: next}); err != nil {
			t.Fatal(err)
		}
		at = next
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// checkDatabases has SQLite check what was written. Rows of the image that are not as
// its columns would have them are none of its faults.
func checkDatabases(t *testing.T, s *Sink) {
	t.Helper()
	for _, name := range []string{"main", imageName} {
		err := query(t.Context(), s.c, "PRAGMA "+name+".integrity_check", func(row []any) {
			if found := text(row[0]); found != "ok" && !strings.Contains(found, " value in rows.") {
				t.Errorf("%s: %s", name, found)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}
