package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A gate is a sink that takes records when it is let.
type gate struct {
	pass chan struct{}
	mu   sync.Mutex
	got  []string
	err  error
}

func (g *gate) Write(rows record.Rows) error {
	<-g.pass
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := rows.Lo; i < rows.Hi; i++ {
		g.got = append(g.got, string(rows.Value(i)))
	}
	return g.err
}

func oneRow(text string) record.Rows {
	b := record.NewBatch()
	b.Add([]byte(text))
	return b.All()
}

// A sink that hangs holds nobody up: what it does not take in time is lost, and
// counted.
func TestDetachedHoldsNobodyUp(t *testing.T) {
	g := &gate{pass: make(chan struct{})}
	d := engine.Detach(func() (stream.Sink, error) { return g, nil })
	const n = 500
	for range n {
		if err := d.Write(oneRow("x")); err != nil {
			t.Fatal(err)
		}
	}
	if d.Flush(t.Context()) != nil || d.Lost() == 0 || d.Lost() == n {
		t.Errorf("%d of %d are lost", d.Lost(), n)
	}
	close(g.pass)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if len(g.got)+int(d.Lost()) != n {
		t.Errorf("%d taken, %d lost of %d", len(g.got), d.Lost(), n)
	}
}

// One that cannot be opened, or breaks, loses what it is given and no more.
func TestDetachedFailsNobody(t *testing.T) {
	broken := errors.New("read-only topic")
	d := engine.Detach(func() (stream.Sink, error) { return nil, broken })
	for range 3 {
		if err := d.Write(oneRow("x")); err != nil {
			t.Fatal(err)
		}
	}
	_ = d.Close()
	if d.Lost() != 3 || !errors.Is(d.Broken(), broken) {
		t.Errorf("%d lost for %v", d.Lost(), d.Broken())
	}
}

// A hesitant is a sink that says at a flush that it has not taken what it was given.
type hesitant struct {
	wrote int
	err   error
}

func (l *hesitant) Write(rows record.Rows) error { l.wrote += rows.Hi - rows.Lo; return nil }
func (l *hesitant) Flush(context.Context) error  { return l.err }

// What a sink says only at the end that it has not taken is lost, and counted.
func TestDetachedCountsWhatWasNotFlushed(t *testing.T) {
	for _, err := range []error{nil, errors.New("topic is read-only")} {
		l := &hesitant{err: err}
		d := engine.Detach(func() (stream.Sink, error) { return l, nil })
		for range 3 {
			if err := d.Write(oneRow("x")); err != nil {
				t.Fatal(err)
			}
		}
		_ = d.Close()
		want := int64(0)
		if err != nil {
			want = 3
		}
		if d.Lost() != want || !errors.Is(d.Broken(), err) {
			t.Errorf("%d of %d lost, want %d; broken: %v", d.Lost(), l.wrote, want, d.Broken())
		}
	}
}

// One that is required is a sink like any other.
func TestDetachedMayBeRequired(t *testing.T) {
	g := &gate{pass: make(chan struct{})}
	close(g.pass)
	d := engine.Detach(func() (stream.Sink, error) { return g, nil })
	d.Require()
	for range 300 {
		if err := d.Write(oneRow("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Flush(t.Context()); err != nil || len(g.got) != 300 || d.Lost() > 0 {
		t.Errorf("%v, %d taken, %d lost", err, len(g.got), d.Lost())
	}
	g.err = errors.New("disk full")
	_ = d.Write(oneRow("y"))
	if err := d.Flush(t.Context()); !errors.Is(err, g.err) {
		t.Errorf("flush: %v", err)
	}
	if err := d.Write(oneRow("z")); !errors.Is(err, g.err) {
		t.Errorf("write: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d.Flush(ctx) == nil {
		t.Error("a flush that is not waited for")
	}
	_ = d.Close()
}
