package window

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// Fill says whether rows are written for empty windows of known keys.
type Fill int

// The ways to fill.
const (
	FillNone Fill = iota // windows without records have no rows
	FillZero             // aggregates are 0 (lists empty)
	FillNull             // aggregates are null
)

// How long an empty window of a key is worth a row, and of how many keys.
const (
	maxEmpty = 1000 // windows in a row, then the key is forgotten until it comes again
	maxKnown = 100_000
)

func (c *Config) checkFill() error {
	if c.Fill != FillNone && (c.Slide || c.Gap > 0) {
		return fault.Usagef("", "only windows of given bounds can be empty: neither --slide nor --gap can be filled")
	}
	return nil
}

// A filling knows the keys of a shape, for the rows of their empty windows.
type filling struct {
	*Op
	shape int
	hop   int64
	table *aggregate.Table
	last  []int64 // of each key: the last window that had records
	dirty []bool  // last was changed since the last call of Changes
	gone  [][]byte
	next  int64     // the window to be written next, where there are keys
	order []ranking // the keys in the order of rows; nil: to be made
}

func newFilling(o *Op, shape int, hop int64) *filling {
	return &filling{Op: o, shape: shape, hop: hop, table: aggregate.NewTable(nil)}
}

// active reports whether there may be something to fill.
func (f *filling) active() bool { return f != nil && f.table.Len() > 0 }

// empty reports whether a key that was last seen in a window has a row of w if that
// is empty.
func (f *filling) empty(last, w int64) bool { return (w-last)/f.hop <= maxEmpty }

// see notes the keys of a window that has records.
func (f *filling) see(gs *groups, w int64) {
	for g := range uint32(gs.Len()) {
		kind, text := gs.Key(g)
		k, ok := f.table.Find(gs.Hash(g), kind, text)
		if !ok {
			if f.table.Len() == maxKnown {
				continue
			}
			k, _ = f.table.Group(gs.Hash(g), kind, text) // the keys of a window are within the limit
			f.last, f.dirty, f.order = append(f.last, w), append(f.dirty, true), nil
		}
		f.last[k], f.dirty[k] = w, true
	}
}

// write writes the rows of a window: those of its groups, and of the known keys that
// have none in it.
func (f *filling) write(w window, all *groups, put func(ranking, *groups) error) error {
	ranked := f.ranked(all)
	f.see(all, w.number)
	if f.order == nil {
		f.order = f.Op.ranked(&groups{Table: f.table})
	}
	for _, k := range f.order {
		for len(ranked) > 0 && bytes.Compare(ranked[0].key, k.key) <= 0 {
			if err := put(ranked[0], all); err != nil {
				return err
			}
			ranked = ranked[1:]
		}
		if last := f.last[k.group]; last == w.number || !f.empty(last, w.number) {
			continue
		}
		if err := put(k, nil); err != nil {
			return err
		}
	}
	for _, k := range ranked {
		if err := put(k, all); err != nil {
			return err
		}
	}
	f.next = w.number + f.hop
	f.forget()
	return nil
}

// forget forgets the keys that are not filled any more, once they are many.
func (f *filling) forget() {
	old := 0
	for _, last := range f.last {
		if !f.empty(last, f.next) {
			old++
		}
	}
	if old == 0 || old < f.table.Len() && old < maxEmpty {
		return
	}
	kept := aggregate.NewTable(nil)
	var last []int64
	var dirty []bool
	for g := range uint32(f.table.Len()) {
		if !f.empty(f.last[g], f.next) {
			if f.tracking {
				f.gone = append(f.gone, f.key(nil, g))
			}
			continue
		}
		copyKey(kept, f.table, g)
		last, dirty = append(last, f.last[g]), append(dirty, f.dirty[g])
	}
	f.table, f.last, f.dirty, f.order = kept, last, dirty, nil
}

func (f *filling) key(key []byte, g uint32) []byte {
	return appendGroupKey(append(key, entryKnown, byte(f.shape)), f.table, g)
}

// changes gives away the known keys.
func (f *filling) changes(s *saver) error {
	if err := s.gone(&f.gone); err != nil {
		return err
	}
	for g := range f.last {
		if !f.dirty[g] {
			continue
		}
		s.key = f.key(s.key[:0], uint32(g))
		s.value = binary.AppendVarint(s.value[:0], f.last[g])
		if err := s.put(s.key, s.value); err != nil {
			return err
		}
		f.dirty[g] = false
	}
	return nil
}

func (f *filling) unsave() {
	f.gone = nil
	for g := range f.dirty {
		f.dirty[g] = true
	}
}

// restore takes back a known key.
func (f *filling) restore(key, value []byte) (bool, error) {
	kind, text := record.Kind(key[2]), key[3:]
	r := readEntry(value)
	last := r.Varint()
	if !f.keys.Valid(kind, text) || !r.Done() || !possible(last) {
		return false, nil
	}
	g, err := f.table.Group(aggregate.HashKey(kind, text), kind, text)
	if err != nil || int(g) != len(f.last) {
		return false, err
	}
	f.last, f.dirty, f.order = append(f.last, last), append(f.dirty, false), nil
	f.next = max(f.next, last+f.hop)
	return true, nil
}

// writeFilled is write for the final rows of windows that are filled.
func (a *aligned) writeFilled(w openWindow, out stream.Output) error {
	all := &groups{Table: aggregate.NewTable(nil)}
	if len(w.panes) > 0 {
		var err error
		if all, err = a.groupsOf(w); err != nil {
			return err
		}
	}
	f := a.fill[w.shape]
	return f.write(w.window, all, func(k ranking, from *groups) error {
		r := result{window: w.window, key: k.key, final: true}
		if from == nil {
			r.kind, r.text = f.table.Key(k.group)
			return a.put(&r, out)
		}
		if a.cfg.Emit == Update && !from.is(unsaid, k.group) {
			return nil
		}
		r.kind, r.text = from.Key(k.group)
		r.cells, r.group = from.cells, k.group
		return a.put(&r, out)
	})
}

// emptyBefore returns the next window of the shape that is to be filled before w; ok
// is false where there is none.
func (f *filling) emptyBefore(w int64, found bool, from int64) (next int64, ok bool) {
	if !f.active() {
		return 0, false
	}
	next = max(f.next, from)
	newest := slices.Max(f.last)
	return next, f.empty(newest, next) && (!found || next < w)
}
