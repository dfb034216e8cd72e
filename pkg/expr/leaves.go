package expr

import "slices"

// Leaves returns the conditions that e joins by and, or and not, in their normal
// form; e itself where it joins none.
func (e *Expr) Leaves() (list []string) {
	var walk func(*node)
	walk = func(n *node) {
		if n.kind == nodeNot || n.kind == nodeBin && (n.name == "and" || n.name == "or") {
			for _, a := range n.args {
				walk(a)
			}
			return
		}
		list = append(list, n.String())
	}
	walk(e.tree)
	return list
}

// Fields returns the paths of the fields that e reads, in order.
func (e *Expr) Fields() (paths []string) {
	var walk func(*node)
	walk = func(n *node) {
		if n.kind == nodeField && (n.quoted || !isMeta(n.name)) && !slices.Contains(paths, n.name) {
			paths = append(paths, n.name)
		}
		for _, a := range n.args {
			walk(a)
		}
	}
	walk(e.tree)
	return paths
}
