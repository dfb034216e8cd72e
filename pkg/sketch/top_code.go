package sketch

import (
	"encoding/binary"
	"math"
	"slices"
)

const topVersion = 1

// Append appends the encoded sketch to dst.
func (t *Top) Append(dst []byte) []byte {
	dst = append(dst, topVersion)
	dst = binary.AppendUvarint(dst, uint64(t.room))
	dst = binary.AppendUvarint(dst, t.n)
	dst = binary.AppendUvarint(dst, uint64(len(t.entries)))
	sorted := Top{entries: slices.Clone(t.entries), text: t.text}
	sorted.order()
	for i := range sorted.entries {
		e := &sorted.entries[i]
		dst = binary.AppendUvarint(dst, uint64(e.len))
		dst = append(dst, t.key(e)...)
		dst = binary.LittleEndian.AppendUint64(dst, e.hash)
		dst = binary.AppendUvarint(dst, e.n)
		dst = binary.AppendUvarint(dst, e.err)
	}
	dst = binary.AppendUvarint(dst, uint64(len(t.unseen)))
	for _, n := range t.unseen {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

// maxRoom bounds what Decode believes.
const maxRoom = 1 << 20

// Decode replaces t by the sketch that src begins with and returns the rest.
func (t *Top) Decode(src []byte) (rest []byte, err error) {
	r := newReader(src, "top keys", topVersion)
	room := r.Uint(maxRoom)
	r.Check(room >= 1000)
	d := NewTop(int(room / 10))
	d.n = r.Uint(math.MaxInt64)
	for range r.Uint(room) {
		key := r.Bytes()
		e := counted{hash: r.Word(), n: r.Uint(d.n), err: r.Uint(d.n)}
		r.Check(e.err < e.n && d.find(key, e.hash) < 0)
		if r.Failed() {
			return r.end()
		}
		d.insert(key, e)
	}
	if size := r.Uint(8 * room); size > 0 {
		r.Check(size&(size-1) == 0 && size >= 4*room && size <= uint64(len(r.Rest())))
		if r.Failed() {
			return r.end()
		}
		d.unseen = make([]uint64, size)
		for i := range d.unseen {
			d.unseen[i] = r.Uint(d.n)
		}
		r.Check(len(d.entries) == int(room))
		d.fill()
	}
	if !r.Failed() {
		*t = *d
	}
	return r.end()
}
