package rules_test

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/rules"
)

// TestDoc reads the keys of files; what is wrong with them is told with its place.
func TestDoc(t *testing.T) {
	for _, c := range []struct{ file, names, err, hint string }{
		{"", "", "", ""},
		{"names: [a, b]\nname: c", "a b c", "", ""},
		{"x: &all [a, b]\nnames: *all", "a b", "", ""},
		{`{"names": ["\\/a\u002f\\\/", "\uD83d\ude00", "\\ud83d\\ude00"]}`, `\/a/\/ 😀 \ud83d\ude00`, "", ""},
		{`names: ["\ud83d\ude00"]`, "", "f.yaml: found invalid Unicode", ""}, // which only JSON has
		{"names: [a, ~]", "", "f.yaml:1:12: want text", ""},
		{"names: [[a]]", "", "f.yaml:1:9: want text", ""},
		{"name: a\nname: b", "", `f.yaml:2:1: the key "name" stands here twice`, "leave one"},
		{"nam: a", "", `f.yaml:1:1: unknown key "nam"`, "did you mean name?"},
		{"[a]: b", "", "f.yaml:1:1: want a name as key", ""},
		{"- a", "", "f.yaml:1:1: want keys and values", ""},
		{"x: 1\nname: a: b", "", "f.yaml:2: mapping values", "stands in quotes"},
		{"x: &x [*x]", "", "f.yaml: ", ""},
		{"if: a b", "", "f.yaml:1:7: if: ", ""}, // where in the expression it is
		{`if: "a b"`, "", "f.yaml:1:8: if: ", ""},
		{"if: |\n  a b", "", "f.yaml:1:5: if: ", ""},
	} {
		d := rules.Doc{Name: "f.yaml"}
		var names []string
		root, err := d.Root([]byte(c.file))
		if err == nil {
			err = d.Each(root,
				rules.Key{Name: "names", Read: func(n *yaml.Node) error { return d.Texts(n, &names) }},
				rules.Key{Name: "name", Read: func(n *yaml.Node) error { return d.Texts(n, &names) }},
				rules.Key{Name: "x", Read: func(*yaml.Node) error { return nil }},
				rules.Key{Name: "if", Read: func(n *yaml.Node) error {
					_, err := expr.Assignments(strings.TrimSpace(n.Value))
					return d.Wrap(n, "if: ", err)
				}})
		}
		switch {
		case c.err == "" && (err != nil || !slices.Equal(names, strings.Fields(c.names))):
			t.Errorf("%q: %q, %v", c.file, names, err)
		case c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err) || !strings.Contains(fault.HintOf(err), c.hint)):
			t.Errorf("%q: %v, hint %q, want %s", c.file, err, fault.HintOf(err), c.err)
		case c.err != "" && fault.Status(err) != fault.Usage:
			t.Errorf("%q: status %d", c.file, fault.Status(err))
		}
	}
}
