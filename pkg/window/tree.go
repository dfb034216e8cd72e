package window

import "math/bits"

// A tree keeps panes of a shape whose windows overlap merged by twos, by fours, by
// eights and so on, so that a window is merged from a few of them and not from
// all of its panes. Only what is over is merged, and kept only where it saves
// memory: panes that share few keys stay apart.
type tree struct {
	*aligned
	shape *shape
	nodes map[node]*groups // nil where merging saves nothing
}

// A node is 2^level cells of the shape's grid that begin at a multiple of that.
type node struct {
	level int
	at    int64 // the number of its first cell by 2^level
}

// fewCells is how many cells a window must have for a tree to be worth it.
const fewCells = 4

// newTree returns a tree for a shape, nil where it is no use.
func (a *aligned) newTree(s *shape) *tree {
	if !s.overlaps || s.cell != 1 || s.cells < fewCells {
		return nil
	}
	return &tree{aligned: a, shape: s, nodes: map[node]*groups{}}
}

// cover appends groups that make up the cells from lo to hi.
func (t *tree) cover(parts []*groups, lo, hi int64) ([]*groups, error) {
	for lo < hi {
		level := min(bits.TrailingZeros64(uint64(lo)), bits.Len64(uint64(hi-lo))-1)
		var err error
		if parts, err = t.visit(parts, node{level, lo >> level}); err != nil {
			return nil, err
		}
		lo += 1 << level
	}
	return parts, nil
}

// visit appends groups that make up a node.
func (t *tree) visit(parts []*groups, n node) ([]*groups, error) {
	start, end := t.shape.grid.time(n.at<<n.level), t.shape.grid.time((n.at+1)<<n.level)
	panes := t.between(start, end)
	if len(panes) < 2 {
		return t.appendPanes(parts, panes), nil
	}
	kept, known := t.nodes[n]
	if kept != nil {
		return append(parts, kept), nil
	}
	before := len(parts)
	if n.level == 0 {
		parts = t.appendPanes(parts, panes)
	} else {
		var err error
		for half := range int64(2) {
			if parts, err = t.visit(parts, node{n.level - 1, 2*n.at + half}); err != nil {
				return nil, err
			}
		}
	}
	if known || end > t.over {
		return parts, nil
	}
	return t.keep(parts, before, n)
}

// keep merges the parts from before on, and keeps that where it is worth it.
func (t *tree) keep(parts []*groups, before int, n node) ([]*groups, error) {
	sum := 0
	for _, p := range parts[before:] {
		sum += p.Len()
	}
	all, err := t.merged(parts[before:])
	if err != nil {
		return nil, err
	}
	if 3*all.Len() > 2*sum {
		t.nodes[n] = nil
		return parts, nil
	}
	t.nodes[n] = all
	return append(parts[:before], all), nil
}

// outdate forgets what a pane is part of.
func (t *tree) outdate(p *pane) {
	cell := t.shape.grid.index(p.start)
	for level := 0; level < bits.Len64(uint64(t.shape.cells)); level++ {
		delete(t.nodes, node{level, cell >> level})
	}
}

// pass forgets nodes that begin before the window behind w does: no window that is
// left holds all of them.
func (t *tree) pass(w int64) {
	for cell := w; cell < w+t.shape.hop; cell++ {
		for level := 0; level < bits.Len64(uint64(t.shape.cells)); level++ {
			delete(t.nodes, node{level, cell >> level})
			if cell>>level&1 != 0 {
				break
			}
		}
	}
}
