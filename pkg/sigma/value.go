package sigma

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// test returns the expression that a field has a value.
func (p *parser) test(m matcher, n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", p.Errorf(n, "", "want a value, not a list or keys")
	}
	switch {
	case m.base64 != nil:
		return p.encoded(m, n)
	case m.other:
		return p.reference(m, n)
	}
	switch m.op {
	case "re":
		return p.regex(m, n)
	case "cidr":
		if _, err := netip.ParsePrefix(n.Value); err != nil {
			return "", p.Errorf(n, "as in 10.0.0.0/8 or fe80::/10", "%q is no network", n.Value)
		}
		return "in_network(" + m.field + ", " + expr.Quote(n.Value) + ")", nil
	case "exists":
		switch {
		case n.Tag != "!!bool":
			return "", p.Errorf(n, "", "exists wants true or false, not %q", n.Value)
		case strings.EqualFold(n.Value, "true"):
			return "has(" + m.field + ")", nil
		}
		return "not has(" + m.field + ")", nil
	case "lt", "lte", "gt", "gte":
		number, ok := literal(n)
		if !ok {
			return "", p.Errorf(n, "", "%s wants a number, not %q", m.op, n.Value)
		}
		return m.field + map[string]string{"lt": " < ", "lte": " <= ", "gt": " > ", "gte": " >= "}[m.op] + number, nil
	}
	return p.pattern(m, n)
}

// pattern returns the expression for a value in which * and ? are wild.
func (p *parser) pattern(m matcher, n *yaml.Node) (string, error) {
	if n.Tag == "!!null" {
		if m.op != "" {
			return "", p.Errorf(n, "write two single quotes for empty text", "nothing is no value that %s takes", m.op)
		}
		return "not has(" + m.field + ")", nil
	}
	if number, ok := literal(n); ok && m.op == "" {
		return m.field + " == " + number, nil
	}
	text := m.matches(n.Value, func(text string) string { return text })
	if !m.record {
		return text, nil
	}
	// In a record of JSON the word may stand with its escapes.
	return joined(" or ", distinct(text, m.matches(n.Value, escaped))), nil
}

// matches returns the expression for a pattern, its text written as as does it.
func (m *matcher) matches(pattern string, as func(string) string) string {
	re := expr.Glob(pattern, func(text string) string { return m.literally(as(text)) })
	re = expr.Anchor(re, m.op == "" || m.op == "startswith", m.op == "" || m.op == "endswith")
	if !m.cased {
		re = "(?i)" + re
	}
	return m.field + " =~ " + expr.Quote(re)
}

// option finds what windash takes for the dash of an option.
var option = regexp.MustCompile(`\B[-/]\b`)

// literally returns the regular expression for text.
func (m *matcher) literally(text string) string {
	if !m.windash {
		return regexp.QuoteMeta(text)
	}
	var re strings.Builder
	last := 0
	for _, at := range option.FindAllStringIndex(text, -1) {
		re.WriteString(regexp.QuoteMeta(text[last:at[0]]) + "[-/\u2013\u2014\u2015]")
		last = at[1]
	}
	return re.String() + regexp.QuoteMeta(text[last:])
}

// regex returns the expression for a regular expression, in which case matters.
func (p *parser) regex(m matcher, n *yaml.Node) (string, error) {
	re := n.Value
	if m.flags != "" {
		re = "(?" + m.flags + ")" + re
	}
	if _, err := regexp.Compile(re); err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return "", p.Errorf(n, "the syntax is RE2's", "regular expression: %s", why)
	}
	return m.field + " =~ " + expr.Quote(re), nil
}

// literal returns a number as the expression language writes it; false for what
// is none, or is none that it could tell from its neighbours.
func literal(n *yaml.Node) (string, bool) {
	if n.Tag != "!!int" && n.Tag != "!!float" {
		return "", false
	}
	var f float64
	if err := n.Decode(&f); err != nil || !(math.Abs(f) <= 1<<53) {
		return "", false
	}
	return string(record.AppendNumber(nil, f)), true
}

// escaped returns text as it stands in a string of JSON.
func escaped(text string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(out.String()), `"`), `"`)
}

func distinct(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}
