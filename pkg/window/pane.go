package window

import "github.com/logctl/logctl/pkg/aggregate"

// A pane holds the groups of a stretch of time: their keys and, for each of them,
// the states of the aggregates.
type pane struct {
	start int64
	*aggregate.Table
	cells   *aggregate.Cells
	counted int    // groups that the operator knows of
	changed []bool // groups that changed since the last update; nil unless updates are wanted
	touched bool   // any of them has
}

// newPane returns an empty pane with memory for like's groups.
func (o *Op) newPane(start int64, like *pane) *pane {
	var keys *aggregate.Table
	if like != nil {
		keys = like.Table
	}
	return &pane{start: start, Table: aggregate.NewTable(keys), cells: o.set.NewCells()}
}

// merge adds the groups of from.
func (p *pane) merge(from *pane) error {
	for g := range uint32(from.Len()) {
		kind, text := from.Key(g)
		to, err := p.Group(from.Hash(g), kind, text)
		if err != nil {
			return err
		}
		p.cells.Grow(p.Len())
		p.cells.Merge(to, from.cells, g)
		if from.changed != nil {
			p.mark(to, from.changed[g])
		}
	}
	return nil
}

// mark notes whether a group has changed.
func (p *pane) mark(g uint32, changed bool) {
	for len(p.changed) < p.Len() {
		p.changed = append(p.changed, false)
	}
	p.changed[g] = p.changed[g] || changed
	p.touched = p.touched || changed
}
