// Package listing prints what a command has found: tables for people; JSON, CSV or TSV
// for programs.
package listing

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// A List has the same things twice: as rows for people and as objects for programs.
type List struct {
	Head    []string
	Rows    [][]string
	Objects []any
}

// Add adds an object that is one row.
func (l *List) Add(object any, row ...string) {
	l.Rows, l.Objects = append(l.Rows, row), append(l.Objects, object)
}

// Print prints a list by itself; see Printer.
func (l *List) Print(out io.Writer, form string) error { return NewPrinter(out, form).Print(l) }

// A Printer prints lists one after the other. In CSV and TSV only the first one has a
// line of names.
type Printer struct {
	out  io.Writer
	form string
	enc  codec.Encoder // of CSV and TSV; nil before the first list
}

// NewPrinter returns a Printer for a form: table, json, csv or tsv.
func NewPrinter(out io.Writer, form string) *Printer { return &Printer{out: out, form: form} }

// Print prints the rows as a table, or the objects: as JSON, one a line, or as CSV or
// TSV, where an object or array within an object is written as JSON.
func (p *Printer) Print(l *List) (err error) {
	switch p.form {
	case "table":
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(l.Head, "\t"))
		for _, r := range l.Rows {
			fmt.Fprintln(w, strings.Join(r, "\t"))
		}
		return w.Flush()
	case "json":
		enc := json.NewEncoder(p.out)
		for _, o := range l.Objects {
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
		return write(p.out, p.enc, l.Objects)
	}
}

// Objects prints objects in a form. In a table each of their fields is a column.
func Objects[T any](out io.Writer, form string, objects []T) error {
	enc, err := codec.NewEncoder(form, codec.EncodeOptions{})
	if err != nil {
		return err
	}
	return write(out, enc, objects)
}

// NextTable prints objects as a table below another one, or nothing if there are none.
func NextTable[T any](out io.Writer, objects []T) error {
	if len(objects) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	return Objects(out, "table", objects)
}

func write[T any](out io.Writer, enc codec.Encoder, objects []T) error {
	b := record.NewBatch()
	for _, o := range objects {
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		b.Add(text)
	}
	text := enc.Append(nil, b.All())
	if f, ok := enc.(codec.FinishingEncoder); ok {
		text = f.Finish(text)
	}
	_, err := out.Write(text)
	return err
}
