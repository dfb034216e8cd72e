package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
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

// print writes the rows as a table, or the objects as JSON, a line each, or as CSV
// and TSV, where what has parts is a JSON text.
func (l *listing) print(cmd *cobra.Command, form string) error {
	switch form {
	case "table":
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(l.head, "\t"))
		for _, r := range l.rows {
			fmt.Fprintln(w, strings.Join(r, "\t"))
		}
		return w.Flush()
	case "json":
		enc := json.NewEncoder(cmd.OutOrStdout())
		for _, o := range l.objects {
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
		return nil
	default:
		return printRows(cmd, form, l.objects)
	}
}
