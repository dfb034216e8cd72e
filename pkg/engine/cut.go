package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/logctl/logctl/pkg/stream"
)

// A cut is what one commit makes durable: all that was processed up to a moment.
// What comes after it belongs to the next one, and stays behind the gates until
// this one is done.
type cut struct {
	positions [][]stream.Position // of each source
	changed   []*task             // whose entries are to be saved
	sent      int64               // rows that were written before
	began     int64
}

// cut makes a cut between two batches; nil where there is nothing to commit.
func (r *run) cut(now bool) (*cut, error) {
	if err := r.out.push(); err != nil {
		return nil, err
	}
	c := &cut{positions: r.lanes.moved(), sent: r.out.sent, began: r.Now()}
	if r.unburied != nil {
		return nil, r.unburied
	}
	all := slices.Concat(c.positions...)
	if len(all) == 0 && c.sent == r.flushed && !now {
		return nil, nil
	}
	if err := r.gather(c); err != nil {
		return nil, err
	}
	if k, ok := r.Sink.(stream.Keeper); ok && r.Exactly {
		k.Keep(all)
	}
	return c, nil
}

// begin has a cut made durable by a goroutine of its own, and shuts the gates. It
// gives way to operators that go on beside it.
func (r *run) begin(ctx context.Context, c *cut, beside bool) {
	r.underway = c
	for _, g := range r.gates() {
		g.shut(r.await)
	}
	go func() {
		if beside {
			r.GiveWay()
		}
		r.cuts <- r.keep(ctx, c)
	}()
}

// gates returns the ways to all sinks.
func (r *run) gates() []*Gate { return append([]*Gate{r.graves, r.out.gate}, r.Sides...) }

// keep makes a cut durable, in the order that loses nothing: first the output and
// the dead letters, then the positions behind them.
func (r *run) keep(ctx context.Context, c *cut) error {
	if err := r.holds(ctx); err != nil {
		return err
	}
	for _, t := range c.changed {
		if err := t.save(r.Vault); err != nil {
			return fmt.Errorf("saving state%s: %w", t.name(), err)
		}
	}
	// A sink may refuse records and hand them to the dead letters while it is
	// flushed. One that keeps the positions comes last instead.
	order := []any{r.Sink, r.Dead, r.Vault}
	if r.Exactly {
		order = []any{r.Dead, r.Sink}
		if any(r.Vault) != any(r.Sink) {
			order = []any{r.Dead, r.Vault, r.Sink}
		}
	}
	for _, s := range r.Sides {
		order = slices.Insert(order, 0, any(s.to))
	}
	if err := flush(ctx, order); err != nil || r.AtMostOnce {
		return err
	}
	return r.commitPositions(ctx, c.positions)
}

// holds returns an error where a state may be older by now than what another reader has
// kept of the same partition. Exactly once, that is found out by the commit itself.
func (r *run) holds(ctx context.Context) error {
	if r.Vault == nil || r.Exactly {
		return nil
	}
	for _, s := range r.Sources {
		if h, ok := s.(stream.Holder); ok {
			if err := h.Holds(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func flush(ctx context.Context, order []any) error {
	for _, s := range order {
		if f, ok := s.(stream.Flusher); ok {
			if err := f.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish waits for the commit that is under way, if there is one, and answers
// questions meanwhile.
func (r *run) finish() error {
	if r.underway == nil {
		return nil
	}
	r.Ask.rest(r)
	err := <-r.cuts
	r.Ask.work()
	return r.finished(err)
}

// await is finish in the midst of an operator's work, where nobody may look at it.
func (r *run) await() error {
	began := r.Now()
	defer func() { r.Stats.stood(r.Now() - began) }()
	return r.finished(<-r.cuts)
}

// finished notes the end of the commit that was under way, and opens the gates.
func (r *run) finished(err error) error {
	c := r.underway
	r.underway = nil
	if err != nil {
		for _, g := range r.gates() {
			g.shut(func() error { return err })
		}
		return err
	}
	r.flushed = c.sent
	r.Stats.CommitNanos.Store(r.Now() - c.began)
	for _, g := range r.gates() {
		if err := g.open(); err != nil {
			return err
		}
	}
	return nil
}
