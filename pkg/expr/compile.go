package expr

import (
	"sync/atomic"

	"github.com/logctl/logctl/pkg/record"
)

// A compiler turns a tree into closures.
type compiler struct {
	src        string
	plan       *record.Plan
	mismatches *atomic.Int64
}

func (c *compiler) errorAt(n *node, hint, format string, args ...any) error {
	return syntaxError(c.src, n.pos, hint, format, args...)
}

// compile compiles n and folds it where it is constant.
func (c *compiler) compile(n *node) (code, error) {
	out, err := c.compileNode(n)
	out.node = n
	if err != nil || out.lit != nil || !constant(n) {
		return out, err
	}
	b := &record.Batch{Recs: make([]record.Rec, 1), Zone: c.plan.Zone}
	b.Recs[0].Stamp = record.NoTime
	v := out.asVal()(b, 0)
	if v.Null {
		return out, nil // keeps the type that it would have
	}
	v.Text = append([]byte(nil), v.Text...)
	out = litCode(v)
	out.node = n
	return out, nil
}

// constant reports whether n reads nothing of a record.
func constant(n *node) bool {
	if n.kind == nodeField || n.kind == nodeCall && n.name == "header" {
		return false
	}
	for _, a := range n.args {
		if !constant(a) {
			return false
		}
	}
	return true
}

func (c *compiler) compileNode(n *node) (code, error) {
	switch n.kind {
	case nodeNull:
		return litCode(null), nil
	case nodeBool:
		return litCode(boolVal(n.num != 0)), nil
	case nodeNum, nodeSize:
		return litCode(Val{Type: Num, Num: n.num}), nil
	case nodeDur:
		return litCode(Val{Type: Duration, NS: n.ns}), nil
	case nodeText:
		return litCode(Val{Type: Text, Text: []byte(n.name)}), nil
	case nodeField:
		return c.field(n)
	case nodeList:
		return code{}, c.errorAt(n, `write field in ["a", "b"]`, "a list stands only behind in")
	case nodeNot:
		return c.not(n)
	case nodeNeg:
		return c.negate(n)
	case nodeCond:
		return c.conditional(n)
	case nodeCall:
		return c.call(n)
	default:
		return c.binary(n)
	}
}

// field compiles a field, or a name of the record itself.
func (c *compiler) field(n *node) (code, error) {
	if !n.quoted {
		if out, ok := c.meta(n.name); ok {
			return out, nil
		}
	}
	col := c.plan.Column(n.name)
	out := anyCode(func(b *record.Batch, i int) Val { return rawVal(b.At(col, i)) })
	out.col = col
	return out, nil
}

// condition compiles what stands where true or false is wanted.
func (c *compiler) condition(n *node) (testFn, error) {
	x, err := c.compile(n)
	if err != nil {
		return nil, err
	}
	if !x.has(Any, Bool) || x.null() {
		return nil, c.errorAt(n, "compare it with something", "want a condition, not %s", describe(x))
	}
	return x.asTest(), nil
}

// describe says what x is, for messages.
func describe(x code) string {
	if x.null() {
		return "null"
	}
	if x.lit != nil && x.node != nil {
		return x.typ.String() + " (" + x.node.String() + ")"
	}
	return x.typ.String()
}

func (c *compiler) not(n *node) (code, error) {
	x, err := c.condition(n.args[0])
	return testCode(func(b *record.Batch, i int) bool { return !x(b, i) }), err
}

func (c *compiler) binary(n *node) (code, error) {
	switch n.name {
	case "and", "or":
		return c.logic(n)
	case "in", "not in":
		return c.in(n)
	case "=~", "!~":
		return c.matches(n)
	}
	l, err := c.compile(n.args[0])
	if err != nil {
		return code{}, err
	}
	r, err := c.compile(n.args[1])
	if err != nil {
		return code{}, err
	}
	switch {
	case n.name == "??":
		return orElse(l, r), nil
	case precedences[n.name] == precCompare:
		return c.compare(n, l, r)
	default:
		return c.arithmetic(n, l, r)
	}
}

func (c *compiler) logic(n *node) (code, error) {
	l, err := c.condition(n.args[0])
	if err != nil {
		return code{}, err
	}
	r, err := c.condition(n.args[1])
	if err != nil {
		return code{}, err
	}
	if n.name == "and" {
		return testCode(func(b *record.Batch, i int) bool { return l(b, i) && r(b, i) }), nil
	}
	return testCode(func(b *record.Batch, i int) bool { return l(b, i) || r(b, i) }), nil
}

func (c *compiler) conditional(n *node) (code, error) {
	test, err := c.condition(n.args[0])
	if err != nil {
		return code{}, err
	}
	x, err := c.compile(n.args[1])
	if err != nil {
		return code{}, err
	}
	y, err := c.compile(n.args[2])
	if err != nil {
		return code{}, err
	}
	xv, yv := x.asVal(), y.asVal()
	return narrow(joined(x, y), func(b *record.Batch, i int) Val {
		if test(b, i) {
			return xv(b, i)
		}
		return yv(b, i)
	}), nil
}

// orElse compiles x ?? y: y where x is missing.
func orElse(x, y code) code {
	xv, yv := x.asVal(), y.asVal()
	return narrow(joined(x, y), func(b *record.Batch, i int) Val {
		if v := xv(b, i); !v.Null {
			return v
		}
		return yv(b, i)
	})
}

// joined returns the type of what is either x or y.
func joined(x, y code) Type {
	switch {
	case x.null():
		return y.typ
	case y.null(), x.typ == y.typ:
		return x.typ
	default:
		return Any
	}
}

// narrow returns the code of a value of which the type is known.
func narrow(t Type, val valFn) code {
	switch t {
	case Bool:
		// A condition that is missing is not false where its value is asked
		// for, so it stays a value.
		return anyCode(val)
	case Num:
		return numCode(func(b *record.Batch, i int) (float64, bool) { v := val(b, i); return v.Num, !v.Null })
	case Text:
		return textCode(func(b *record.Batch, i int) ([]byte, bool) { v := val(b, i); return v.Text, !v.Null })
	case Time, Duration:
		return nsCode(t, func(b *record.Batch, i int) (int64, bool) { v := val(b, i); return v.NS, !v.Null })
	default:
		return anyCode(val)
	}
}
