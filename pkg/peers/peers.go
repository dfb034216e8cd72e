// Package peers asks the instances that share one work what each of them knows, so
// that any of them can answer for all.
package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A Peer is another instance.
type Peer struct {
	Name string // as it is known to all
	URL  string // where it answers; "" where nobody knows
}

// A Getter asks an instance at base and returns what it answers to path.
type Getter interface {
	Get(ctx context.Context, base, path string) ([]byte, error)
}

// A Circle is the instances that share a work. It may be used from any goroutine.
type Circle struct {
	Others func(context.Context) ([]Peer, error) // those that there are now
	Client Getter
	Within time.Duration // how long one of them may take
}

// A Reply is what one instance says, or why it does not.
type Reply[T any] struct {
	Peer
	Said T
	Err  error
}

// An envelope goes between instances. It names who says it: an address may by now
// be that of another instance, or on this machine mean this one.
type envelope[T any] struct {
	Name string `json:"name"`
	Said T      `json:"said"`
}

// Envelope returns what the instance of that name answers to another one.
func Envelope[T any](name string, said T) any { return envelope[T]{name, said} }

// Ask asks all others at the same time for what their own Envelope holds under
// path. There is one Reply for each, in the order of Others; its error is that
// nobody knows who the others are.
func Ask[T any](ctx context.Context, c *Circle, path string) ([]Reply[T], error) {
	others, err := c.Others(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	replies := make([]Reply[T], len(others))
	var asking sync.WaitGroup
	for i, p := range others {
		replies[i].Peer = p
		asking.Go(func() { replies[i].Said, replies[i].Err = ask[T](ctx, c, p, path) })
	}
	asking.Wait()
	return replies, nil
}

func ask[T any](ctx context.Context, c *Circle, p Peer, path string) (said T, err error) {
	if p.URL == "" {
		return said, fmt.Errorf("it cannot be asked: it runs without --listen")
	}
	body, err := c.Client.Get(ctx, p.URL, path)
	if err != nil {
		return said, err
	}
	var e envelope[T]
	if err := json.Unmarshal(body, &e); err != nil {
		return said, fmt.Errorf("asking %s: not an answer between instances: %w", p.URL, err)
	}
	if e.Name != p.Name {
		return said, fmt.Errorf("asking %s: %q answers there", p.URL, e.Name)
	}
	return e.Said, nil
}
