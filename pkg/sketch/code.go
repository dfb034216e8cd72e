package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
)

func appendUint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func appendFloat(dst []byte, f float64) []byte {
	return appendWord(dst, math.Float64bits(f))
}

func appendWord(dst []byte, w uint64) []byte { return binary.LittleEndian.AppendUint64(dst, w) }

// A reader takes an encoded sketch apart. After its first error all it returns
// is zero.
type reader struct {
	src  []byte
	what string
	err  error
}

// newReader begins with the version byte.
func newReader(src []byte, what string, version byte) reader { //nolint:unparam // each sketch has its own
	r := reader{src: src, what: what}
	if got := r.bytes(1); r.err == nil && got[0] != version {
		r.err = fmt.Errorf("decoding %s: version %d, want %d", what, got[0], version)
	}
	return r
}

// check makes a false condition an error.
func (r *reader) check(ok bool) {
	if !ok && r.err == nil {
		r.err = fmt.Errorf("decoding %s: %d bytes before the end: not what was encoded", r.what, len(r.src))
	}
}

// bytes takes the next n bytes.
func (r *reader) bytes(n int) []byte {
	r.check(n <= len(r.src))
	if r.err != nil {
		return nil
	}
	b := r.src[:n]
	r.src = r.src[n:]
	return b
}

// uint takes a number of at most limit.
func (r *reader) uint(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.src)
	r.check(n > 0 && v <= limit)
	if r.err != nil {
		return 0
	}
	r.src = r.src[n:]
	return v
}

// word takes a number of eight bytes.
func (r *reader) word() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) float() float64 { return math.Float64frombits(r.word()) }

// end returns what is left, or the error.
func (r *reader) end() ([]byte, error) { return r.src, r.err }
