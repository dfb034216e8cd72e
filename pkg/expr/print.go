package expr

import (
	"slices"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// String returns the expression in its normal form: and, or, not; double
// quotes; parentheses only where they are needed.
func (n *node) String() string { return string(n.append(nil, precCond)) }

// append appends n, in parentheses where it binds less tightly than prec.
func (n *node) append(dst []byte, prec int) []byte {
	if n.prec() < prec {
		dst = append(dst, '(')
		dst = n.append(dst, precCond)
		return append(dst, ')')
	}
	switch n.kind {
	case nodeNot:
		return n.args[0].append(append(dst, "not "...), operandPrec(n.args[0], precNot))
	case nodeNeg:
		return n.args[0].append(append(dst, '-'), operandPrec(n.args[0], precNeg))
	case nodeBin:
		left := n.prec()
		if left == precCompare {
			left++
		}
		dst = n.args[0].append(dst, left)
		dst = append(append(append(dst, ' '), n.name...), ' ')
		return n.args[1].append(dst, n.prec()+1)
	case nodeCond:
		dst = n.args[0].append(dst, precOr)
		dst = n.args[1].append(append(dst, " ? "...), precCond)
		return n.args[2].append(append(dst, " : "...), precCond)
	case nodeCall:
		return append(appendAll(append(append(dst, n.name...), '('), n.args), ')')
	case nodeList:
		return append(appendAll(append(dst, '['), n.args), ']')
	default:
		return n.appendLeaf(dst)
	}
}

func (n *node) appendLeaf(dst []byte) []byte {
	switch n.kind {
	case nodeBool:
		return strconv.AppendBool(dst, n.num != 0)
	case nodeNum:
		return record.AppendNumber(dst, n.num)
	case nodeSize:
		return append(dst, human.Size(int64(n.num))...)
	case nodeDur:
		return appendDuration(dst, n.ns)
	case nodeText:
		return appendLiteral(dst, n.name)
	case nodeField:
		if n.plain() {
			return append(dst, n.name...)
		}
		return append(append(append(dst, '`'), n.name...), '`')
	default:
		return append(dst, "null"...)
	}
}

func appendAll(dst []byte, args []*node) []byte {
	for k, a := range args {
		if k > 0 {
			dst = append(dst, ", "...)
		}
		dst = a.append(dst, precCond)
	}
	return dst
}

func (n *node) prec() int {
	switch n.kind {
	case nodeNot:
		return precNot
	case nodeNeg:
		return precNeg
	case nodeBin:
		return precedences[n.name]
	case nodeCond:
		return precCond
	default:
		return precPrimary
	}
}

// operandPrec puts every operator behind not and - in parentheses: what
// needs none by the rules still needs them for the reader.
func operandPrec(operand *node, prec int) int {
	if operand.kind == nodeBin {
		return precPrimary
	}
	return prec
}

// plain reports whether the name of a field can stand without backquotes.
func (n *node) plain() bool {
	if n.quoted && slices.Contains(metaNames, n.name) {
		return false
	}
	tokens, err := lex(n.name)
	return err == nil && len(tokens) == 2 && tokens[0].kind == tokPath && !tokens[0].quoted && tokens[0].text == n.name
}

// Quote returns text as a string literal of the language.
func Quote(text string) string { return string(appendLiteral(nil, text)) }

// QuoteField returns the path of a field as the language writes it, in
// backquotes where it needs them; names of the record itself stay such.
func QuoteField(path string) string {
	return string((&node{kind: nodeField, name: path}).appendLeaf(nil))
}

// appendLiteral appends text as a string literal that lex reads back.
func appendLiteral(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ':
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// durationUnits are the units of appendDuration, the longest first.
var durationUnits = []struct {
	ns   uint64
	name string
}{
	{uint64(24 * time.Hour), "d"},
	{uint64(time.Hour), "h"},
	{uint64(time.Minute), "m"},
	{uint64(time.Second), "s"},
	{uint64(time.Millisecond), "ms"},
	{uint64(time.Microsecond), "us"},
	{1, "ns"},
}

// appendDuration appends nanoseconds as whole numbers of units: 1h30m, 1s500ms.
func appendDuration(dst []byte, ns int64) []byte {
	rest := uint64(ns)
	if ns < 0 {
		dst, rest = append(dst, '-'), -rest
	}
	if rest == 0 {
		return append(dst, "0s"...)
	}
	for _, u := range durationUnits {
		if k := rest / u.ns; k > 0 {
			dst = append(strconv.AppendUint(dst, k, 10), u.name...)
			rest -= k * u.ns
		}
	}
	return dst
}
