package sigma

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/logctl/logctl/pkg/expr"
)

// The bounds of a condition: how deeply it may nest, and how long the expression
// may become in which every name stands for what it names.
const (
	maxDepth = 100
	maxSize  = 1 << 20
)

// A condition reads a condition by recursive descent. Its first error stays, and
// from then on it sees nothing but the end.
type condition struct {
	*parser
	node  *yaml.Node
	named []selection
	rest  []string
	depth int
	err   error
}

var words = regexp.MustCompile(`[()|]|[^\s()|]+`)

// condition returns the expression of a condition over selections.
func (p *parser) condition(n *yaml.Node, named []selection) (string, error) {
	var text string
	if err := p.Text(n, &text); err != nil {
		return "", err
	}
	c := &condition{parser: p, node: n, named: named, rest: words.FindAllString(text, -1)}
	cond := c.either()
	if c.err == nil && len(c.rest) > 0 {
		c.unexpected("and, or, or the end")
	}
	return cond, c.err
}

func (c *condition) fail(hint, format string, args ...any) {
	if c.err == nil {
		c.err = c.Errorf(c.node, hint, "condition: "+format, args...)
	}
	c.rest = nil
}

func (c *condition) unexpected(want string) {
	switch {
	case len(c.rest) == 0:
		c.fail("", "want %s, not the end", want)
	case c.rest[0] == "|":
		c.fail("a detection is about one record", "aggregations (behind |) are not supported")
	default:
		c.fail("", "want %s, not %q", want, c.rest[0])
	}
}

// accept takes the given word where it is at hand, in any case.
func (c *condition) accept(word string) bool {
	if len(c.rest) > 0 && strings.EqualFold(c.rest[0], word) {
		c.rest = c.rest[1:]
		return true
	}
	return false
}

func (c *condition) either() string {
	some := []string{c.both()}
	for c.accept("or") {
		some = append(some, c.both())
	}
	return joined(" or ", some)
}

func (c *condition) both() string {
	all := []string{c.factor()}
	for c.accept("and") {
		all = append(all, c.factor())
	}
	return joined(" and ", all)
}

func (c *condition) factor() string {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		c.fail("", "nested too deeply: want at most %d levels", maxDepth)
	}
	switch {
	case c.accept("not"):
		return "not (" + c.factor() + ")"
	case c.accept("("):
		cond := c.either()
		if c.err == nil && !c.accept(")") {
			c.unexpected("and, or, or )")
		}
		return cond
	case len(c.rest) > 1 && strings.EqualFold(c.rest[1], "of"):
		return c.of()
	case len(c.rest) == 0 || strings.ContainsAny(c.rest[0], "()|"):
		c.unexpected("a selection")
		return ""
	}
	name := c.rest[0]
	c.rest = c.rest[1:]
	for _, s := range c.named {
		if s.name == name {
			return c.take(s)
		}
	}
	c.fail(hint(name, c.names()), "unknown selection %q", name)
	return ""
}

// of reads how many of which selections must hold: 1 of them, all of them, 1 of
// name_*.
func (c *condition) of() string {
	op := map[string]string{"1": " or ", "any": " or ", "all": " and "}[strings.ToLower(c.rest[0])]
	if op == "" {
		c.fail("", "want 1, any or all before of, not %q", c.rest[0])
		return ""
	}
	if c.rest = c.rest[2:]; len(c.rest) == 0 {
		c.unexpected("them, or a pattern of names")
		return ""
	}
	which := c.rest[0]
	c.rest = c.rest[1:]
	var list []string
	for _, s := range c.named {
		if selects(which, s.name) {
			list = append(list, c.take(s))
		}
	}
	if len(list) == 0 {
		c.fail(hint(which, c.names()), "no selection is called %s", which)
	}
	return joined(op, list)
}

// selects reports whether a pattern stands for a selection. Them are all whose
// names do not begin with an underscore.
func selects(pattern, name string) bool {
	if strings.EqualFold(pattern, "them") {
		return !strings.HasPrefix(name, "_")
	}
	re := expr.Anchor(expr.Glob(pattern, regexp.QuoteMeta), true, true)
	return regexp.MustCompile(re).MatchString(name)
}

// take returns the expression of a selection, unless all become too long.
func (c *condition) take(s selection) string {
	if c.size += len(s.cond); c.size > maxSize {
		c.fail("", "the rule is too large: its expression would be longer than %d bytes", maxSize)
		return ""
	}
	return s.cond
}

func (c *condition) names() (list []string) {
	for _, s := range c.named {
		list = append(list, s.name)
	}
	return list
}
