package engine_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/logctl/logctl/pkg/engine"
	"github.com/logctl/logctl/pkg/record"
)

// A crowd is many sources that all wait for the last of them, as files that are followed
// wait for more.
type crowd struct {
	lines
	waiting *sync.WaitGroup
	lent    *atomic.Int64 // bytes of the batches that were filled
}

func (c *crowd) Await(context.Context) {
	if c.at == len(c.times) && c.waiting != nil {
		c.waiting.Done()
		c.waiting.Wait()
		c.waiting = nil
	}
}

func (c *crowd) Read(ctx context.Context, b *record.Batch) error {
	err := c.lines.Read(ctx, b)
	if err == nil {
		c.lent.Add(int64(cap(b.Data)))
	}
	return err
}

// TestManySources: of thousands of sources those that wait hold no batch, their readers have
// no threads of their own, and the batches of those that give little are small.
func TestManySources(t *testing.T) {
	const n = 2000
	var waiting sync.WaitGroup
	waiting.Add(n)
	var lent, gaveWay atomic.Int64
	p := engine.Pipeline{Order: engine.AsItArrives, Parsers: 1}
	for i := range n {
		c := &crowd{lines: lines{name: "s", times: []int64{int64(i)}, n: 1}, waiting: &waiting, lent: &lent}
		p.Sources = append(p.Sources, c)
	}
	var held weighed
	p.Sink = &held
	p.GiveWay = func() { gaveWay.Add(1) }
	if err := runSoon(t.Context(), t, p); err != nil {
		t.Fatal(err)
	}
	if held.records != n || held.bytes > 1000*n {
		t.Errorf("%d records in batches of %d bytes, want %d in small ones", held.records, held.bytes, n)
	}
	if lent.Load() < 30_000*n {
		t.Errorf("batches of %d bytes were filled, want large ones", lent.Load())
	}
	if gaveWay.Load() >= n {
		t.Errorf("%d goroutines have threads", gaveWay.Load())
	}
	for _, s := range p.Sources {
		if s.(*crowd).waiting != nil {
			t.Fatal("a source was asked for more before it had waited for it")
		}
	}
}

// weighed is a sink that notes how large the batches are that it is given.
type weighed struct{ records, bytes int }

func (w *weighed) Write(rows record.Rows) error {
	w.records += rows.Hi - rows.Lo
	w.bytes += cap(rows.Data)
	return nil
}
