package main

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
)

// TestPrinter prints two listings one after the other, as group watch and cluster
// health --every do.
func TestPrinter(t *testing.T) {
	for form, want := range map[string]string{
		"csv":   "a,b\n1,\n2,x\n",
		"tsv":   "a\tb\n1\t\n2\tx\n",
		"json":  `{"a":1,"b":null}` + "\n" + `{"a":2,"b":"x"}` + "\n",
		"table": "a  b\n1  -\na  b\n2  x\n",
	} {
		var out bytes.Buffer
		cmd := new(cobra.Command)
		cmd.SetOut(&out)
		p := &printer{cmd: cmd, form: form}
		row := func(a int, b string) any {
			return struct {
				A int     `json:"a"`
				B *string `json:"b"`
			}{a, orNull(b)}
		}
		first, second := listing{head: []string{"a", "b"}}, listing{head: []string{"a", "b"}}
		first.add(row(1, ""), "1", "-")
		second.add(row(2, "x"), "2", "x")
		for _, l := range []*listing{&first, &second} {
			if err := p.print(l); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != want {
			t.Errorf("%s: %q, want %q", form, out.String(), want)
		}
	}
}
