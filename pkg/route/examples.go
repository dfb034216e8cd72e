package route

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
)

// A Test is an example that a file of rules carries: a record, and what becomes
// of it. What is not said is not tested.
type Test struct {
	Name   string
	Record string   // a line, as it comes
	Rules  []string // that match it; nil where it is not said
	To     []string // where it goes
	Sends  []Form   // what it becomes on the way

	node *yaml.Node
}

// tests reads the list of examples.
func (p *parser) tests(n *yaml.Node) error {
	return p.Items(n, func(item *yaml.Node) error {
		t := Test{node: item, Name: fmt.Sprintf("line %d", item.Line)}
		err := p.Each(item,
			rules.Key{Name: "name", Read: func(n *yaml.Node) error { return p.Text(n, &t.Name) }},
			rules.Key{Name: "record", Read: func(n *yaml.Node) error { return p.example(n, &t.Record) }},
			rules.Key{Name: "rules", Read: func(n *yaml.Node) error { t.Rules = []string{}; return p.Texts(n, &t.Rules) }},
			rules.Key{Name: "to", Read: func(n *yaml.Node) error { t.To = []string{}; return p.endpoints(n, &t.To) }},
			rules.Key{Name: "sends", Read: func(n *yaml.Node) error { return p.sends(n, &t) }},
		)
		switch {
		case err != nil:
			return err
		case t.Record == "":
			return p.Errorf(item, "as in record: {level: ERROR}", "test %q has no record", t.Name)
		case t.Rules == nil && t.To == nil && t.Sends == nil:
			return p.Errorf(item, "rules: [errors], or to: [kafka:errors]", "test %q expects nothing", t.Name)
		}
		p.file.Tests = append(p.file.Tests, t)
		return nil
	})
}

// example reads a record: a line, or keys and values that are written as JSON.
func (p *parser) example(n *yaml.Node, to *string) error {
	if n.Kind == yaml.ScalarNode {
		return p.Text(n, to)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return p.Errorf(n, "", "%v", err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return p.Errorf(n, "quote the keys", "the record is no JSON: %v", err)
	}
	*to = string(text)
	return nil
}

// sends reads by destination what a record becomes.
func (p *parser) sends(n *yaml.Node, t *Test) error {
	return p.Pairs(n, func(key, value *yaml.Node) error {
		form := Form{To: key.Value}
		t.Sends = append(t.Sends, form)
		return p.example(value, &t.Sends[len(t.Sends)-1].Record)
	})
}

// checkTests refuses tests that expect a rule that there is not.
func (p *parser) checkTests() error {
	var known []string
	for _, r := range p.file.Rules {
		known = append(known, r.Name)
	}
	for _, t := range p.file.Tests {
		for _, name := range t.Rules {
			if !slices.Contains(known, name) {
				return p.Errorf(t.node, fault.DidYouMean(name, known), "test %q: there is no rule %q", t.Name, name)
			}
		}
	}
	return nil
}

// Run runs a test and returns what is not as it expects, in words.
func (t *Table) Run(test Test, dec *codec.Decoder) []string {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: test.Name, Modified: record.NoTime}
	b.Data = append([]byte(test.Record), '\n')
	dec.Begin(b.Data, b.Origin)
	dec.NewParser(t.plan).Parse(b)
	if len(b.Faults) > 0 {
		return []string{"the record is bad: " + b.Faults[0].Reason}
	}
	if len(b.Recs) != 1 {
		return []string{fmt.Sprintf("want one record, not %d", len(b.Recs))}
	}
	b.Plan = t.plan
	t.Prepare(b)
	e := t.Explain(b, 0, false)
	var faults []string
	differ := func(what string, want, got []string) {
		if want != nil && !sameSet(want, got) {
			faults = append(faults, fmt.Sprintf("%s: want [%s], got [%s]", what, strings.Join(want, ", "),
				strings.Join(got, ", ")))
		}
	}
	differ("rules", test.Rules, e.Rules)
	differ("to", test.To, e.To)
	for _, want := range test.Sends {
		if got := e.formFor(want.To, test.Record); !sameJSON(want.Record, got) {
			faults = append(faults, fmt.Sprintf("sends %s: want %s, got %s", want.To, want.Record, got))
		}
	}
	return faults
}

// formFor returns what a destination is sent of a record.
func (e *Explanation) formFor(to, text string) string {
	for _, f := range e.Sends {
		if f.To == to {
			return f.Record
		}
	}
	if slices.Contains(e.To, to) {
		return text
	}
	return "nothing"
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// sameJSON reports whether two texts are one JSON value, or the same text.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
