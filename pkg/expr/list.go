package expr

import "regexp"

// An Assignment is an entry of a list such as `service, ms=latency_ms * 1000`.
type Assignment struct {
	Name string // the name given, or the field itself
	Src  string // the expression
	Pos  int    // offset of the expression in the list
}

// A Call is an entry of a list of aggregates such as
// `n=count(), p99(latency_ms), topk(path, 10)`.
type Call struct {
	Name string   // the name given, or ""
	Func string   // the aggregate
	Args []string // its arguments in their normal form, to be compiled by whoever knows the aggregate
	Pos  int      // offset of the aggregate in the list
}

// Assignments splits a list of fields and named expressions. The expressions
// are parsed but not compiled.
func Assignments(src string) ([]Assignment, error) {
	var list []Assignment
	err := eachEntry(src, func(p *parser, name string, n *node) {
		if name == "" && n.kind != nodeField {
			hint := "name=" + n.String()
			if text := p.src[n.pos:p.last]; dashed.MatchString(text) {
				hint = QuoteField(text) + " is the field of that name; its quotes stand within those of the shell"
			}
			p.fail(n.pos, hint, "want a name for what is no mere field")
		}
		if name == "" {
			name = n.name
		}
		list = append(list, Assignment{name, p.src[n.pos:p.last], n.pos})
	})
	return list, err
}

// dashed is what is a difference, and more often meant as the name of a field.
var dashed = regexp.MustCompile(`^[a-zA-Z_]\w*(-[a-zA-Z_]\w*)+$`)

// Calls splits a list of aggregates.
func Calls(src string) ([]Call, error) {
	var list []Call
	err := eachEntry(src, func(p *parser, name string, n *node) {
		if n.kind != nodeCall {
			p.fail(n.pos, "", "want an aggregate such as count() or avg(field), not %s", n)
			return
		}
		call := Call{Name: name, Func: n.name, Pos: n.pos}
		for _, a := range n.args {
			call.Args = append(call.Args, a.String())
		}
		list = append(list, call)
	})
	return list, err
}

// eachEntry calls f with the name, or "", and the expression of each entry.
func eachEntry(src string, f func(p *parser, name string, n *node)) error {
	p, err := newParser(src)
	if err != nil {
		return err
	}
	for p.err == nil {
		name := ""
		if t := p.rest[0]; t.kind == tokPath && p.rest[1].kind == tokWord && p.rest[1].text == "=" {
			name = t.text
			p.next()
			p.next()
		}
		start := p.rest[0].pos
		if n := p.expression(); p.err == nil {
			n.pos = start // with its parentheses
			f(p, name, n)
		}
		if p.err != nil || p.atEnd() {
			break
		}
		if !p.accept(",") {
			p.unexpected("a comma or an operator")
		}
	}
	return p.err
}
