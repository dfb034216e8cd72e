package aggregate

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// firsts keeps the first n different values.
type firsts struct {
	in *input
	n  int
	origins
	cells []seen
	list  []pick // of a cell, sorted
}

// seen are the values of a cell. Their texts stand together, so that a value costs
// no memory of its own.
type seen struct {
	hashes []uint64
	items  []item
	texts  []byte // in no order, and some that are no item's any more
}

// An item is a pick whose text is among those of its cell.
type item struct {
	time, turn int64
	origin     *record.Origin
	off, size  uint32
	kind       record.Kind
}

func (c *firsts) grow(n int) { c.cells = grown(c.cells, n) }

func (c *firsts) add(b *record.Batch, rows []int32, groups []uint32) {
	hashes, values := b.Words(c.in.at), b.Words(c.in.at+1)
	for k, i := range rows {
		if v, rec := record.Value(values[i]), &b.Recs[i]; v.Kind() != record.Missing {
			p := pick{rec.Time, rec.Turn(), b.Origin, v.Kind(), textOf(b, v)}
			c.cells[groups[k]].put(hashes[i], &p, c.n)
		}
	}
}

// at returns a value, whose text is valid until the next put.
func (s *seen) at(k int) pick {
	it := &s.items[k]
	return pick{it.time, it.turn, it.origin, it.kind, s.texts[it.off : it.off+it.size]}
}

// put adds a value where it is among the first n.
func (s *seen) put(hash uint64, p *pick, n int) {
	k := slices.Index(s.hashes, hash)
	switch {
	case k >= 0:
		if known := s.at(k); p.compare(&known) >= 0 {
			return
		}
	case len(s.items) < n:
		k = len(s.items)
		s.hashes, s.items = append(s.hashes, hash), append(s.items, item{})
	default:
		k = s.last()
		if last := s.at(k); p.compare(&last) >= 0 {
			return
		}
		s.hashes[k] = hash
	}
	s.set(k, p)
}

// last returns the place of the last value.
func (s *seen) last() (k int) {
	last := s.at(0)
	for j := 1; j < len(s.items); j++ {
		if p := s.at(j); p.compare(&last) > 0 {
			k, last = j, p
		}
	}
	return k
}

func (s *seen) set(k int, p *pick) {
	it := &s.items[k]
	if old := s.at(k); old.kind != p.kind || !bytes.Equal(old.text, p.text) {
		it.size = 0
		s.tidy(len(p.text))
		it.off, it.size, it.kind = uint32(len(s.texts)), uint32(len(p.text)), p.kind
		s.texts = append(s.texts, p.text...)
	}
	it.time, it.turn, it.origin = p.time, p.turn, p.origin
}

// tidy leaves out the texts that are no item's where there is no room for more and
// they are half of all.
func (s *seen) tidy(more int) {
	if len(s.texts)+more <= cap(s.texts) {
		return
	}
	used := 0
	for k := range s.items {
		used += int(s.items[k].size)
	}
	if used > len(s.texts)/2 {
		return
	}
	texts := make([]byte, 0, 2*(used+more))
	for k := range s.items {
		it := &s.items[k]
		off := uint32(len(texts))
		texts = append(texts, s.texts[it.off:it.off+it.size]...)
		it.off = off
	}
	s.texts = texts
}

func (c *firsts) merge(to uint32, from column, g uint32) {
	o := &from.(*firsts).cells[g]
	for k := range o.items {
		p := o.at(k)
		c.cells[to].put(o.hashes[k], &p, c.n)
	}
}

func (c *firsts) reset(g uint32) {
	s := &c.cells[g]
	s.hashes, s.items, s.texts = s.hashes[:0], s.items[:0], s.texts[:0]
}

// sorted returns the values in order, valid until the next call.
func (c *firsts) sorted(g uint32) []pick {
	c.list = c.list[:0]
	for k := range c.cells[g].items {
		c.list = append(c.list, c.cells[g].at(k))
	}
	slices.SortFunc(c.list, comparePicks)
	return c.list
}

func (c *firsts) encode(dst []byte, g uint32) []byte {
	s := &c.cells[g]
	dst = binary.AppendUvarint(dst, uint64(len(s.items)))
	for k := range s.items {
		p := s.at(k)
		dst = p.encode(dst)
	}
	return dst
}

func (c *firsts) decode(g uint32, src []byte) (rest []byte, err error) {
	c.reset(g)
	return c.decodePicks(src, c.n, func(p *pick) { c.cells[g].put(HashValue(p.kind, p.text), p, c.n) })
}
