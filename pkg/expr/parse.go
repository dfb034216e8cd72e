package expr

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// nodeKind is what a node of the syntax tree is.
type nodeKind uint8

const (
	nodeNull  nodeKind = iota
	nodeBool           // num is 0 or 1
	nodeNum            // num
	nodeSize           // num, in bytes
	nodeDur            // ns
	nodeText           // name
	nodeField          // name is its path
	nodeList           // args
	nodeNot            // args[0]
	nodeNeg            // args[0]
	nodeBin            // name is the operator, args its sides
	nodeCond           // args are the condition, then, else
	nodeCall           // name is the function
)

// A node is a node of the syntax tree.
type node struct {
	kind     nodeKind
	name     string
	num      float64
	ns       int64
	args     []*node
	pos, end int  // where it stands in the source
	quoted   bool // the name of a field was backquoted
}

// Precedences: the tighter an operator binds, the greater.
const (
	precCond = iota
	precOr
	precAnd
	precNot
	precCompare
	precAdd
	precMul
	precNeg
	precElse
	precPrimary
)

var precedences = map[string]int{
	"or": precOr, "and": precAnd,
	"==": precCompare, "!=": precCompare, "<": precCompare, "<=": precCompare, ">": precCompare, ">=": precCompare,
	"=~": precCompare, "!~": precCompare, "in": precCompare, "not in": precCompare,
	"+": precAdd, "-": precAdd, "*": precMul, "/": precMul, "%": precMul, "??": precElse,
}

// maxDepth bounds the nesting of an expression.
const maxDepth = 500

// A parser turns tokens into a tree by precedence climbing. Its first error
// stays, and from then on it sees nothing but the end.
type parser struct {
	src   string
	rest  []token // begins with the token at hand, ends with a tokEnd
	last  int     // end of the token before
	depth int
	err   error
}

func newParser(src string) (*parser, error) {
	tokens, err := lex(src)
	return &parser{src: src, rest: tokens, err: err}, err
}

// parse reads src as one expression.
func parse(src string) (*node, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	n := p.expression()
	if p.err == nil && !p.atEnd() {
		p.unexpected("an operator")
	}
	return n, p.err
}

func (p *parser) fail(pos int, hint, format string, args ...any) {
	if p.err == nil {
		p.err = syntaxError(p.src, pos, hint, format, args...)
		p.rest = p.rest[len(p.rest)-1:]
	}
}

// unexpected fails at the token at hand.
func (p *parser) unexpected(want string) {
	t := p.rest[0]
	came := "the end"
	if t.kind != tokEnd {
		came = p.src[t.pos:t.end]
	}
	p.fail(t.pos, misreading(p.src[:t.pos], p.rest), "want %s, not %s", want, came)
}

// misreading returns a hint for words that mean something elsewhere: for the
// first of rest, behind the text before.
func misreading(before string, rest []token) string {
	word := strings.ToLower(rest[0].text)
	var next string
	if len(rest) > 1 {
		next = rest[1].text
	}
	switch {
	case rest[0].kind == tokWord:
		return misreadSign(before, word, next)
	case rest[0].kind != tokPath:
		return ""
	case slices.Contains(keywords, word):
		return "did you mean " + word + "?"
	case word == "as" && next != "":
		return "the name comes first: " + next + "=…"
	}
	return elsewhere[word]
}

// misreadSign is misreading for what is no name.
func misreadSign(before, word, next string) string {
	switch {
	case word == "=" && (next == ">" || next == "<"):
		return "did you mean " + next + "=?"
	case word == "=":
		return "did you mean ==?"
	case word == "not":
		return "put it in parentheses: (not x)"
	case word == ">" && strings.HasSuffix(before, "<"):
		return "did you mean !=?"
	case word == "/":
		return `a regular expression stands in quotes: field =~ "^GET /api"`
	case word == "*" && strings.HasSuffix(before, "count("):
		return "write count()"
	}
	return ""
}

const containsHint = `write contains(field, "text"), starts_with, ends_with, or field =~ "regular expression"`

// elsewhere has hints for words of other languages.
var elsewhere = map[string]string{
	"contains":   containsHint,
	"startswith": containsHint,
	"endswith":   containsHint,
	"matches":    containsHint,
	"like":       containsHint,
	"is":         "write has(field) or not has(field)",
	"between":    "write x >= a and x <= b",
}

func (p *parser) atEnd() bool { return p.rest[0].kind == tokEnd }

func (p *parser) next() {
	if t := p.rest[0]; t.kind != tokEnd {
		p.rest = p.rest[1:]
		p.last = t.end
	}
}

// at reports whether the token at hand is the given word.
func (p *parser) at(word string) bool { return p.rest[0].kind == tokWord && p.rest[0].text == word }

// accept takes the given word where it is at hand.
func (p *parser) accept(word string) bool {
	if p.at(word) {
		p.next()
		return true
	}
	return false
}

func (p *parser) want(word string) {
	if !p.accept(word) {
		p.unexpected(word)
	}
}

func (p *parser) expression() *node {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		p.fail(p.rest[0].pos, "", "nested too deeply: want at most %d levels", maxDepth)
	}
	cond := p.binary(precOr)
	if !p.accept("?") {
		return cond
	}
	then := p.expression()
	p.want(":")
	other := p.expression()
	return &node{kind: nodeCond, args: []*node{cond, then, other}, pos: cond.pos, end: p.last}
}

// binary reads operators that bind at least as tightly as prec.
func (p *parser) binary(prec int) *node {
	left := p.prefix(prec)
	for {
		op, own := p.operator()
		if own < prec {
			return left
		}
		pos := p.rest[0].pos
		p.takeOperator(op)
		if (op == "in" || op == "not in") && p.at("(") {
			p.fail(p.rest[0].pos, `write field in ["a", "b"]`, "want a list behind %s", op)
		}
		right := p.binary(own + 1)
		left = &node{kind: nodeBin, name: op, args: []*node{left, right}, pos: left.pos, end: p.last}
		if own != precCompare {
			continue
		}
		readLevels(left)
		if _, again := p.operator(); again == precCompare {
			p.fail(p.rest[0].pos, "join comparisons: a < b and b < c",
				"one comparison follows another (%s at column %d)", op, pos+1)
		}
	}
}

// operator returns the binary operator at hand; -1 where there is none.
func (p *parser) operator() (op string, prec int) {
	t := p.rest[0]
	if t.kind != tokWord {
		return "", -1
	}
	op = t.text
	if op == "not" && p.rest[1].kind == tokWord && p.rest[1].text == "in" {
		op = "not in"
	}
	if prec, ok := precedences[op]; ok {
		return op, prec
	}
	return "", -1
}

func (p *parser) takeOperator(op string) {
	p.next()
	if op == "not in" {
		p.next()
	}
}

// prefix reads a value with what stands before it.
func (p *parser) prefix(prec int) *node {
	pos := p.rest[0].pos
	kind, inner := nodeNot, precNot
	switch {
	case p.at("not") && prec <= precNot:
	case p.at("-"):
		kind, inner = nodeNeg, precNeg
	default:
		return p.primary()
	}
	p.next()
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		p.fail(pos, "", "nested too deeply: want at most %d levels", maxDepth)
	}
	arg := p.binary(inner)
	return &node{kind: kind, args: []*node{arg}, pos: pos, end: p.last}
}

func (p *parser) primary() *node {
	t := p.rest[0]
	n := &node{pos: t.pos, end: t.end, name: t.text, num: t.num, ns: t.ns, quoted: t.quoted}
	switch t.kind {
	case tokNum:
		n.kind = nodeNum
	case tokSize:
		n.kind = nodeSize
	case tokDur:
		n.kind = nodeDur
	case tokText:
		n.kind = nodeText
	case tokPath:
		n.kind = nodeField
	default:
		return p.word(n)
	}
	p.next()
	if n.kind == nodeField && !n.quoted && p.at("(") {
		n.kind = nodeCall
		n.args = p.list("(", ")")
		n.end = p.last
	}
	return n
}

// word reads what begins with a keyword or a bracket.
func (p *parser) word(n *node) *node {
	switch {
	case p.accept("null"):
		n.kind = nodeNull
	case p.accept("true"):
		n.kind, n.num = nodeBool, 1
	case p.accept("false"):
		n.kind = nodeBool
	case p.at("["):
		n.kind, n.args = nodeList, p.list("[", "]")
		n.end = p.last
	case p.accept("("):
		n = p.expression()
		p.want(")")
	default:
		p.unexpected("a value")
	}
	return n
}

// list reads expressions between brackets.
func (p *parser) list(open, end string) []*node {
	var args []*node
	p.want(open)
	for p.err == nil && !p.at(end) {
		args = append(args, p.expression())
		if !p.accept(",") {
			break
		}
		if p.at(end) {
			p.unexpected("a value")
		}
	}
	if !p.accept(end) {
		p.unexpected(", or " + end)
	}
	return args
}

// readLevels turns bare level words beside the level into text: level >= WARN.
func readLevels(n *node) {
	for k, side := range n.args {
		if !isLevelField(side) {
			continue
		}
		other := n.args[1-k]
		toLevelWord(other)
		if other.kind == nodeList {
			for _, item := range other.args {
				toLevelWord(item)
			}
		}
	}
}

func toLevelWord(n *node) {
	if n.kind == nodeField && !n.quoted && len(n.name) > 1 && severity([]byte(n.name)) > 0 {
		n.kind = nodeText
	}
}

func isLevelField(n *node) bool {
	return n.kind == nodeField && record.IsAlias(record.LevelField, n.name)
}
