// Package sigma reads rules in the Sigma format, the common language of detection
// rules, and says what they look for in the expression language: so one of their
// kind is matched together with all other conditions, by what it cannot hold
// without.
//
// A rule says what a record must be like. Correlations, filters and aggregations
// are about many records; they are refused, as is everything else that is not
// understood: a rule that is read holds exactly where its author meant it to.
package sigma

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/rules"
)

// A Rule is a Sigma rule.
type Rule struct {
	File  string `json:"file"`
	Title string `json:"title"`
	Level string `json:"level,omitempty"`
	Cond  string `json:"-"` // what it detects, as an expression
}

// Parse reads a rule. Its errors are wrong usage and begin with NAME:LINE:COLUMN.
func Parse(name string, text []byte) (*Rule, error) {
	p := &parser{Doc: rules.Doc{Name: name}, rule: &Rule{File: name}}
	root, err := p.Root(text)
	if err != nil {
		return nil, err
	}
	if err := p.Pairs(root, p.key); err != nil {
		return nil, err
	}
	switch {
	case p.detection == nil:
		return nil, p.Errorf(root, "as in detection: {selection: {EventID: 4625}, condition: selection}",
			"a Sigma rule has a detection")
	case p.rule.Title == "":
		return nil, p.Errorf(root, "as in title: Failed logon", "a Sigma rule has a title")
	}
	p.rule.Cond, err = p.detect(p.detection)
	return p.rule, err
}

// Is reports whether a file of rules is a Sigma rule by itself.
func Is(root *yaml.Node) bool {
	for k := 0; k < len(root.Content); k += 2 {
		if key := root.Content[k].Value; key == "detection" || key == "correlation" {
			return true
		}
	}
	return false
}

type parser struct {
	rules.Doc
	rule      *Rule
	detection *yaml.Node
	size      int // of the expression so far
}

// levels are the words for how bad it is.
var levels = []string{"informational", "low", "medium", "high", "critical"}

// key reads what a rule is and what it detects. All else is for people.
func (p *parser) key(key, value *yaml.Node) error {
	switch key.Value {
	case "title":
		return p.Text(value, &p.rule.Title)
	case "level":
		if err := p.Text(value, &p.rule.Level); err != nil {
			return err
		}
		if !slices.Contains(levels, p.rule.Level) {
			return p.Errorf(value, hint(p.rule.Level, levels), "unknown level %q", p.rule.Level)
		}
	case "detection":
		p.detection = value
	case "correlation", "filter", "action":
		return p.Errorf(key, "rules that look at one record can be used", "%s: Sigma's %s are not supported", key.Value,
			map[string]string{"correlation": "correlations", "filter": "filters", "action": "collections"}[key.Value])
	}
	return nil
}

// hint names the nearest of names, or all of them.
func hint(word string, names []string) string {
	if h := fault.DidYouMean(word, names); h != "" {
		return h
	}
	return "one of " + strings.Join(names, ", ")
}
