package table_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

func TestDivide(t *testing.T) {
	columns := func(names ...string) (list []table.Column) {
		for _, n := range names {
			list = append(list, table.Column{Name: n, Kind: "text"})
		}
		return list
	}
	for _, c := range []struct {
		columns []table.Column
		want    string
	}{
		{
			columns("a", table.Topic, table.Partition, "b", table.Offset, table.Extra),
			"[_topic _partition _offset] [{a text} {b text}] ",
		},
		{
			columns(table.Topic, table.Partition, table.Offset, table.Part, "a", table.Extra),
			"[_topic _partition _offset _part] [{a text}] ",
		},
		{columns("a", table.Topic, table.Offset, table.Extra), "[_topic _partition _offset] [{a text}] _partition"},
		{columns(table.Topic, table.Partition, table.Offset), "[_topic _partition _offset] [] _extra"},
	} {
		origin, fields, missing := table.Divide(c.columns)
		if got := fmt.Sprint(origin, fields, " ", missing); got != c.want {
			t.Errorf("%v: %s, want %s", c.columns, got, c.want)
		}
	}
}

// A table is made of the fields of the first rows; names that differ only in case
// are one column.
func TestFields(t *testing.T) {
	rows := func(values ...string) record.Rows {
		b := record.NewBatch()
		b.Origin = proof.File
		for _, v := range values {
			b.Add([]byte(v))
		}
		return b.All()
	}
	limits := table.Limits{Fields: 3, Name: 63}
	for _, c := range []struct {
		rows   record.Rows
		unique []string
		want   string
	}{
		{rows(`{"b":1,"a":"x"}`, `{"A":2,"c":null}`), nil, "b a c"},
		{rows(`{"a":1}`), []string{"id", "a"}, "a id"},
		{rows(`{"a":1,"b":1,"c":1,"d":1}`), nil, "a b c"},
		{rows(`{}`), nil, ""},
	} {
		names := ""
		for i, f := range table.Fields(c.rows, c.unique, limits) {
			if i > 0 {
				names += " "
			}
			names += f.Name
		}
		if names != c.want {
			t.Errorf("%v: %q, want %q", c.rows, names, c.want)
		}
	}
}
