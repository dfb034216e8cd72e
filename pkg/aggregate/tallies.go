package aggregate

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
)

// tallies counts rows by a value. Beyond maxList different ones, which are few
// where this makes sense, the others are one.
type tallies struct {
	in    *input
	cells []tally
}

type tally struct {
	items []counted
	other uint64
}

type counted struct {
	hash, n uint64
	kind    record.Kind
	text    []byte
}

func (c *tallies) grow(n int) { c.cells = grown(c.cells, n) }

func (c *tallies) add(b *record.Batch, rows []int32, groups []uint32) {
	hashes, values := b.Words(c.in.at), b.Words(c.in.at+1)
	for k, i := range rows {
		if v := record.Value(values[i]); v.Kind() != record.Missing {
			c.cells[groups[k]].count(counted{hashes[i], 1, v.Kind(), textOf(b, v)})
		}
	}
}

// count adds to the number of a value, which it copies.
func (t *tally) count(x counted) {
	for k := range t.items {
		if t.items[k].hash == x.hash {
			t.items[k].n += x.n
			return
		}
	}
	if len(t.items) == maxList {
		t.other += x.n
		return
	}
	t.items = extended(t.items)
	it := &t.items[len(t.items)-1]
	it.hash, it.n, it.kind, it.text = x.hash, x.n, x.kind, append(it.text[:0], x.text...)
}

// extended returns list with one more item: what stood in its place, for its
// memory, or a new one.
func extended[T any](list []T) []T {
	if len(list) < cap(list) {
		return list[:len(list)+1]
	}
	var zero T
	return append(list, zero)
}

func (c *tallies) merge(to uint32, from column, g uint32) {
	o := &from.(*tallies).cells[g]
	for _, it := range o.items {
		c.cells[to].count(it)
	}
	c.cells[to].other += o.other
}

func (c *tallies) reset(g uint32) {
	c.cells[g].items, c.cells[g].other = c.cells[g].items[:0], 0
}

// appendJSON appends the counts in the order of the values.
func (c *tallies) appendJSON(dst []byte, g uint32) []byte {
	t := &c.cells[g]
	slices.SortFunc(t.items, compareCounted)
	dst = append(dst, '{')
	for k := range t.items {
		it := &t.items[k]
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = appendName(dst, it.kind, it.text)
		dst = strconv.AppendUint(append(dst, ':'), it.n, 10)
	}
	if t.other > 0 {
		dst = strconv.AppendUint(append(dst, `,"":`...), t.other, 10)
	}
	return append(dst, '}')
}

func compareCounted(a, b counted) int {
	return cmp.Or(bytes.Compare(a.text, b.text), cmp.Compare(a.kind, b.kind))
}

// appendName appends a value as the name of a member.
func appendName(dst []byte, kind record.Kind, text []byte) []byte {
	if kind == record.String {
		return record.AppendQuoted(dst, text)
	}
	return record.AppendQuoted(dst, AppendJSON(nil, kind, text))
}

func (c *tallies) encode(dst []byte, g uint32) []byte {
	t := &c.cells[g]
	dst = binary.AppendUvarint(dst, t.other)
	dst = binary.AppendUvarint(dst, uint64(len(t.items)))
	for _, it := range t.items {
		dst = binary.AppendUvarint(append(dst, byte(it.kind)), it.n)
		dst = append(binary.AppendUvarint(dst, uint64(len(it.text))), it.text...)
	}
	return dst
}

func (c *tallies) decode(g uint32, src []byte) (rest []byte, err error) {
	c.reset(g)
	r := reader{src: src}
	other, n := r.uint(), r.uint()
	for range min(n, maxList) {
		kind, count, text := r.kind(), r.uint(), r.bytes()
		if r.err != nil {
			break
		}
		c.cells[g].count(counted{HashKey(kind, text), count, kind, text})
	}
	if n > maxList || r.err != nil {
		return nil, errCell
	}
	c.cells[g].other = other
	return r.src, nil
}
