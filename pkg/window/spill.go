package window

import (
	"bytes"
	"cmp"
	"io"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/stream"
)

// checkMemory makes sure that memory can be bounded where it is to be.
func (c *Config) checkMemory() error {
	switch {
	case c.MaxMemory == 0:
		return nil
	case (c.Gap > 0 || c.Slide) && c.Emit != Final:
		return fault.Usagef("leave --emit out: it is final",
			"with --gap and --slide memory can only be bounded of windows that are written once")
	default:
		return aggregate.CheckBound(c.MaxMemory, c.Spill)
	}
}

// A spiller is a machine of which a part may be on disk.
type spiller interface {
	// leave forgets that. What cannot be deleted is gone with the run.
	leave()
}

func (a *aligned) leave() {
	for _, p := range a.panes {
		for _, t := range p.older {
			_ = a.forgetPart(t)
		}
	}
	for _, gone := range a.goneParts {
		_ = a.forgetPart(gone.part)
	}
}

// memory returns about how many bytes groups take.
func (gs *groups) memory() int64 {
	return int64(gs.Table.Memory()+gs.cells.Memory()) + int64(cap(gs.marks))
}

// relieve spills the largest panes where memory is beyond its bound, down to half of
// it. Updates are written before, so that nothing is left to be said of what is
// spilled.
func (a *aligned) relieve(out stream.Output) error {
	few := a.groups < a.measured+a.measured/4+1024 && int64(a.groups)*a.perGroup < a.cfg.MaxMemory
	if a.cfg.MaxMemory == 0 || few && a.unmeasured < max(a.cfg.MaxMemory/8, 1<<20) {
		return nil
	}
	held := a.measure()
	if held < a.cfg.MaxMemory {
		return nil
	}
	if a.cfg.Emit != Final {
		if err := a.update(out); err != nil {
			return err
		}
	}
	for _, t := range a.trees {
		if t != nil {
			clear(t.nodes)
		}
	}
	return a.spillAll(held)
}

// spillAll spills panes, the largest first.
func (a *aligned) spillAll(held int64) error {
	starts := slices.Clone(a.starts)
	slices.SortFunc(starts, func(x, y int64) int {
		return cmp.Or(cmp.Compare(a.panes[y].Len(), a.panes[x].Len()), cmp.Compare(x, y))
	})
	for _, start := range starts {
		p := a.panes[start]
		for _, t := range p.older {
			if t.groups != nil {
				held -= t.memory()
				if err := a.spill(t); err != nil {
					return err
				}
			}
		}
		if held < a.cfg.MaxMemory/2 {
			break
		}
		if p.Len() == 0 || a.keys.Len() == 0 {
			continue
		}
		held -= p.memory()
		a.groups -= p.counted
		if err := a.spill(p.freeze(a.newGroups(nil))); err != nil {
			return err
		}
	}
	a.measure()
	return nil
}

// measure returns about how many bytes all panes take, and notes what a group does.
func (a *aligned) measure() (held int64) {
	for _, p := range a.panes {
		held += p.memory()
		for _, t := range p.older {
			if t.groups != nil {
				held += t.memory()
			}
		}
	}
	a.perGroup, a.measured, a.unmeasured = held/int64(max(a.groups, 1)), a.groups, 0
	return held
}

// isSpilled reports whether a window has parts besides its panes' groups.
func (a *aligned) isSpilled(w openWindow) bool {
	return slices.ContainsFunc(w.panes, func(at int64) bool { return len(a.panes[at].older) > 0 })
}

// eachEntry merges the parts of a window, one group after the other in the order of
// keys. What it gives is valid until f returns.
func (a *aligned) eachEntry(w openWindow, f func(e *entry) error) error {
	var all []entries
	for _, at := range w.panes {
		p := a.panes[at]
		all = append(all, &ranks{gs: &p.groups, list: a.ranked(&p.groups)})
		for _, t := range p.older {
			all = append(all, a.read(t))
		}
	}
	heads := make([]*entry, len(all))
	for i, r := range all {
		if err := advance(r, &heads[i]); err != nil {
			return err
		}
	}
	sum, tmp := a.oneCell(), a.oneCell()
	var key, text []byte
	for {
		least := leastOf(heads)
		if least == nil {
			return nil
		}
		sum.Reset(0)
		key = append(key[:0], least.key...)
		text = append(text[:0], least.text...)
		e := entry{key: key, kind: least.kind, text: text, cells: sum}
		for i, h := range heads {
			if h == nil || !bytes.Equal(h.key, key) {
				continue
			}
			e.mark |= h.mark
			if err := h.addTo(sum, tmp); err != nil {
				return err
			}
			if err := advance(all[i], &heads[i]); err != nil {
				return err
			}
		}
		if err := f(&e); err != nil {
			return err
		}
	}
}

func (o *Op) oneCell() *aggregate.Cells {
	c := o.set.NewCells()
	c.Grow(1)
	return c
}

// advance goes to the next entry, nil behind the last one.
func advance(r entries, to **entry) error {
	e, err := r.next()
	if err == io.EOF {
		err = nil
	}
	*to = e
	return err
}

// leastOf returns the first entry in the order of keys.
func leastOf(heads []*entry) (least *entry) {
	for _, h := range heads {
		if h != nil && (least == nil || bytes.Compare(h.key, least.key) < 0) {
			least = h
		}
	}
	return least
}

// writeSpilled is write for a window that is not all in memory.
func (a *aligned) writeSpilled(w openWindow, final bool, out stream.Output) error {
	return a.eachEntry(w, func(e *entry) error {
		if (!final || a.cfg.Emit == Update) && e.mark&unsaid == 0 {
			return nil
		}
		return a.put(e.result(w.window, final), out)
	})
}

func (e *entry) result(w window, final bool) *result {
	return &result{window: w, key: e.key, kind: e.kind, text: e.text, cells: e.cells, group: e.group, final: final}
}
