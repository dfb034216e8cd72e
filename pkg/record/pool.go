package record

import "context"

// maxKept is the arena that a batch keeps when it goes back to its pool, so
// that one huge record does not hold its memory for ever.
const maxKept = 4 << 20

// A Pool is a fixed number of batches. Taking one waits until another is
// released: that is the back-pressure and the memory bound of a pipeline.
type Pool struct {
	free  chan *Batch
	arena int
}

// NewBatch returns a batch of no pool, owned once: for what is rare, or small.
func NewBatch() *Batch {
	b := new(Batch)
	b.refs.Store(1)
	return b
}

// NewPool returns a pool of n batches with arenas of the given size in bytes.
func NewPool(n, arena int) *Pool {
	p := &Pool{make(chan *Batch, n), arena}
	for range n {
		p.free <- &Batch{home: p.free}
	}
	return p
}

// Get takes an empty batch out of the pool, owned once. It waits for one, or
// returns the context's error.
func (p *Pool) Get(ctx context.Context) (*Batch, error) {
	if b, ok := p.TryGet(); ok {
		return b, nil
	}
	select {
	case b := <-p.free:
		return p.fit(b), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// TryGet is Get, except that it does not wait: false where there is none.
func (p *Pool) TryGet() (*Batch, bool) {
	select {
	case b := <-p.free:
		return p.fit(b), true
	default:
		return nil, false
	}
}

// GetOr is Get, except that when the pool is empty and urgent has something, it
// returns a batch of no pool, without an arena.
func (p *Pool) GetOr(ctx context.Context, urgent <-chan struct{}) (*Batch, error) {
	if b, ok := p.TryGet(); ok {
		return b, nil
	}
	select {
	case b := <-p.free:
		return p.fit(b), nil
	case <-urgent:
		return NewBatch(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *Pool) fit(b *Batch) *Batch {
	if cap(b.Data) < p.arena || cap(b.Data) > max(maxKept, 2*p.arena) {
		b.Data = make([]byte, 0, p.arena)
	}
	b.refs.Store(1)
	return b
}
