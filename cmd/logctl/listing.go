package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/logctl/logctl/pkg/fault"
)

// A listing is rows for people and objects for programs, in the same order.
type listing struct {
	head    []string
	rows    [][]string
	objects []any
}

func (l *listing) add(object any, row ...string) {
	l.rows, l.objects = append(l.rows, row), append(l.objects, object)
}

// print writes the objects as JSON, a line each, or the rows as a table.
func (l *listing) print(out io.Writer, format string) error {
	switch format {
	case "json":
		enc := json.NewEncoder(out)
		for _, o := range l.objects {
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
		return nil
	case "table":
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(l.head, "\t"))
		for _, r := range l.rows {
			fmt.Fprintln(w, strings.Join(r, "\t"))
		}
		return w.Flush()
	}
	return fault.Usagef("json or table", "unknown output %q", format)
}
