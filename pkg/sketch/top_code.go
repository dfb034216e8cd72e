package sketch

import (
	"math"
	"slices"
)

const topVersion = 1

// Append appends the encoded sketch to dst.
func (t *Top) Append(dst []byte) []byte {
	dst = append(dst, topVersion)
	dst = appendUint(dst, uint64(t.room))
	dst = appendUint(dst, t.n)
	dst = appendUint(dst, uint64(len(t.entries)))
	sorted := Top{entries: slices.Clone(t.entries), text: t.text}
	sorted.order()
	for i := range sorted.entries {
		e := &sorted.entries[i]
		dst = appendUint(dst, uint64(e.len))
		dst = append(dst, t.key(e)...)
		dst = appendWord(dst, e.hash)
		dst = appendUint(dst, e.n)
		dst = appendUint(dst, e.err)
	}
	dst = appendUint(dst, uint64(len(t.unseen)))
	for _, n := range t.unseen {
		dst = appendUint(dst, n)
	}
	return dst
}

// maxRoom bounds what Decode believes.
const maxRoom = 1 << 20

// Decode replaces t by the sketch that src begins with and returns the rest.
func (t *Top) Decode(src []byte) (rest []byte, err error) {
	r := newReader(src, "top keys", topVersion)
	room := r.uint(maxRoom)
	r.check(room >= 1000)
	d := NewTop(int(room / 10))
	d.n = r.uint(math.MaxInt64)
	for range r.uint(room) {
		key := r.bytes(int(r.uint(uint64(len(r.src)))))
		e := counted{hash: r.word(), n: r.uint(d.n), err: r.uint(d.n)}
		r.check(e.err < e.n && d.find(key, e.hash) < 0)
		if r.err != nil {
			return r.end()
		}
		d.insert(key, e)
	}
	if size := r.uint(8 * room); size > 0 {
		r.check(size&(size-1) == 0 && size >= 4*room && size <= uint64(len(r.src)))
		if r.err != nil {
			return r.end()
		}
		d.unseen = make([]uint64, size)
		for i := range d.unseen {
			d.unseen[i] = r.uint(d.n)
		}
		r.check(len(d.entries) == int(room))
		d.fill()
	}
	if r.err == nil {
		*t = *d
	}
	return r.end()
}
