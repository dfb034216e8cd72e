package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/logctl/logctl/pkg/codec"
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

// print prints a listing by itself.
func (l *listing) print(cmd *cobra.Command, form string) error {
	return (&printer{cmd: cmd, form: form}).print(l)
}

// A printer prints listings one after the other, those that are CSV or TSV under one
// line of names.
type printer struct {
	cmd  *cobra.Command
	form string
	enc  codec.Encoder // of CSV and TSV; nil before the first one
}

// print writes the rows as a table, or the objects as JSON, a line each, or as CSV
// and TSV, where what has parts is a JSON text.
func (p *printer) print(l *listing) (err error) {
	switch p.form {
	case "table":
		w := tabwriter.NewWriter(p.cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(l.head, "\t"))
		for _, r := range l.rows {
			fmt.Fprintln(w, strings.Join(r, "\t"))
		}
		return w.Flush()
	case "json":
		enc := json.NewEncoder(p.cmd.OutOrStdout())
		for _, o := range l.objects {
			if err := enc.Encode(o); err != nil {
				return err
			}
		}
		return nil
	default:
		if p.enc == nil {
			if p.enc, err = codec.NewEncoder(p.form, codec.EncodeOptions{}); err != nil {
				return err
			}
		}
		return writeRows(p.cmd, p.enc, l.objects)
	}
}
