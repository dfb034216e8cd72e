package rules_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
		{"{\"names\":\t[\"a\"],\"x\": {\"" + strings.Repeat("k", 2000) + "\": 1}}", "a", "", ""},
		{"{\n\t\"name\": \"é\", \"nam\" : [true]}", "", `f.yaml:2:15: unknown key "nam"`, "did you mean name?"},
		{`{"names": ["a", null]}`, "", "f.yaml:1:17: want text, not nothing", ""},
		{`{"names": {}, "x": 1}`, "", "f.yaml:1:11: want text, not keys and values", ""},
		{`{"name": "a", "name": "b"}`, "", `f.yaml:1:15: the key "name" stands here twice`, "leave one"},
		{`["a"]`, "", "f.yaml:1:1: want keys and values, not a list", ""},
		{`12`, "", `f.yaml:1:1: want keys and values, not "12"`, ""},
		{`names: ["\ud83d\ude00"]`, "", "f.yaml: found invalid Unicode", ""}, // which only JSON has
		{"names: [a, ~]", "", "f.yaml:1:12: want text", ""},
		{"names: [[a]]", "", "f.yaml:1:9: want text", ""},
		{"name: a\nname: b", "", `f.yaml:2:1: the key "name" stands here twice`, "leave one"},
		{"nam: a", "", `f.yaml:1:1: unknown key "nam"`, "did you mean name?"},
		{"[a]: b", "", "f.yaml:1:1: want a name as key", ""},
		{"- a", "", "f.yaml:1:1: want keys and values", ""},
		{"x: 1\nname: a: b", "", "f.yaml:2: mapping values", "stands in quotes"},
		{"x: &x [*x]", "", "f.yaml: ", ""},
		{"---\nname: a\n---\n# nothing", "a", "", ""},
		{"name: a\n---\nname: b", "", "f.yaml:3:1: a line --- begins something else", "leave out the line"},
		{"name: a\n---\n- {", "", "f.yaml: ", "YAML"},
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

// FuzzJSON: JSON is read as encoding/json reads it, and stands where it stands.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5e3,"\u00e9\/",true,false,null],"b":{"c":{}},"d":[[]]}`, "{\n \"a\"\t: [ ],\r\n\"é\":\"\\\"\"}", `{"big":12345678901234567890}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want map[string]any
		if json.Unmarshal([]byte(s), &want) != nil || want == nil || !utf8.ValidString(s) {
			return
		}
		root, err := rules.Doc{Name: "f"}.Root([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := plainOf(t, strings.Split(s, "\n"), root).(map[string]any); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	})
}

// plainOf returns what a node of JSON is as encoding/json has it.
func plainOf(t *testing.T, lines []string, n *yaml.Node) any {
	first := string([]rune(lines[n.Line-1])[n.Column-1])
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for k := 0; k < len(n.Content); k += 2 {
			m[n.Content[k].Value] = plainOf(t, lines, n.Content[k+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plainOf(t, lines, item))
		}
		return list
	}
	if n.Style == yaml.DoubleQuotedStyle {
		if first != `"` {
			t.Errorf("%q is said to begin with %s", n.Value, first)
		}
		return n.Value
	}
	var v any
	if err := json.Unmarshal([]byte(n.Value), &v); err != nil || n.Value[:1] != first {
		t.Errorf("%q is said to begin with %s; %v", n.Value, first, err)
	}
	return v
}
