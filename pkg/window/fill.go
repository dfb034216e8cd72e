package window

import (
	"bytes"
	"encoding/binary"
	"io"
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

// see notes a key of a window that has records.
func (f *filling) see(e *entry, w int64) {
	hash := aggregate.HashKey(e.kind, e.text)
	k, ok := f.table.Find(hash, e.kind, e.text)
	if !ok {
		if f.table.Len() == maxKnown {
			return
		}
		k, _ = f.table.Group(hash, e.kind, e.text) // the keys of a window are within the limit
		f.last, f.dirty, f.order = append(f.last, w), append(f.dirty, true), nil
	}
	f.last[k], f.dirty[k] = w, true
}

// write writes the rows of a window, in the order of keys: those of its groups, which
// each gives, and of the known keys that have none in it.
func (f *filling) write(w window, each func(func(*entry) error) error, put func(*entry) error) error {
	if f.order == nil {
		f.order = f.ranked(&groups{Table: f.table})
	}
	known := f.order
	empty := func(before []byte, last bool) error { // those before a key, or all that are left
		for ; len(known) > 0 && (last || bytes.Compare(known[0].key, before) < 0); known = known[1:] {
			k := known[0]
			if !f.empty(f.last[k.group], w.number) {
				continue
			}
			e := entry{key: k.key}
			e.kind, e.text = f.table.Key(k.group)
			if err := put(&e); err != nil {
				return err
			}
		}
		return nil
	}
	err := each(func(e *entry) error {
		if err := empty(e.key, false); err != nil {
			return err
		}
		if len(known) > 0 && bytes.Equal(known[0].key, e.key) {
			known = known[1:]
		}
		f.see(e, w.number)
		return put(e)
	})
	if err == nil {
		err = empty(nil, true)
	}
	if err != nil {
		return err
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
	each := func(f func(*entry) error) error { return a.eachGroup(w, f) }
	return a.fill[w.shape].write(w.window, each, func(e *entry) error {
		if !e.empty() && a.cfg.Emit == Update && e.mark&unsaid == 0 {
			return nil
		}
		return a.put(e.result(w.window, true), out)
	})
}

// eachGroup calls f for the groups of a window, in the order of keys, wherever they
// stand.
func (a *aligned) eachGroup(w openWindow, f func(*entry) error) error {
	if len(w.panes) == 0 {
		return nil
	}
	if a.isSpilled(w) {
		return a.eachEntry(w, f)
	}
	all, err := a.groupsOf(w)
	if err != nil {
		return err
	}
	r := ranks{gs: all, list: a.ranked(all)}
	for {
		e, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(e)
		}
		if err != nil {
			return err
		}
	}
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
