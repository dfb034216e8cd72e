package session

const (
	blockBits = 12
	blockLen  = 1 << blockBits
)

// An arena holds values in blocks that do not move, numbered from 1 on: 0 stands
// for none. Where T has no pointers, the collector does not look into it.
type arena[T any] struct {
	blocks []*[blockLen]T
	next   uint32   // the first number that was never used
	free   []uint32 // numbers that are to be used again
}

// at returns the value of a number.
func (a *arena[T]) at(n uint32) *T { return &a.blocks[n>>blockBits][n&(blockLen-1)] }

// add returns the number of a new value, which is zero.
func (a *arena[T]) add() uint32 {
	if k := len(a.free); k > 0 {
		n := a.free[k-1]
		a.free = a.free[:k-1]
		return n
	}
	a.next = max(a.next, 1)
	n := a.next
	a.next++
	if int(n>>blockBits) == len(a.blocks) {
		a.blocks = append(a.blocks, new([blockLen]T))
	}
	return n
}

// remove gives a number up.
func (a *arena[T]) remove(n uint32) {
	var zero T
	*a.at(n) = zero
	a.free = append(a.free, n)
}

// len returns how many values there are.
func (a *arena[T]) len() int { return int(max(a.next, 1)) - 1 - len(a.free) }
