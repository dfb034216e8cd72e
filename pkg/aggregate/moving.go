package aggregate

// Where a window moves on, quantiles need not be merged anew: what leaves it is
// taken away from their counts. Only their smallest and largest value cannot be
// had so, like the other aggregates; those are merged from Edges.

// NewEdges returns cells of no group that keep of quantiles only the smallest and
// the largest value. Cells of the Set, and edges of it, can be merged into them.
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

// NewMoving returns one of no group.
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

// Leave takes a group of cells away that has entered.
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

// Row returns cells with group 0 alone: that of edges, with the quantiles of a group
// between them. They are valid until either changes, and only for being read.
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
