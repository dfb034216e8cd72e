package record

import "sync"

// Arenas are lent to batches while these are filled. Where there are thousands of batches,
// most of them hold little: each has an arena of its own as large as it needs. They may be
// used by many goroutines.
type Arenas struct {
	size int
	free sync.Pool // of *[]byte
}

// NewArenas returns arenas of the given size in bytes.
func NewArenas(size int) *Arenas {
	a := &Arenas{size: size}
	a.free.New = func() any {
		arena := make([]byte, 0, size)
		return &arena
	}
	return a
}

// Lend leaves whoever fills an empty batch an arena of the size.
func (a *Arenas) Lend(b *Batch) {
	b.wide, b.Data = b.Data[:0], *a.free.Get().(*[]byte) //nolint:forcetypeassert // it has no others
}

// Settle takes the arena back: what fills less than half of it moves to the batch's own. A
// batch that has more keeps it.
func (a *Arenas) Settle(b *Batch) {
	back, got := b.wide, b.Data
	b.wide = nil
	if len(got) <= a.size/2 {
		b.Data, back = append(back, got...), got
	}
	if cap(back) == a.size {
		back = back[:0]
		a.free.Put(&back)
	}
}
