package aggregate

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// tallies counts rows by a value, under its name among the members of an object: the
// number 1 and the text "1" are one. Beyond maxList different ones, which are few
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
	name    []byte
}

func (c *tallies) grow(n int) { c.cells = grown(c.cells, n) }

func (c *tallies) add(b *record.Batch, rows []int32, groups []uint32) {
	hashes, values := b.Words(c.in.at), b.Words(c.in.at+1)
	for k, i := range rows {
		if v := record.Value(values[i]); v.Kind() != record.Missing {
			c.cells[groups[k]].count(named(hashes[i], 1, v.Kind(), textOf(b, v)))
		}
	}
}

// named returns n of a value, by its hash and its name: its text, or its JSON.
func named(hash, n uint64, kind record.Kind, text []byte) counted {
	switch kind {
	case record.String:
		return counted{hash, n, text}
	case record.True:
		text = nameTrue
	case record.False:
		text = nameFalse
	}
	return counted{HashValue(record.String, text), n, text}
}

var nameTrue, nameFalse = []byte("true"), []byte("false")

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
	it.hash, it.n, it.name = x.hash, x.n, append(it.name[:0], x.name...)
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

// appendJSON appends the counts in the order of the names. The one of all other values
// has none, as that of the empty text.
func (c *tallies) appendJSON(dst []byte, g uint32) []byte {
	t := &c.cells[g]
	slices.SortFunc(t.items, func(a, b counted) int { return bytes.Compare(a.name, b.name) })
	other := t.other
	dst = append(dst, '{')
	for k := range t.items {
		it := &t.items[k]
		n := it.n
		if len(it.name) == 0 {
			n, other = n+other, 0
		}
		dst = strconv.AppendUint(append(record.AppendQuoted(dst, it.name), ':'), n, 10)
		dst = append(dst, ',')
	}
	if other > 0 {
		dst = strconv.AppendUint(append(dst, `"":`...), other, 10)
	} else {
		dst = bytes.TrimSuffix(dst, []byte{','})
	}
	return append(dst, '}')
}

func (c *tallies) encode(dst []byte, g uint32) []byte {
	t := &c.cells[g]
	dst = binary.AppendUvarint(dst, t.other)
	dst = binary.AppendUvarint(dst, uint64(len(t.items)))
	for _, it := range t.items {
		dst = binary.AppendUvarint(append(dst, byte(record.String)), it.n)
		dst = wire.AppendBytes(dst, it.name)
	}
	return dst
}

func (c *tallies) decode(g uint32, src []byte) (rest []byte, err error) {
	c.reset(g)
	r := wire.Read(src)
	other, n := r.Uint(maxCount), r.Uint(maxCount)
	for range min(n, maxList) {
		kind, count, text := readKind(&r), r.Uint(maxCount), r.Bytes()
		if r.Failed() {
			break
		}
		c.cells[g].count(named(HashValue(kind, text), count, kind, text))
	}
	if n > maxList || r.Failed() {
		return nil, errCell
	}
	c.cells[g].other = other
	return r.Rest(), nil
}
