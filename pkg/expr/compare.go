package expr

import (
	"bytes"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/record"
)

// mirrored are the operators for exchanged sides.
var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func ordering(op string) bool { return op != "==" && op != "!=" }

// compare compiles a comparison. The literal decides as what the sides are
// compared; without one a known type does; two fields are compared as numbers
// where both look like numbers, else as text.
func (c *compiler) compare(n *node, l, r code) (code, error) {
	op := n.name
	if err := c.refuse(n, l, r); err != nil {
		return code{}, err
	}
	if l.lit != nil && r.lit == nil {
		l, r, op = r, l, mirrored[op]
	}
	if isLevelField(l.node) && r.isLit(Text) {
		if want := severity(r.lit.Text); want > 0 {
			return c.byLevel(op, l, want), nil
		}
	}
	return c.byType(op, l, r), nil
}

// byType compares as what the types of the sides say.
func (c *compiler) byType(op string, l, r code) code {
	switch {
	case l.typ == Time || r.typ == Time:
		return c.byNS(op, l, r, Time)
	case l.typ == Duration || r.typ == Duration:
		return c.byNS(op, l, r, Duration)
	case l.typ == Bool && r.typ == Bool:
		return byBool(op, l.test, r.test)
	case r.isLit(Num) && l.typ == Any && beyondExact(r.node):
		return c.byInteger(op, l, r.lit.Num, r.node.name)
	case r.isLit(Num):
		return c.byNumber(op, l, r.lit.Num)
	case r.isLit(Text) && l.typ != Num:
		return byLiteralText(op, l, string(r.lit.Text))
	case l.typ == Num || r.typ == Num:
		return byNumbers(op, c.counted(l), c.counted(r))
	case l.typ == Any && r.typ == Any:
		return byEither(op, l.asVal(), r.asVal())
	default:
		return byText(op, l.asText(), r.asText())
	}
}

// refuse returns an error for comparisons that can never be meant.
func (c *compiler) refuse(n *node, l, r code) error {
	for _, side := range []code{l, r} {
		if side.null() {
			return c.errorAt(side.node, "write has(field) or not has(field)", "nothing compares with null")
		}
		if side.typ == Bool && ordering(n.name) {
			return c.errorAt(side.node, "use == or !=", "true and false have no order")
		}
	}
	for _, s := range [][2]code{{l, r}, {r, l}} {
		if x, y := s[0], s[1]; clash(x, y) {
			return c.errorAt(y.node, literalFor(x.typ), "beside %s, want %s, not %s", describe(x), x.typ, describe(y))
		}
	}
	return nil
}

// clash reports whether y can be nothing that stands beside x.
func clash(x, y code) bool {
	switch x.typ {
	case Num:
		return y.isLit(Text) && (x.lit == nil || !looksNumeric(y))
	case Bool:
		return y.has(Num, Time, Duration)
	case Time:
		return y.has(Num, Duration) || y.isLit(Text) && !readsAs(y, Time)
	case Duration:
		return y.isLit(Text) && !readsAs(y, Duration)
	default:
		return false
	}
}

func looksNumeric(x code) bool {
	_, ok := record.ParseNumber(x.lit.Text)
	return ok
}

// readsAs reports whether the constant x can be read as a time or a duration.
func readsAs(x code, t Type) bool {
	b := &record.Batch{Recs: []record.Rec{{Stamp: record.NoTime}}}
	ok := false
	if t == Time {
		_, ok = toTime(b, 0, *x.lit)
	} else {
		_, ok = toDuration(b, *x.lit)
	}
	return ok
}

func literalFor(t Type) string {
	return map[Type]string{
		Num: "write the number without quotes", Bool: "write true or false",
		Time: `write time("2026-11-24T10:00:00Z")`, Duration: "write the duration as in 5m or 250ms",
	}[t]
}

// counted returns x as a number, counting values that are none.
func (c *compiler) counted(x code) numFn {
	mismatches := c.mismatches
	if x.typ == Num {
		return x.num
	}
	if col := x.col; col >= 0 {
		return func(b *record.Batch, i int) (float64, bool) { return fieldNum(b, b.At(col, i), mismatches) }
	}
	val := x.asVal()
	return func(b *record.Batch, i int) (float64, bool) {
		v := val(b, i)
		f, ok := toNum(b, v)
		if !ok && !v.Null {
			mismatches.Add(1)
		}
		return f, ok
	}
}

// byNumber compares with a constant number.
func (c *compiler) byNumber(op string, x code, want float64) code {
	if x.col >= 0 {
		return testCode(fieldByNumber(op, x.col, want, c.mismatches))
	}
	holds, num := holdsFor(op), c.counted(x)
	return testCode(func(b *record.Batch, i int) bool {
		f, ok := num(b, i)
		return ok && holds(compareNumbers(f, want))
	})
}

// fieldNum returns a field's value as a number, counting values that are none.
func fieldNum(b *record.Batch, v record.Value, mismatches *atomic.Int64) (float64, bool) {
	if k := v.Kind(); k == record.Number || k == record.String {
		raw := b.Raw(v)
		if len(raw) == 3 { // an HTTP status, which is what most conditions look at
			x, y, z := raw[0]-'0', raw[1]-'0', raw[2]-'0'
			if x <= 9 && y <= 9 && z <= 9 {
				return float64(int(x)*100 + int(y)*10 + int(z)), true
			}
		}
		if f, ok := record.ParseNumber(raw); ok {
			return f, true
		}
	}
	f, ok := b.Num(v)
	if !ok && v.Kind() != record.Missing {
		mismatches.Add(1)
	}
	return f, ok
}

// fieldByNumber has a closure for each operator, as comparing a field with a
// number is what most conditions are made of.
func fieldByNumber(op string, col int, want float64, mismatches *atomic.Int64) testFn {
	switch op {
	case "==":
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f == want
		}
	case "!=":
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f != want
		}
	case "<":
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f < want
		}
	case "<=":
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f <= want
		}
	case ">":
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f > want
		}
	default:
		return func(b *record.Batch, i int) bool {
			f, ok := fieldNum(b, b.At(col, i), mismatches)
			return ok && f >= want
		}
	}
}

func byNumbers(op string, l, r numFn) code {
	holds := holdsFor(op)
	return testCode(func(b *record.Batch, i int) bool {
		x, ok := l(b, i)
		y, ok2 := r(b, i)
		return ok && ok2 && holds(compareNumbers(x, y))
	})
}

func compareNumbers[T float64 | int64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

// holdsFor returns whether op holds for the result of a three-way comparison.
func holdsFor(op string) func(int) bool {
	switch op {
	case "==":
		return func(d int) bool { return d == 0 }
	case "!=":
		return func(d int) bool { return d != 0 }
	case "<":
		return func(d int) bool { return d < 0 }
	case "<=":
		return func(d int) bool { return d <= 0 }
	case ">":
		return func(d int) bool { return d > 0 }
	default:
		return func(d int) bool { return d >= 0 }
	}
}

func byBool(op string, l, r testFn) code {
	equal := op == "=="
	return testCode(func(b *record.Batch, i int) bool { return (l(b, i) == r(b, i)) == equal })
}

// byLiteralText compares with constant text; of a field, equality is decided
// on its bytes as they stand.
func byLiteralText(op string, x code, want string) code {
	if col := x.col; col >= 0 && op == "==" {
		return testCode(func(b *record.Batch, i int) bool {
			v := b.At(col, i)
			if v.Kind() == record.String {
				return v.Len() == len(want) && string(b.Raw(v)) == want
			}
			return rawEquals(b, v, want)
		})
	}
	if col := x.col; col >= 0 && op == "!=" {
		return testCode(func(b *record.Batch, i int) bool {
			v := b.At(col, i)
			return v.Kind() != record.Missing && !rawEquals(b, v, want)
		})
	}
	lit := []byte(want)
	return byText(op, x.asText(), func(*record.Batch, int) ([]byte, bool) { return lit, true })
}

func byText(op string, l, r textFn) code {
	holds := holdsFor(op)
	return testCode(func(b *record.Batch, i int) bool {
		x, ok := l(b, i)
		if !ok {
			return false
		}
		y, ok := r(b, i)
		return ok && holds(bytes.Compare(x, y))
	})
}

// byEither compares what only the record can tell.
func byEither(op string, l, r valFn) code {
	holds := holdsFor(op)
	return testCode(func(b *record.Batch, i int) bool {
		x, y := l(b, i), r(b, i)
		if x.Null || y.Null {
			return false
		}
		if f, ok := toNum(b, x); ok {
			if g, ok := toNum(b, y); ok {
				return holds(compareExactly(b, x, y, f, g))
			}
		}
		s, _ := toText(b, x)
		t, _ := toText(b, y)
		return holds(bytes.Compare(s, t))
	})
}

// byNS compares times or durations.
func (c *compiler) byNS(op string, l, r code, t Type) code {
	x, y, holds := c.countedNS(l, t), c.countedNS(r, t), holdsFor(op)
	return testCode(func(b *record.Batch, i int) bool {
		m, ok := x(b, i)
		n, ok2 := y(b, i)
		return ok && ok2 && holds(compareNumbers(m, n))
	})
}

// countedNS returns x as a time or duration, counting values that are none.
func (c *compiler) countedNS(x code, t Type) nsFn {
	if x.typ == t {
		return x.ns
	}
	val, mismatches := x.asVal(), c.mismatches
	return func(b *record.Batch, i int) (ns int64, ok bool) {
		v := val(b, i)
		if t == Time {
			ns, ok = toTime(b, i, v)
		} else {
			ns, ok = toDuration(b, v)
		}
		if !ok && !v.Null {
			mismatches.Add(1)
		}
		return ns, ok
	}
}

// byLevel compares the level by severity. A word that is no level differs
// from every level and has no order.
func (c *compiler) byLevel(op string, x code, want int) code {
	text, holds, mismatches := x.asText(), holdsFor(op), c.mismatches
	return testCode(func(b *record.Batch, i int) bool {
		t, ok := text(b, i)
		if !ok {
			return false
		}
		got := severity(t)
		if got == 0 && ordering(op) {
			mismatches.Add(1)
			return false
		}
		return holds(got - want)
	})
}
