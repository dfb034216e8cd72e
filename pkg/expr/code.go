package expr

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// The closures that an expression compiles to; each computes for record i.
// Those with a second result return false where the value is missing.
type (
	testFn func(b *record.Batch, i int) bool
	numFn  func(b *record.Batch, i int) (float64, bool)
	nsFn   func(b *record.Batch, i int) (int64, bool)
	textFn func(b *record.Batch, i int) ([]byte, bool)
	valFn  func(b *record.Batch, i int) Val
)

// A code is a compiled node. Of the closures that one is set that its type
// stands for; the as methods convert.
type code struct {
	typ  Type
	node *node
	lit  *Val // its value where it is constant
	col  int  // the column where it is just a field, else -1

	test testFn // Bool
	num  numFn  // Num
	ns   nsFn   // Time, Duration
	text textFn // Text
	val  valFn  // Any
}

func testCode(f testFn) code      { return code{typ: Bool, col: -1, test: f} }
func numCode(f numFn) code        { return code{typ: Num, col: -1, num: f} }
func textCode(f textFn) code      { return code{typ: Text, col: -1, text: f} }
func nsCode(t Type, f nsFn) code  { return code{typ: t, col: -1, ns: f} }
func anyCode(f valFn) code        { return code{typ: Any, col: -1, val: f} }
func (c *code) null() bool        { return c.lit != nil && c.lit.Null }
func (c *code) isLit(t Type) bool { return c.lit != nil && c.lit.Type == t && !c.lit.Null }
func (c *code) has(types ...Type) bool {
	return slices.Contains(types, c.typ)
}

// litCode returns the code of a constant.
func litCode(v Val) code {
	c := code{typ: v.Type, col: -1, lit: &v}
	switch v.Type {
	case Bool:
		c.test = func(*record.Batch, int) bool { return v.Num != 0 }
	case Num:
		c.num = func(*record.Batch, int) (float64, bool) { return v.Num, true }
	case Text:
		c.text = func(*record.Batch, int) ([]byte, bool) { return v.Text, true }
	case Time, Duration:
		c.ns = func(*record.Batch, int) (int64, bool) { return v.NS, true }
	default:
		c.val = func(*record.Batch, int) Val { return v }
	}
	return c
}

// asVal returns the value of any type.
func (c *code) asVal() valFn {
	switch test, num, ns, text, t := c.test, c.num, c.ns, c.text, c.typ; t {
	case Bool:
		return func(b *record.Batch, i int) Val { return boolVal(test(b, i)) }
	case Num:
		return func(b *record.Batch, i int) Val { return numVal(num(b, i)) }
	case Text:
		return func(b *record.Batch, i int) Val { return textVal(text(b, i)) }
	case Time, Duration:
		return func(b *record.Batch, i int) Val {
			n, ok := ns(b, i)
			return nsVal(t, n, ok)
		}
	default:
		return c.val
	}
}

func (c *code) asTest() testFn {
	if c.typ == Bool {
		return c.test
	}
	if col := c.col; col >= 0 {
		return func(b *record.Batch, i int) bool { return rawTest(b, b.At(col, i)) }
	}
	val := c.asVal()
	return func(b *record.Batch, i int) bool { return toTest(b, val(b, i)) }
}

func (c *code) asNum() numFn {
	if c.typ == Num {
		return c.num
	}
	if col := c.col; col >= 0 {
		return func(b *record.Batch, i int) (float64, bool) { return b.Num(b.At(col, i)) }
	}
	val := c.asVal()
	return func(b *record.Batch, i int) (float64, bool) { return toNum(b, val(b, i)) }
}

func (c *code) asText() textFn {
	if c.typ == Text {
		return c.text
	}
	if col := c.col; col >= 0 {
		return func(b *record.Batch, i int) ([]byte, bool) {
			v := b.At(col, i)
			return b.Text(v), v.Kind() != record.Missing
		}
	}
	val := c.asVal()
	return func(b *record.Batch, i int) ([]byte, bool) { return toText(b, val(b, i)) }
}

func (c *code) asTime() nsFn {
	if c.typ == Time {
		return c.ns
	}
	val := c.asVal()
	return func(b *record.Batch, i int) (int64, bool) { return toTime(b, i, val(b, i)) }
}

func (c *code) asDuration() nsFn {
	if c.typ == Duration {
		return c.ns
	}
	val := c.asVal()
	return func(b *record.Batch, i int) (int64, bool) { return toDuration(b, val(b, i)) }
}

// asPresent reports whether there is a value at all.
func (c *code) asPresent() testFn {
	if col := c.col; col >= 0 {
		return func(b *record.Batch, i int) bool { return b.At(col, i).Kind() != record.Missing }
	}
	val := c.asVal()
	return func(b *record.Batch, i int) bool { return !val(b, i).Null }
}
