// Package peers asks other instances of the same group what they know, so that any
// instance can answer for all.
package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A Peer is another instance of the group.
type Peer struct {
	Name string // as it is known to all
	URL  string // where it answers; "" where nobody knows
}

// A Getter requests path from the instance at base, and returns the answer.
type Getter interface {
	Get(ctx context.Context, base, path string) ([]byte, error)
}

// A Circle is the instances of a group. It may be used from any goroutine.
type Circle struct {
	Others func(context.Context) ([]Peer, error) // those that there are now
	Client Getter
	Within time.Duration // how long one of them may take
}

// A Reply is the answer of one instance, or why there is none.
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

// Envelope returns the answer of the instance of that name to another instance.
func Envelope[T any](name string, said T) any { return envelope[T]{name, said} }

// Ask requests path from all others at the same time, and unpacks their Envelopes.
// There is one Reply for each, in the order of Others. Ask fails only if the others are
// not known.
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
