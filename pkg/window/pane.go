package window

import (
	"bytes"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
)

// A pane holds the groups of a stretch of time: a table of keys, and for each
// of the operator's states a column with a cell for every group. It holds few
// pointers, however many groups there are.
type pane struct {
	start   int64
	slots   []uint32 // group + 1 by hash, open addressing
	hashes  []uint64 // of each group's key
	ends    []uint32 // of each group's key in text
	text    []byte   // keys: a byte with the kind of the value, then its bytes
	cols    []column
	counted int    // groups that the operator knows of
	changed []bool // groups that changed since the last update; nil unless updates are wanted
	touched bool   // any of them has
}

// newPane returns an empty pane with memory for like's groups.
func (o *Op) newPane(start int64, like *pane) *pane {
	p := &pane{start: start, cols: make([]column, len(o.states))}
	n, text := 0, 0
	if like != nil {
		n, text = len(like.hashes), len(like.text)
	}
	p.slots = make([]uint32, tableSize(n))
	p.hashes = make([]uint64, 0, n)
	p.ends = make([]uint32, 0, n)
	p.text = make([]byte, 0, text)
	for k, make := range o.states {
		p.cols[k] = make()
	}
	return p
}

// tableSize returns the size of a table for n groups: at most half full.
func tableSize(n int) int {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return size
}

func (p *pane) len() int { return len(p.hashes) }

// key returns the kind and the bytes of a group's key.
func (p *pane) key(g uint32) (record.Kind, []byte) {
	start := uint32(0)
	if g > 0 {
		start = p.ends[g-1]
	}
	return record.Kind(p.text[start]), p.text[start+1 : p.ends[g]]
}

// errKeys ends a run whose windows hold more bytes of keys than a table can.
var errKeys = errors.New("the keys of one window are longer than 4 GiB together: group by something shorter")

// group returns the group of a key, which it adds where it is new.
func (p *pane) group(hash uint64, kind record.Kind, text []byte) (uint32, error) {
	if g, ok := p.find(hash, kind, text); ok {
		return g, nil
	}
	if kind == record.String && !utf8.Valid(text) {
		// JSON cannot tell apart what it shows as U+FFFD: neither do groups.
		text = []byte(string([]rune(string(text))))
		hash = hashKey(kind, text)
		if g, ok := p.find(hash, kind, text); ok {
			return g, nil
		}
	}
	if uint64(len(p.text)+len(text)+1) > math.MaxUint32 {
		return 0, errKeys
	}
	return p.insert(hash, kind, text), nil
}

func (p *pane) find(hash uint64, kind record.Kind, text []byte) (uint32, bool) {
	mask := uint64(len(p.slots) - 1)
	for s := hash & mask; p.slots[s] != 0; s = (s + 1) & mask {
		g := p.slots[s] - 1
		if p.hashes[g] == hash {
			if k, t := p.key(g); k == kind && bytes.Equal(t, text) {
				return g, true
			}
		}
	}
	return 0, false
}

func (p *pane) insert(hash uint64, kind record.Kind, text []byte) uint32 {
	g := uint32(len(p.hashes))
	p.hashes = append(p.hashes, hash)
	p.text = append(append(p.text, byte(kind)), text...)
	p.ends = append(p.ends, uint32(len(p.text)))
	if 2*len(p.hashes) > len(p.slots) {
		p.slots = make([]uint32, 2*len(p.slots))
		for old := range g {
			p.link(old)
		}
	}
	p.link(g)
	return g
}

func (p *pane) link(g uint32) {
	mask := uint64(len(p.slots) - 1)
	s := p.hashes[g] & mask
	for p.slots[s] != 0 {
		s = (s + 1) & mask
	}
	p.slots[s] = g + 1
}

// hashKey returns the hash of a value by its kind and text.
func hashKey(kind record.Kind, text []byte) uint64 {
	return xxh3.Hash(text) + uint64(kind)*0x9e3779b97f4a7c15
}

// merge adds the groups of from.
func (p *pane) merge(from *pane) error {
	for g := range uint32(from.len()) {
		kind, text := from.key(g)
		to, err := p.group(from.hashes[g], kind, text)
		if err != nil {
			return err
		}
		for k, c := range p.cols {
			c.grow(p.len())
			c.merge(to, from.cols[k], g)
		}
		if from.changed != nil {
			p.mark(to, from.changed[g])
		}
	}
	return nil
}

// mark notes whether a group has changed.
func (p *pane) mark(g uint32, changed bool) {
	for len(p.changed) < p.len() {
		p.changed = append(p.changed, false)
	}
	p.changed[g] = p.changed[g] || changed
	p.touched = p.touched || changed
}
