package stream

import (
	"context"
	"sync"

	"github.com/logctl/logctl/pkg/record"
)

// Locked returns a sink that several goroutines may use; it calls s from one at a time.
// It is a Flusher and a Pusher.
func Locked(s Sink) Sink { return &locked{to: s} }

type locked struct {
	mu sync.Mutex
	to Sink
}

func (l *locked) Write(rows record.Rows) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(rows)
}

func (l *locked) Flush(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.to.(Flusher); ok {
		return f.Flush(ctx)
	}
	return nil
}

func (l *locked) Push() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.to.(Pusher); ok {
		return p.Push()
	}
	return nil
}
