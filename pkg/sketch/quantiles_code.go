package sketch

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"

	"github.com/logctl/logctl/pkg/wire"
)

const quantilesVersion = 1

// Append appends the encoded sketch to dst.
func (q *Quantiles) Append(dst []byte) []byte {
	dst = append(dst, quantilesVersion)
	size := 0
	for range q.buckets() {
		size++
	}
	dst = binary.AppendUvarint(dst, uint64(size))
	if size == 0 {
		return dst
	}
	dst = wire.AppendFloat(dst, q.min)
	dst = wire.AppendFloat(dst, q.max)
	var before uint64
	for key, c := range q.buckets() {
		dst = binary.AppendUvarint(dst, key-before)
		dst = binary.AppendUvarint(dst, c)
		before = key
	}
	return dst
}

// MarshalText encodes the sketch for JSON.
func (q *Quantiles) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, q.Append(nil)), nil
}

// UnmarshalText replaces q by what MarshalText has encoded.
func (q *Quantiles) UnmarshalText(text []byte) error {
	src, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return err
	}
	rest, err := q.Decode(src)
	if err == nil && len(rest) > 0 {
		err = errors.New("decoding quantiles: there is more behind them")
	}
	return err
}

// Decode replaces q by the sketch that src begins with and returns the rest.
func (q *Quantiles) Decode(src []byte) (rest []byte, err error) {
	*q = Quantiles{}
	r := newReader(src, "quantiles", quantilesVersion)
	size := r.Uint(2 * keyZero)
	if size == 0 || r.Failed() {
		return r.end()
	}
	var d Quantiles
	d.min, d.max = r.Float(), r.Float()
	var key uint64
	first := uint64(0)
	for i := range size {
		step, c := r.Uint(2*keyZero), r.Uint(countMax)
		key += step
		d.n += c
		r.Check(step > 0 && c > 0 && d.n <= countMax && key > keyZero-infinite && key < keyZero+infinite)
		if r.Failed() {
			return r.end()
		}
		if i == 0 {
			first = key
		}
		d.addKey(key, c)
	}
	finite := d.min <= d.max && !math.IsInf(d.min, 0) && !math.IsInf(d.max, 0)
	r.Check(finite && keyOf(d.min) == first && keyOf(d.max) == key)
	if !r.Failed() {
		*q = d
	}
	return r.end()
}
