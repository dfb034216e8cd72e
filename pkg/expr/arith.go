package expr

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
)

// arithmetic compiles + - * / %. A result that is no finite number, as of a
// division by zero, is missing.
func (c *compiler) arithmetic(n *node, l, r code) (code, error) {
	op := n.name
	for _, side := range []code{l, r} {
		if side.typ == Bool || side.null() {
			return code{}, c.errorAt(side.node, "", "%s does not work on %s", op, describe(side))
		}
		if side.typ == Text && op != "+" {
			return code{}, c.errorAt(side.node, "num(x) reads text as a number",
				"%s works on numbers, not on %s", op, describe(side))
		}
	}
	switch {
	case op == "+" && (l.typ == Text || r.typ == Text):
		return concat(l.asText(), r.asText()), nil
	case l.has(Time, Duration) || r.has(Time, Duration):
		return c.timeArithmetic(n, l, r)
	case op == "+" && l.typ == Any && r.typ == Any:
		return addEither(l.asVal(), r.asVal()), nil
	}
	x, y, f := l.asNum(), r.asNum(), operation(op)
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		p, ok := x(b, i)
		q, ok2 := y(b, i)
		if !ok || !ok2 {
			return 0, false
		}
		return finite(f(p, q), true)
	}), nil
}

func operation(op string) func(x, y float64) float64 {
	switch op {
	case "+":
		return func(x, y float64) float64 { return x + y }
	case "-":
		return func(x, y float64) float64 { return x - y }
	case "*":
		return func(x, y float64) float64 { return x * y }
	case "/":
		return func(x, y float64) float64 { return x / y }
	default:
		return math.Mod
	}
}

// concat joins two texts at the arena's end.
func concat(l, r textFn) code {
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		x, ok := l(b, i)
		if !ok {
			return nil, false
		}
		y, ok := r(b, i)
		if !ok {
			return nil, false
		}
		return join(b, x, y), true
	})
}

func join(b *record.Batch, x, y []byte) []byte {
	mark := len(b.Data)
	b.Data = append(append(b.Data, x...), y...)
	return since(b, mark)
}

// addEither adds two values that both look like numbers, else joins texts.
func addEither(l, r valFn) code {
	return anyCode(func(b *record.Batch, i int) Val {
		x, y := l(b, i), r(b, i)
		if x.Null || y.Null {
			return null
		}
		if f, ok := toNum(b, x); ok {
			if g, ok := toNum(b, y); ok {
				return numVal(f+g, true)
			}
		}
		s, _ := toText(b, x)
		t, _ := toText(b, y)
		return textVal(join(b, s, t), true)
	})
}

// timeArithmetic compiles what a time or a duration takes part in.
func (c *compiler) timeArithmetic(n *node, l, r code) (code, error) {
	out, ok := timeSum(n.name, l, r)
	if !ok {
		out, ok = timeProduct(n.name, l, r)
	}
	if !ok {
		return code{}, c.errorAt(n, "num(x) gives milliseconds",
			"%s does not work between %s and %s", n.name, l.typ, r.typ)
	}
	return out, nil
}

// timeSum compiles a sum or difference; false where it is none, or none that
// makes sense.
func timeSum(op string, l, r code) (code, bool) {
	minus := op == "-"
	switch {
	case op != "+" && !minus:
		return code{}, false
	case minus && r.typ == Time && l.has(Time, Any):
		return addNS(Duration, l.asTime(), r.ns, true), true
	case l.typ == Time && r.typ != Time:
		return addNS(Time, l.ns, r.asDuration(), minus), true
	case !minus && r.typ == Time:
		return addNS(Time, l.asDuration(), r.ns, false), true
	case l.typ != Time && r.typ != Time:
		return addNS(Duration, l.asDuration(), r.asDuration(), minus), true
	default:
		return code{}, false
	}
}

// timeProduct compiles a product or quotient, as timeSum a sum.
func timeProduct(op string, l, r code) (code, bool) {
	switch {
	case op == "/" && l.has(Duration, Any) && r.typ == Duration:
		return divideNS(l.asDuration(), r.ns), true
	case (op == "*" || op == "/") && l.typ == Duration && r.has(Num, Any):
		return scaleNS(l.ns, r.asNum(), operation(op)), true
	case op == "*" && r.typ == Duration && l.has(Num, Any):
		return scaleNS(r.ns, l.asNum(), operation(op)), true
	default:
		return code{}, false
	}
}

// addNS adds or subtracts; a sum beyond the range of times is missing.
func addNS(t Type, l, r nsFn, subtract bool) code {
	return nsCode(t, func(b *record.Batch, i int) (int64, bool) {
		x, ok := l(b, i)
		y, ok2 := r(b, i)
		if !ok || !ok2 || subtract && y == math.MinInt64 {
			return 0, false
		}
		if subtract {
			y = -y
		}
		sum := x + y
		return sum, (sum > x) == (y > 0)
	})
}

func divideNS(l, r nsFn) code {
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		x, ok := l(b, i)
		y, ok2 := r(b, i)
		return finite(float64(x)/float64(y), ok && ok2)
	})
}

func scaleNS(l nsFn, r numFn, f func(x, y float64) float64) code {
	return nsCode(Duration, func(b *record.Batch, i int) (int64, bool) {
		x, ok := l(b, i)
		y, ok2 := r(b, i)
		if !ok || !ok2 {
			return 0, false
		}
		return fromFloat(f(float64(x), y))
	})
}

func (c *compiler) negate(n *node) (code, error) {
	x, err := c.compile(n.args[0])
	if err != nil {
		return code{}, err
	}
	switch {
	case x.typ == Duration:
		return nsCode(Duration, func(b *record.Batch, i int) (int64, bool) {
			ns, ok := x.ns(b, i)
			return -ns, ok && ns != math.MinInt64
		}), nil
	case x.has(Num, Any) && !x.null():
		num := x.asNum()
		return numCode(func(b *record.Batch, i int) (float64, bool) {
			f, ok := num(b, i)
			return -f, ok
		}), nil
	default:
		return code{}, c.errorAt(n.args[0], "", "- does not work on %s", describe(x))
	}
}
