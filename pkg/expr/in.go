package expr

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// smallList is up to how many texts are compared one by one instead of being
// looked up in a map.
const smallList = 8

// in compiles `x in [...]`, which is x == a or x == b, and `x not in [...]`,
// which is x != a and x != b. Lists of numbers alone or texts alone are
// compared at once.
func (c *compiler) in(n *node) (code, error) {
	x, err := c.compile(n.args[0])
	if err != nil {
		return code{}, err
	}
	list := n.args[1]
	if list.kind != nodeList {
		return code{}, c.errorAt(list, `write field in ["a", "b"]; for a text within text, contains(field, "a")`,
			"want a list behind %s", n.name)
	}
	if len(list.args) == 0 {
		return code{}, c.errorAt(list, "", "the list is empty")
	}
	not := n.name == "not in"
	items := make([]code, len(list.args))
	for k, a := range list.args {
		if items[k], err = c.compile(a); err != nil {
			return code{}, err
		}
		if err := c.refuse(&node{name: "==", pos: n.pos}, x, items[k]); err != nil {
			return code{}, err
		}
	}
	isLit := func(t Type) func(code) bool { return func(i code) bool { return !i.isLit(t) } }
	large := slices.ContainsFunc(list.args, beyondExact)
	switch {
	case !slices.ContainsFunc(items, isLit(Num)) && x.has(Any, Num, Text) && !large:
		return c.inNumbers(not, x, items), nil
	case !slices.ContainsFunc(items, isLit(Text)) && x.has(Any, Text) && !isLevelField(x.node):
		return inTexts(not, x, items), nil
	default:
		return c.inAny(not, x, items)
	}
}

func (c *compiler) inNumbers(not bool, x code, items []code) code {
	num := c.counted(x)
	var list []float64
	for _, item := range items {
		list = append(list, item.lit.Num)
	}
	return testCode(func(b *record.Batch, i int) bool {
		f, ok := num(b, i)
		return ok && slices.Contains(list, f) != not
	})
}

func inTexts(not bool, x code, items []code) code {
	text := x.asText()
	var list []string
	set := map[string]bool{}
	for _, item := range items {
		list = append(list, string(item.lit.Text))
		set[string(item.lit.Text)] = true
	}
	if len(list) > smallList {
		return testCode(func(b *record.Batch, i int) bool {
			t, ok := text(b, i)
			return ok && set[string(t)] != not
		})
	}
	return testCode(func(b *record.Batch, i int) bool {
		t, ok := text(b, i)
		if !ok {
			return false
		}
		for _, s := range list {
			if len(s) == len(t) && s == string(t) {
				return !not
			}
		}
		return not
	})
}

func (c *compiler) inAny(not bool, x code, items []code) (code, error) {
	op := "=="
	if not {
		op = "!="
	}
	var tests []testFn
	for _, item := range items {
		t, err := c.compare(&node{name: op, pos: x.node.pos}, x, item)
		if err != nil {
			return code{}, err
		}
		tests = append(tests, t.test)
	}
	return testCode(func(b *record.Batch, i int) bool {
		for _, t := range tests {
			if t(b, i) != not {
				return !not
			}
		}
		return not
	}), nil
}
