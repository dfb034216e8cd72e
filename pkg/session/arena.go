package session

const (
	blockBits = 12
	blockLen  = 1 << blockBits
)

// An arena holds values in blocks that do not move, numbered from 1 on: 0 stands
// for none. Where T has no pointers, the collector does not look into it.
//
// Blocks are slices: before a pointer to an array is used its first byte is read, to see
// that it is not nil, and memory has to be waited for once more.
type arena[T any, P linked[T]] struct {
	blocks [][]T
	unused uint32 // the first number that was never used; 0 is 1
	free   uint32 // a number that is to be used again, which links to the next one
	n      int    // values that there are
}

// A linked value has room for the number of another one while it is not used.
type linked[T any] interface {
	*T
	link() *uint32
}

// at returns the value of a number.
func (a *arena[T, P]) at(n uint32) *T { return &a.blocks[n>>blockBits][n&(blockLen-1)] }

// add returns the number of a new value, which is zero.
func (a *arena[T, P]) add() uint32 {
	a.n++
	if n := a.free; n != 0 {
		link := P(a.at(n)).link()
		a.free, *link = *link, 0
		return n
	}
	n := max(a.unused, 1)
	a.unused = n + 1
	if int(n>>blockBits) == len(a.blocks) {
		a.blocks = append(a.blocks, make([]T, blockLen))
	}
	return n
}

// remove gives a number up. Until it is used again its value is zero but for
// the link.
func (a *arena[T, P]) remove(n uint32) {
	var zero T
	v := a.at(n)
	*v = zero
	*P(v).link() = a.free
	a.free = n
	a.n--
}
