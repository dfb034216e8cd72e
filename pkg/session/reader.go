package session

import "encoding/binary"

// A reader takes an entry apart. After its first error all it returns is zero.
type reader struct {
	src    []byte
	failed bool
}

func (r *reader) byte() byte {
	if r.failed || len(r.src) == 0 {
		r.failed = true
		return 0
	}
	b := r.src[0]
	r.src = r.src[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.src)
	return advance(r, v, n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.src)
	return advance(r, v, n)
}

// advance passes over n bytes that hold v.
func advance[T int64 | uint64](r *reader, v T, n int) T {
	if r.failed || n <= 0 {
		r.failed = true
		return 0
	}
	r.src = r.src[n:]
	return v
}

// bytes takes bytes behind their length.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if r.failed || n > uint64(len(r.src)) {
		r.failed = true
		return nil
	}
	text := r.src[:n]
	r.src = r.src[n:]
	return text
}

// done reports whether all was taken, without an error.
func (r *reader) done() bool { return !r.failed && len(r.src) == 0 }
