package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/peers"
)

// A lagSum is how many records of all topics that are read are not read yet. It may
// be used from any goroutine.
type lagSum struct {
	mu      sync.Mutex
	sources []*kafka.Source
	recent  peers.Recent[int64]
}

func newLagSum() *lagSum {
	l := new(lagSum)
	l.recent.Get = l.ask
	return l
}

func (l *lagSum) add(src *kafka.Source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sources = append(l.sources, src)
}

var errNoPartitions = errors.New("no partitions are assigned yet")

// ask asks where the topics end. An error is not remembered: the next one asks again.
func (l *lagSum) ask(context.Context) (n int64, _ error) {
	l.mu.Lock()
	sources := slices.Clone(l.sources)
	l.mu.Unlock()
	for _, src := range sources {
		lag, known := src.Lag()
		if !known {
			return 0, errNoPartitions
		}
		n += lag
	}
	return n, nil
}

// sum returns the sum as it was lately, -1 where it is not known.
func (l *lagSum) sum(ctx context.Context) int64 {
	l.mu.Lock()
	none := len(l.sources) == 0
	l.mu.Unlock()
	if none {
		return -1
	}
	n, err := l.recent.Value(ctx)
	if err != nil {
		return -1
	}
	return n
}
