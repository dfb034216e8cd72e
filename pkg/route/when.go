package route

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// when returns the expression that a mapping of fields and values stands for:
// all fields must have one of their values. Keys within keys are paths.
func (p *parser) when(path string, n *yaml.Node) (string, error) {
	var all []string
	err := p.Pairs(n, func(key, value *yaml.Node) error {
		field := key.Value
		if path != "" {
			field = path + "." + field
		}
		if value.Kind == yaml.MappingNode {
			inner, err := p.when(field, value)
			if inner != "" {
				all = append(all, inner)
			}
			return err
		}
		one, err := p.oneOf(expr.QuoteField(field), value)
		all = append(all, one)
		return err
	})
	return strings.Join(all, " and "), err
}

// oneOf returns the expression that a field has the value n, or one of its list.
func (p *parser) oneOf(field string, n *yaml.Node) (string, error) {
	var tests, texts []string
	err := p.Items(n, func(item *yaml.Node) error {
		if item.Kind != yaml.ScalarNode {
			return p.Errorf(item, "", "want a value, not %s", "a list or keys")
		}
		if literal, ok := literalOf(item); ok {
			texts = append(texts, literal)
		} else {
			tests = append(tests, testOf(field, item))
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(texts)+len(tests) == 0:
		return "", p.Errorf(n, "", "the list of values is empty: nothing would match")
	case len(texts) == 1:
		tests = append(tests, field+" == "+texts[0])
	case len(texts) > 1:
		tests = append(tests, field+" in ["+strings.Join(texts, ", ")+"]")
	}
	if len(tests) == 1 {
		return tests[0], nil
	}
	return "(" + strings.Join(tests, " or ") + ")", nil
}

// literalOf returns a scalar as the language writes it; false where it is a
// pattern, or no value that is compared.
func literalOf(n *yaml.Node) (string, bool) {
	switch n.Tag {
	case "!!int", "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		switch {
		case err == nil && f >= 1<<53 && strings.Trim(n.Value, "0123456789") == "":
			return n.Value, true // all of its digits count
		case err == nil:
			return string(record.AppendNumber(nil, f)), true
		}
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil { // as 0x1f is one in YAML
			return strconv.FormatInt(i, 10), true
		}
	case "!!null", "!!bool":
		return "", false
	}
	return expr.Quote(n.Value), !strings.ContainsAny(n.Value, "*?")
}

// testOf returns the expression for a value that is no literal.
func testOf(field string, n *yaml.Node) string {
	switch n.Tag {
	case "!!null":
		return "not has(" + field + ")"
	case "!!bool":
		return field + " == " + strings.ToLower(n.Value)
	default:
		return field + " =~ " + expr.Quote(glob(n.Value))
	}
}

// glob returns the regular expression of a pattern that the whole text matches.
func glob(pattern string) string {
	return expr.Anchor(expr.Glob(pattern, regexp.QuoteMeta), true, true)
}
