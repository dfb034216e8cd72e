package stream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// gathers keeps what it is given, and holds the batches until it is flushed.
type gathers struct {
	got  []string
	held []*record.Batch
	err  error
}

func (g *gathers) Write(rows record.Rows) error {
	rows.Retain()
	g.held = append(g.held, rows.Batch)
	return g.err
}

func (g *gathers) Flush(context.Context) error {
	for _, b := range g.held {
		for i := range b.Recs {
			g.got = append(g.got, string(b.Value(i)))
		}
		b.Release()
	}
	g.held = nil
	return nil
}

func TestSplit(t *testing.T) {
	even, odd := new(gathers), new(gathers)
	s := stream.Split(func(b *record.Batch, i int) int { return int(b.Recs[i].Offset) % 2 }, even, odd)
	pool := record.NewPool(1, 100)
	b, err := pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		b.Add(fmt.Append(nil, i)).Offset = int64(i)
	}
	b.Recs[2].Flags = record.Dropped
	if err := s.Write(record.Rows{Batch: b, Lo: 1, Hi: 7}); err != nil {
		t.Fatal(err)
	}
	b.Release()
	if err := s.(stream.Flusher).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(even.got, odd.got) != "[4 6] [1 3 5]" {
		t.Errorf("even %v, odd %v", even.got, odd.got)
	}
	if b, err = pool.Get(t.Context()); err != nil { // the views have let go of it
		t.Fatal(err)
	}
	b.Add([]byte("1"))
	odd.err = errors.New("full")
	b.Recs[0].Offset = 1
	if err := s.Write(b.All()); !errors.Is(err, odd.err) {
		t.Errorf("error %v", err)
	}
}
