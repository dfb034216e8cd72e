package peers

import (
	"context"
	"sync"
	"time"
)

// How old an answer may be before the next one is fetched in the background, and before
// callers wait for it.
const (
	freshFor  = time.Second
	usableFor = 10 * time.Second
)

// A Recent remembers the last answer of Get, so that many callers cause at most one
// call a second. Callers wait only if there is no answer of the last ten seconds. It
// may be used from any goroutine.
type Recent[T any] struct {
	Get func(context.Context) (T, error)

	mu    sync.Mutex
	value T
	at    time.Time
	next  chan struct{} // closed when the question under way is answered; nil where there is none
	err   error         // of the last one
}

// Value returns the answer, at most ten seconds old.
func (r *Recent[T]) Value(ctx context.Context) (T, error) {
	r.mu.Lock()
	age := time.Since(r.at)
	if age >= freshFor && r.next == nil {
		r.next = make(chan struct{})
		go r.ask(context.WithoutCancel(ctx))
	}
	next, value := r.next, r.value
	r.mu.Unlock()
	if age < usableFor {
		return value, nil
	}
	select {
	case <-next:
	case <-ctx.Done():
		return value, context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.value, r.err
}

func (r *Recent[T]) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, usableFor)
	defer cancel()
	value, err := r.Get(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = err; err == nil {
		r.value, r.at = value, time.Now()
	}
	close(r.next)
	r.next = nil
}
