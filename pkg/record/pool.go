package record

import (
	"context"
	"sync"
)

// maxKept is the arena that a batch keeps when it goes back to its pool, so
// that one huge record does not hold its memory for ever.
const maxKept = 4 << 20

// A Pool is a fixed number of batches. Taking one waits until another is
// released: that is the back-pressure and the memory bound of a pipeline.
type Pool struct {
	free  chan struct{} // something for each batch that may be taken
	idle  *shelf
	arena int
}

// A shelf has batches that are not in use, the last one that was on top: its memory
// is likelier to be near.
type shelf struct {
	mu      sync.Mutex
	batches []*Batch
}

// NewBatch returns a batch of no pool, owned once: for what is rare, or small.
func NewBatch() *Batch {
	b := new(Batch)
	b.refs.Store(1)
	return b
}

// NewPool returns a pool of n batches with arenas of the given size in bytes.
func NewPool(n, arena int) *Pool {
	return newPool(n, arena, new(shelf))
}

// Like returns another pool of n batches. Batches that are not in use serve both: they
// take no more memory than the most that were in use at a time.
func (p *Pool) Like(n int) *Pool { return newPool(n, p.arena, p.idle) }

func newPool(n, arena int, idle *shelf) *Pool {
	p := &Pool{make(chan struct{}, n), idle, arena}
	for range n {
		p.free <- struct{}{}
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
	case <-p.free:
		return p.take(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// TryGet is Get, except that it does not wait: false where there is none.
func (p *Pool) TryGet() (*Batch, bool) {
	select {
	case <-p.free:
		return p.take(), true
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
	case <-p.free:
		return p.take(), nil
	case <-urgent:
		return NewBatch(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// take returns a batch of the shelf, or a new one.
func (p *Pool) take() *Batch {
	b := p.idle.take()
	if cap(b.Data) < p.arena || cap(b.Data) > max(maxKept, 2*p.arena) {
		b.Data = make([]byte, 0, p.arena)
	}
	b.home = p
	b.refs.Store(1)
	return b
}

// put takes back an empty batch.
func (p *Pool) put(b *Batch) {
	p.idle.mu.Lock()
	p.idle.batches = append(p.idle.batches, b)
	p.idle.mu.Unlock()
	p.free <- struct{}{}
}

func (s *shelf) take() *Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.batches) - 1
	if n < 0 {
		return new(Batch)
	}
	b := s.batches[n]
	s.batches[n] = nil
	s.batches = s.batches[:n]
	return b
}
