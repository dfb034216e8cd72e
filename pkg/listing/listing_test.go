package listing_test

import (
	"bytes"
	"testing"

	"github.com/logctl/logctl/pkg/listing"
)

// TestPrinter prints two lists one after the other, as group watch and cluster
// health --every do.
func TestPrinter(t *testing.T) {
	for form, want := range map[string]string{
		"csv":   "a,b\n1,\n2,x\n",
		"tsv":   "a\tb\n1\t\n2\tx\n",
		"json":  `{"a":1,"b":null}` + "\n" + `{"a":2,"b":"x"}` + "\n",
		"table": "a  b\n1  -\na  b\n2  x\n",
	} {
		var out bytes.Buffer
		p := listing.NewPrinter(&out, form)
		row := func(a int, b *string) any {
			return struct {
				A int     `json:"a"`
				B *string `json:"b"`
			}{a, b}
		}
		first, second := listing.List{Head: []string{"a", "b"}}, listing.List{Head: []string{"a", "b"}}
		first.Add(row(1, nil), "1", "-")
		second.Add(row(2, new("x")), "2", "x")
		for _, l := range []*listing.List{&first, &second} {
			if err := p.Print(l); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != want {
			t.Errorf("%s: %q, want %q", form, out.String(), want)
		}
	}
}

// A second table stands below the first, unless it has no rows.
func TestNextTable(t *testing.T) {
	type row struct {
		Name string `json:"name"`
		N    int    `json:"n"`
	}
	var out bytes.Buffer
	for _, rows := range [][]row{{{"auth", 1}}, nil, {{"cart", 22}}} {
		if err := listing.NextTable(&out, rows); err != nil {
			t.Fatal(err)
		}
	}
	if want := "\nname  n\nauth  1\n\nname   n\ncart  22\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
