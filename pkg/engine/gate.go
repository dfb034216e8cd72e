package engine

import (
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Gate stands between the operators and a sink. It is shut during a commit: what
// operators write then belongs to the next commit, and is kept back until the present
// one is done. There is limited room for it; an operator that writes more waits for the
// commit.
type Gate struct {
	to   stream.Sink
	pool *record.Pool
	wait func() error    // opens the gate when the commit is done; nil while it is open
	kept []*record.Batch // what was written since it was shut
}

// keptBatches is how many batches a shut gate has room for: 8 MiB of rows.
const keptBatches = 32

// NewGate returns a gate to a sink. It is open.
func NewGate(to stream.Sink) *Gate {
	return &Gate{to: to, pool: record.NewPool(keptBatches, defaultArena)}
}

// Write passes rows on, or while the gate is shut, keeps copies of them.
func (g *Gate) Write(rows record.Rows) error {
	if g.wait == nil {
		return g.to.Write(rows)
	}
	b := g.last(rows)
	if b == nil {
		var ok bool
		if b, ok = g.pool.TryGet(); !ok {
			if err := g.wait(); err != nil {
				return err
			}
			return g.to.Write(rows)
		}
		g.kept = append(g.kept, b)
	}
	b.CopyRows(rows, nil)
	return nil
}

// last returns the batch that was kept last, if it has room for rows and they may
// be in one.
func (g *Gate) last(rows record.Rows) *record.Batch {
	if len(g.kept) == 0 {
		return nil
	}
	b := g.kept[len(g.kept)-1]
	if b.Origin != rows.Origin || b.Zone != rows.Zone || b.Plan != rows.Plan || len(b.Data) > defaultArena/2 {
		return nil
	}
	return b
}

// shut has what is written kept back. A gate that may be nil leads nowhere.
func (g *Gate) shut(wait func() error) {
	if g != nil {
		g.wait = wait
	}
}

// open hands on what was kept back.
func (g *Gate) open() error {
	if g == nil {
		return nil
	}
	g.wait = nil
	kept := g.kept
	g.kept = g.kept[:0]
	var err error
	for _, b := range kept {
		if err == nil {
			err = g.to.Write(b.All())
		}
		b.Release()
	}
	return err
}
