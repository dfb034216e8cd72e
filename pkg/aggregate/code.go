package aggregate

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
	"github.com/logctl/logctl/pkg/wire"
)

// How cells stand in bytes: numbers as varints, floats as their bits, sketches
// as they encode themselves.

var errCell = errors.New("decoding an aggregate: not what was encoded")

// maxCount is the largest count that is believed.
const maxCount = math.MaxInt64

// left returns what a reader of a cell has left, or that it could not read it.
func left(r *wire.Reader) ([]byte, error) {
	if r.Failed() {
		return nil, errCell
	}
	return r.Rest(), nil
}

// readKind reads the kind of a value.
func readKind(r *wire.Reader) record.Kind {
	kind := record.Kind(r.Byte())
	if r.Check(kind <= record.Array); r.Failed() {
		return record.Missing
	}
	return kind
}

func (c *counts) reset(g uint32) { c.cells[g] = 0 }

func (c *counts) encode(dst []byte, g uint32) []byte { return binary.AppendUvarint(dst, c.cells[g]) }

func (c *counts) decode(g uint32, src []byte) (rest []byte, err error) {
	r := wire.Read(src)
	c.cells[g] = r.Uint(maxCount)
	return left(&r)
}

func (c *matches) reset(g uint32) { c.cells[g] = 0 }

func (c *matches) encode(dst []byte, g uint32) []byte { return binary.AppendUvarint(dst, c.cells[g]) }

func (c *matches) decode(g uint32, src []byte) (rest []byte, err error) {
	r := wire.Read(src)
	c.cells[g] = r.Uint(maxCount)
	return left(&r)
}

func (c *sums) reset(g uint32) { c.cells[g] = total{} }

func (c *sums) encode(dst []byte, g uint32) []byte {
	t := &c.cells[g]
	return t.sum.Append(binary.AppendUvarint(dst, t.n))
}

func (c *sums) decode(g uint32, src []byte) (rest []byte, err error) {
	r := wire.Read(src)
	t := &c.cells[g]
	if t.n = r.Uint(maxCount); r.Failed() {
		return nil, errCell
	}
	return t.sum.Decode(r.Rest())
}

func (c *extremes) reset(g uint32) { c.cells[g] = span{} }

func (c *extremes) encode(dst []byte, g uint32) []byte {
	s := &c.cells[g]
	if !s.any {
		return append(dst, 0)
	}
	dst = binary.LittleEndian.AppendUint64(append(dst, 1), math.Float64bits(s.min))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.max))
}

func (c *extremes) decode(g uint32, src []byte) (rest []byte, err error) {
	c.cells[g] = span{}
	switch {
	case len(src) > 0 && src[0] == 0:
		return src[1:], nil
	case len(src) < 17 || src[0] != 1:
		return nil, errCell
	}
	low := math.Float64frombits(binary.LittleEndian.Uint64(src[1:]))
	high := math.Float64frombits(binary.LittleEndian.Uint64(src[9:]))
	if !(low <= high) {
		return nil, errCell
	}
	c.cells[g] = span{low, high, true}
	return src[17:], nil
}

func (c *quantiles) reset(g uint32) { c.cells[g] = sketch.Quantiles{} }

func (c *quantiles) encode(dst []byte, g uint32) []byte { return c.cells[g].Append(dst) }

func (c *quantiles) decode(g uint32, src []byte) (rest []byte, err error) {
	return c.cells[g].Decode(src)
}

func (c *variances) reset(g uint32) { c.cells[g] = sketch.Variance{} }

func (c *variances) encode(dst []byte, g uint32) []byte { return c.cells[g].Append(dst) }

func (c *variances) decode(g uint32, src []byte) (rest []byte, err error) {
	return c.cells[g].Decode(src)
}

func (c *distincts) reset(g uint32) { c.cells[g] = sketch.Distinct{} }

func (c *distincts) encode(dst []byte, g uint32) []byte { return c.cells[g].Append(dst) }

func (c *distincts) decode(g uint32, src []byte) (rest []byte, err error) {
	return c.cells[g].Decode(src)
}

func (c *tops) reset(g uint32) { c.cells[g] = sketch.NewTop(c.n) }

func (c *tops) encode(dst []byte, g uint32) []byte { return c.cells[g].Append(dst) }

func (c *tops) decode(g uint32, src []byte) (rest []byte, err error) { return c.cells[g].Decode(src) }

func (c *picks) reset(g uint32) { c.cells[g] = pick{text: c.cells[g].text[:0]} }

func (c *picks) encode(dst []byte, g uint32) []byte { return c.cells[g].encode(dst) }

func (c *picks) decode(g uint32, src []byte) (rest []byte, err error) {
	r := wire.Read(src)
	c.cells[g] = c.decodePick(&r)
	return left(&r)
}

func (p *pick) encode(dst []byte) []byte {
	dst = append(dst, byte(p.kind))
	if p.kind == record.Missing {
		return dst
	}
	dst = binary.AppendVarint(binary.AppendVarint(dst, p.time), p.turn)
	source, partition := "", int32(0)
	if p.origin != nil {
		source, partition = p.origin.Source, p.origin.Partition
	}
	dst = binary.AppendVarint(wire.AppendBytes(dst, source), int64(partition))
	return wire.AppendBytes(dst, p.text)
}

// origins are of values that were decoded.
type origins struct{ last *record.Origin }

// decodePick takes a value with a copy of its text.
func (o *origins) decodePick(r *wire.Reader) pick {
	kind := readKind(r)
	if kind == record.Missing {
		return pick{}
	}
	p := pick{time: r.Varint(), turn: r.Varint(), kind: kind}
	source, partition := r.Bytes(), r.Varint()
	p.text = append(p.text, r.Bytes()...)
	if r.Check(partition == int64(int32(partition))); r.Failed() {
		return pick{}
	}
	p.origin = o.origin(string(source), int32(partition))
	return p
}

func (o *origins) origin(source string, partition int32) *record.Origin {
	if o.last == nil || o.last.Source != source || o.last.Partition != partition {
		o.last = &record.Origin{Source: source, Partition: partition}
	}
	return o.last
}

func encodePicks(dst []byte, list []pick) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for k := range list {
		dst = list[k].encode(dst)
	}
	return dst
}

// decodePicks calls put for what encodePicks has written: n values at most.
func (o *origins) decodePicks(src []byte, n int, put func(*pick)) (rest []byte, err error) {
	r := wire.Read(src)
	count := r.Uint(maxCount)
	if count > uint64(n) {
		return nil, errCell
	}
	for range count {
		p := o.decodePick(&r)
		if r.Failed() || p.kind == record.Missing {
			return nil, errCell
		}
		put(&p)
	}
	return left(&r)
}
