package expr

import (
	"bytes"
	"math"

	"github.com/logctl/logctl/pkg/record"
)

// mostExact is the greatest number up to which no two integers are one float.
const mostExact = 1 << 53

// beyondExact reports whether a node is an integer that shares its float with others.
func beyondExact(n *node) bool {
	return n != nil && n.kind == nodeNum && math.Abs(n.num) >= mostExact && isInteger([]byte(n.name))
}

// byInteger compares with a constant that shares its float with other integers.
func (c *compiler) byInteger(op string, x code, want float64, digits string) code {
	num, val, holds := c.counted(x), x.asVal(), holdsFor(op)
	written := Val{Type: Text, Text: []byte(digits)}
	return testCode(func(b *record.Batch, i int) bool {
		f, ok := num(b, i)
		return ok && holds(compareExactly(b, val(b, i), written, f, want))
	})
}

// compareExactly compares two numbers by their floats, and by their digits where those are
// equal and neither number is calculated.
func compareExactly(b *record.Batch, x, y Val, f, g float64) int {
	d := compareNumbers(f, g)
	if d != 0 || math.Abs(f) < mostExact || x.Type == Num || y.Type == Num {
		return d
	}
	s, _ := toText(b, x)
	t, _ := toText(b, y)
	return compareDigits(s, t)
}

// compareDigits compares integers whose floats are equal. What is written in another way,
// as 1e20, is equal.
func compareDigits(x, y []byte) int {
	if !isInteger(x) || !isInteger(y) {
		return 0
	}
	sign := 1
	if x[0] == '-' { // and so y, unless both are zero
		sign = -1
	}
	x, y = bytes.TrimLeft(x, "-0"), bytes.TrimLeft(y, "-0")
	if d := compareNumbers(int64(len(x)), int64(len(y))); d != 0 {
		return sign * d
	}
	return sign * bytes.Compare(x, y)
}

// isInteger reports whether a number is written as digits alone, behind a sign or none.
func isInteger(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("-"))
	for _, c := range text {
		if c-'0' > 9 {
			return false
		}
	}
	return len(text) > 0
}
