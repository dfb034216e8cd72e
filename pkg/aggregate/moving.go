package aggregate

// Where a window moves on, quantiles need not be merged anew: what leaves it is
// taken away from their counts. Only their smallest and largest value cannot be
// had so, like the other aggregates; those are merged from Edges.

// NewEdges returns cells without groups that keep only the smallest and the largest
// value for quantiles. Cells and edges of the same Set can be merged into them.
func (s *Set) NewEdges() *Cells {
	c := s.NewCells()
	for k, col := range c.cols {
		if q, ok := col.(*quantiles); ok {
			c.cols[k] = &extremes{in: q.in}
		}
	}
	return c
}

// A Moving holds the quantiles of groups that cells enter and leave.
type Moving struct {
	cols []*quantiles // nil where a column is something else
	row  Cells        // what Row has returned
}

// NewMoving returns a Moving without groups.
func (s *Set) NewMoving() *Moving {
	m := &Moving{cols: make([]*quantiles, len(s.states))}
	m.row = *s.NewCells()
	m.row.Grow(1)
	for k, col := range s.NewCells().cols {
		m.cols[k], _ = col.(*quantiles)
	}
	return m
}

// Grow makes room for n groups. New ones are empty.
func (m *Moving) Grow(n int) {
	for _, col := range m.cols {
		if col != nil && n > len(col.cells) {
			col.grow(n)
		}
	}
}

// Enter adds a group of cells.
func (m *Moving) Enter(to uint32, from *Cells, g uint32) {
	for k, col := range m.cols {
		if col != nil {
			col.merge(to, from.cols[k], g)
		}
	}
}

// Leave removes a group of cells that has entered.
func (m *Moving) Leave(to uint32, from *Cells, g uint32) {
	for k, col := range m.cols {
		if col != nil {
			col.cells[to].Subtract(&from.cols[k].(*quantiles).cells[g])
		}
	}
}

// Reset empties a group.
func (m *Moving) Reset(g uint32) {
	for _, col := range m.cols {
		if col != nil {
			col.reset(g)
		}
	}
}

// Row returns cells with a single group 0: group 0 of edges, with the quantiles of
// group g between its edges. They may only be read, and are valid until either changes.
func (m *Moving) Row(g uint32, edges *Cells) *Cells {
	for k, col := range edges.cols {
		if m.cols[k] == nil {
			m.row.cols[k] = col
			continue
		}
		edge := &col.(*extremes).cells[0]
		m.row.cols[k].(*quantiles).cells[0] = m.cols[k].cells[g].Between(edge.min, edge.max)
	}
	return &m.row
}
