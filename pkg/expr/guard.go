package expr

import (
	"math"
	"regexp/syntax"

	"github.com/logctl/logctl/pkg/record"
)

// A Guard is a cheap test of one field that a record must pass for a condition
// to hold. Passing it proves nothing: it chooses candidates.
type Guard struct {
	Column int // of the plan that the expression was compiled with, or Whole
	Kind   GuardKind
	Texts  []string // Equal: the text is one of these; Holds: one of these, in lower case, occurs in it
	Ranges []Range  // Within: the number lies in one of these
	Levels uint32   // Severe: a bit for each rank of Rank that the level may have
}

// Whole is the column of a guard that holds text of the record as it was read.
const Whole = -1

// GuardKind is what a guard tests.
type GuardKind uint8

// The kinds of guards.
const (
	Present GuardKind = iota // the field has a value
	Equal
	Holds
	Within
	Severe
)

// A Range is the numbers from Lo to Hi, both included.
type Range struct{ Lo, Hi float64 }

// A Term is guards that must all let a record pass.
type Term []Guard

// Guards returns what must hold wherever the condition does: one of the terms.
// Without any, nothing is known, and every record is a candidate. The plan must
// be the one that the expression was compiled with.
func (e *Expr) Guards(plan *record.Plan) []Term { return guards(e.tree, plan) }

// maxTerms bounds how many alternatives are told apart.
const maxTerms = 16

func guards(n *node, plan *record.Plan) []Term {
	switch {
	case n.kind == nodeField:
		return guard(plan, n, Guard{Kind: Equal, Texts: []string{"true"}})
	case n.kind == nodeCall:
		return callGuards(n, plan)
	case n.kind != nodeBin:
		return nil
	}
	switch n.name {
	case "and":
		return both(guards(n.args[0], plan), guards(n.args[1], plan))
	case "or":
		return either(guards(n.args[0], plan), guards(n.args[1], plan))
	case "in":
		return inGuards(n, plan)
	case "not in", "!=", "!~":
		return guard(plan, n.args[0], Guard{Kind: Present})
	case "=~":
		return matchGuards(n, plan)
	case "==", "<", "<=", ">", ">=":
		l, r, op := n.args[0], n.args[1], n.name
		if l.kind != nodeField {
			l, r, op = r, l, mirrored[op]
		}
		return compareGuards(plan, op, l, r)
	}
	return nil
}

// guard returns the one guard of a field; nothing for what is no field.
func guard(plan *record.Plan, n *node, g Guard) []Term {
	switch {
	case n.kind != nodeField:
		return nil
	case n.quoted || !isMeta(n.name):
		g.Column = plan.Column(n.name)
	case n.name == "_value" && g.Kind == Holds:
		g.Column = Whole
	default:
		return nil
	}
	return []Term{{g}}
}

// compareGuards are those of a field beside something.
func compareGuards(plan *record.Plan, op string, l, r *node) []Term {
	num, isNum := literalNumber(r)
	switch {
	case isNum:
		return guard(plan, l, Guard{Kind: Within, Ranges: []Range{rangeOf(op, num)}})
	case r.kind == nodeText && isLevelField(l) && severity([]byte(r.name)) > 0:
		return guard(plan, l, Guard{Kind: Severe, Levels: levelsFor(op, severity([]byte(r.name)))})
	case r.kind == nodeText && op == "==":
		return guard(plan, l, Guard{Kind: Equal, Texts: []string{r.name}})
	default:
		return guard(plan, l, Guard{Kind: Present})
	}
}

// literalNumber returns the number that n writes down.
func literalNumber(n *node) (float64, bool) {
	switch n.kind {
	case nodeNum, nodeSize:
		return n.num, true
	case nodeNeg:
		f, ok := literalNumber(n.args[0])
		return -f, ok
	default:
		return 0, false
	}
}

func rangeOf(op string, f float64) Range {
	switch op {
	case "==":
		return Range{f, f}
	case "<", "<=":
		return Range{math.Inf(-1), f}
	default:
		return Range{f, math.Inf(1)}
	}
}

// ranks are the severities in order: a level's rank is its place here.
var ranks = []int{10, 20, 30, 35, 40, 50, 60, 70, 80}

// Ranks is how many ranks there are.
var Ranks = len(ranks)

// Rank returns the rank of the level that text names, the greater the worse;
// -1 where it names none.
func Rank(text []byte) int {
	s := severity(text)
	for k, r := range ranks {
		if r == s {
			return k
		}
	}
	return -1
}

func levelsFor(op string, want int) (bits uint32) {
	holds := holdsFor(op)
	for k, r := range ranks {
		if holds(r - want) {
			bits |= 1 << k
		}
	}
	return bits
}

// inGuards are those of a field in a list, each entry by itself.
func inGuards(n *node, plan *record.Plan) []Term {
	var all []Term
	for k, item := range n.args[1].args {
		g := compareGuards(plan, "==", n.args[0], item)
		if k == 0 {
			all = g
			continue
		}
		all = either(all, g)
	}
	return all
}

// matchGuards are those of a field beside a regular expression.
func matchGuards(n *node, plan *record.Plan) []Term {
	if n.args[1].kind != nodeText {
		return guard(plan, n.args[0], Guard{Kind: Present})
	}
	tree, err := syntax.Parse(n.args[1].name, syntax.Perl)
	if err != nil {
		return nil
	}
	return needleGuard(plan, n.args[0], required(tree.Simplify()))
}

// shortestNeedle is the length below which text occurs nearly everywhere.
const shortestNeedle = 2

func needleGuard(plan *record.Plan, field *node, needles []needle) []Term {
	if len(needles) == 0 || shortest(needles) < shortestNeedle {
		return guard(plan, field, Guard{Kind: Present})
	}
	g := Guard{Kind: Holds}
	for _, n := range needles {
		g.Texts = append(g.Texts, lowered(n.text))
	}
	return guard(plan, field, g)
}

// lowered returns text with its ASCII letters in lower case.
func lowered(text []byte) string {
	low := make([]byte, len(text))
	for i, c := range text {
		low[i] = toLower(c)
	}
	return string(low)
}

// callGuards are those of a call that is a condition by itself.
func callGuards(n *node, plan *record.Plan) []Term {
	switch n.name {
	case "has", "in_network":
		return guard(plan, n.args[0], Guard{Kind: Present})
	case "contains", "starts_with", "ends_with":
		if n.args[1].kind == nodeText {
			return needleGuard(plan, n.args[0], []needle{{text: []byte(n.args[1].name)}})
		}
		return guard(plan, n.args[0], Guard{Kind: Present})
	default:
		return nil
	}
}

// both returns the terms of two conditions that must hold: each with each. One
// that is not known, or too many, leaves those of the other.
func both(a, b []Term) []Term {
	if a == nil || b == nil {
		return append(a, b...)
	}
	if len(a)*len(b) > maxTerms {
		if len(b) < len(a) {
			return b
		}
		return a
	}
	all := make([]Term, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			all = append(all, x.and(y))
		}
	}
	return all
}

// and returns the guards of both terms, those of one kind and field as one.
func (t Term) and(o Term) Term {
	all := append(Term(nil), t...)
	for _, g := range o {
		k := all.find(g)
		if k < 0 {
			all = append(all, g)
			continue
		}
		all[k] = all[k].and(g)
	}
	return all
}

func (t Term) find(g Guard) int {
	for k := range t {
		if t[k].Column == g.Column && t[k].Kind == g.Kind {
			return k
		}
	}
	return -1
}

// and returns a guard of what both let pass, or one of them.
func (g Guard) and(o Guard) Guard {
	switch g.Kind {
	case Severe:
		g.Levels &= o.Levels
	case Within:
		var common []Range
		for _, x := range g.Ranges {
			for _, y := range o.Ranges {
				if r := (Range{max(x.Lo, y.Lo), min(x.Hi, y.Hi)}); r.Lo <= r.Hi {
					common = append(common, r)
				}
			}
		}
		g.Ranges = common
	case Equal, Holds:
		if len(o.Texts) < len(g.Texts) {
			return o
		}
	}
	return g
}

// either returns the terms of two conditions of which one must hold.
func either(a, b []Term) []Term {
	if a == nil || b == nil {
		return nil
	}
	if last := a[len(a)-1]; len(b) == 1 && len(last) == 1 && len(b[0]) == 1 && last.find(b[0][0]) == 0 {
		return append(append([]Term(nil), a[:len(a)-1]...), Term{last[0].or(b[0][0])})
	}
	if len(a)+len(b) > maxTerms {
		return nil
	}
	return append(append([]Term(nil), a...), b...)
}

// or returns a guard of what either of two guards of one kind lets pass.
func (g Guard) or(o Guard) Guard {
	g.Levels |= o.Levels
	g.Ranges = append(append([]Range(nil), g.Ranges...), o.Ranges...)
	g.Texts = append(append([]string(nil), g.Texts...), o.Texts...)
	return g
}
