package aggregate

import "github.com/logctl/logctl/pkg/record"

// Cells hold the states of a Set's aggregates for groups, which are numbered from 0.
type Cells struct {
	cols []column
	n    int
}

// NewCells returns cells of no group.
func (s *Set) NewCells() *Cells {
	c := &Cells{cols: make([]column, len(s.states))}
	for k, make := range s.states {
		c.cols[k] = make()
	}
	return c
}

// Grow makes cells for n groups. New ones are empty.
func (c *Cells) Grow(n int) {
	if n <= c.n {
		return
	}
	for _, col := range c.cols {
		col.grow(n)
	}
	c.n = n
}

// Add adds rows of a prepared batch; rows[k] goes to groups[k].
func (c *Cells) Add(b *record.Batch, rows []int32, groups []uint32) {
	for _, col := range c.cols {
		col.add(b, rows, groups)
	}
}

// Merge adds a group of other cells of the same Set.
func (c *Cells) Merge(to uint32, from *Cells, g uint32) {
	for k, col := range c.cols {
		col.merge(to, from.cols[k], g)
	}
}

// Reset empties a group's cells.
func (c *Cells) Reset(g uint32) {
	for _, col := range c.cols {
		col.reset(g)
	}
}

// Encode appends the state of a group.
func (c *Cells) Encode(dst []byte, g uint32) []byte {
	for _, col := range c.cols {
		dst = col.encode(dst, g)
	}
	return dst
}

// Decode sets the state of a group from what Encode has written at the start of src,
// and returns the rest of src. Malformed bytes are an error.
func (c *Cells) Decode(g uint32, src []byte) (rest []byte, err error) {
	for _, col := range c.cols {
		if src, err = col.decode(g, src); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// sampled is how many groups tell how much memory all of them take.
const sampled = 32

// Memory estimates how many bytes the cells take from a sample of them: three times
// their encoded size, plus the size of a small state for each.
func (c *Cells) Memory() int {
	const cell = 40
	step := max(c.n/sampled, 1)
	n, bytes := 0, []byte(nil)
	for g := 0; g < c.n; g += step {
		bytes = c.Encode(bytes, uint32(g))
		n++
	}
	if n == 0 {
		return 0
	}
	return c.n * (cell*len(c.cols) + 3*len(bytes)/n)
}

// A column is one state of all groups, a cell for each group.
type column interface {
	accumulator
	keeper
}

type accumulator interface {
	// grow makes cells for n groups, more than there were.
	grow(n int)
	// add adds the given rows of b, which Prepare has seen, each to the group
	// that stands in its place of groups.
	add(b *record.Batch, rows []int32, groups []uint32)
	// merge adds a cell of another column of the same state.
	merge(to uint32, from column, g uint32)
}

type keeper interface {
	// reset empties a cell.
	reset(g uint32)
	// encode appends a cell's bytes.
	encode(dst []byte, g uint32) []byte
	// decode replaces a cell by the one at the start of src.
	decode(g uint32, src []byte) (rest []byte, err error)
}
