package store

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// An affinity says what a column makes of the values that are put into it.
type affinity uint8

const (
	asItIs affinity = iota
	asText
	asNumber
	asInteger // as asNumber
	asReal
)

// String returns SQLite's name, which is a type that a column of this kind may be
// declared with.
func (a affinity) String() string {
	return [...]string{"BLOB", "TEXT", "NUMERIC", "INTEGER", "REAL"}[a]
}

// affinityOf returns that of a column by its declared type, in upper case: the rules of
// sqlite.org/datatype3.html, the first that fits.
func affinityOf(declared string) affinity {
	for _, rule := range [...]struct {
		word string
		is   affinity
	}{
		{"INT", asInteger},
		{"CHAR", asText},
		{"CLOB", asText},
		{"TEXT", asText},
		{"BLOB", asItIs},
		{"REAL", asReal},
		{"FLOA", asReal},
		{"DOUB", asReal}, //nolint:misspell // of DOUBLE, too
	} {
		if strings.Contains(declared, rule.word) {
			return rule.is
		}
	}
	if declared == "" {
		return asItIs
	}
	return asNumber
}

// A packed row is written as SQLite keeps one in a table: what its values are, then the
// values. They are set in the order of the columns, each as its column would have it. A
// text that may be a number to its column, and a fraction that is to be a text, are
// misfits: SQLite has to convert them.
type packed struct {
	columns []affinity
	kinds   []byte
	values  []byte
	misfit  bool
	digits  []byte
}

// begin begins another row. Memory for one that was very large is not kept.
func (r *packed) begin() {
	if cap(r.values) > 1<<20 {
		r.values = nil
	}
	r.kinds, r.values, r.misfit = r.kinds[:0], r.values[:0], false
}

func (r *packed) setNull(int) { r.kinds = append(r.kinds, 0) }

func (r *packed) setInt(i int, v int64) {
	switch r.columns[i-1] {
	case asText:
		r.digits = strconv.AppendInt(r.digits[:0], v, 10)
		r.setText(i, r.digits)
	case asReal:
		r.appendReal(float64(v))
	default:
		r.appendInt(v)
	}
}

func (r *packed) setFloat(i int, v float64) {
	switch whole := int64(v); r.columns[i-1] {
	case asReal:
		r.appendReal(v)
		return
	case asNumber, asInteger:
		if v > -1<<63 && v < 1<<63 && float64(whole) == v {
			r.appendInt(whole)
			return
		}
	case asText:
		r.misfit = true
	}
	r.appendFloat(v)
}

func (r *packed) setText(i int, v []byte) {
	if r.columns[i-1] >= asNumber && len(v) > 0 && v[0] <= '9' { // blanks, signs, the point, digits
		r.misfit = true
	}
	r.kinds = appendVarint(r.kinds, uint64(2*len(v)+13))
	r.values = append(r.values, v...)
}

// appendReal appends a number for a column of reals, which has it as an integer where
// that is shorter.
func (r *packed) appendReal(v float64) {
	if whole := int64(v); v > -1<<47 && v < 1<<47 && float64(whole) == v {
		r.appendInt(whole)
		return
	}
	r.appendFloat(v)
}

func (r *packed) appendFloat(v float64) {
	r.kinds = append(r.kinds, 7)
	r.values = binary.BigEndian.AppendUint64(r.values, math.Float64bits(v))
}

// appendInt appends an integer of 1, 2, 3, 4, 6 or 8 bytes, or 0 or 1 of none.
func (r *packed) appendInt(v int64) {
	kind, size := byte(6), 8
	switch n := bits.Len64(uint64(v ^ v>>63)); {
	case v == 0 || v == 1:
		kind, size = 8+byte(v), 0
	case n < 32:
		size = n/8 + 1
		kind = byte(size)
	case n < 48:
		kind, size = 5, 6
	}
	r.kinds = append(r.kinds, kind)
	all := binary.BigEndian.AppendUint64(r.values, uint64(v)<<(64-8*size))
	r.values = all[:len(r.values)+size]
}

// varintSize returns the bytes of a number as appendVarint writes it.
func varintSize(v uint64) int { return max(1, (bits.Len64(v)+6)/7) }

// appendVarint appends a number below 2^56: seven bits a byte, the high ones first.
func appendVarint(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(dst, byte(v))
	case v < 1<<14:
		return append(dst, byte(v>>7)|1<<7, byte(v)&(1<<7-1))
	}
	for i := varintSize(v) - 1; i > 0; i-- {
		dst = append(dst, byte(v>>(7*i))|1<<7)
	}
	return append(dst, byte(v)&(1<<7-1))
}
