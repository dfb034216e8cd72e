package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// Variance computes the sample variance (as SQL's stddev and variance: the
// squares are divided by n-1) from exact sums of values and squares, so that
// nothing cancels however far the values are from zero. NaN and infinities are
// ignored.
type Variance struct {
	n       uint64
	sum     longsum
	squares longsum
}

// Add adds a value.
func (w *Variance) Add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	w.n++
	m, exp, negative := split(v)
	w.sum.add(m, exp, negative)
	high, low := bits.Mul64(m, m)
	w.squares.add(low, 2*exp, false)
	w.squares.add(high, 2*exp+64, false)
}

// Merge adds all values of o, which stays as it is.
func (w *Variance) Merge(o *Variance) {
	w.n += o.n
	w.sum.merge(&o.sum)
	w.squares.merge(&o.squares)
}

// Count returns the number of values.
func (w *Variance) Count() uint64 { return w.n }

// Variance returns the sample variance; NaN of fewer than two values.
func (w *Variance) Variance() float64 {
	f, _ := w.exact().Float64()
	if w.n < 2 {
		return math.NaN()
	}
	return f
}

// StdDev returns the sample's standard deviation; NaN of fewer than two values.
func (w *Variance) StdDev() float64 {
	f, _ := new(big.Float).Sqrt(w.exact()).Float64()
	if w.n < 2 {
		return math.NaN()
	}
	return f
}

// exact returns (n*squares - sum^2) / (n*(n-1)), rounded once.
func (w *Variance) exact() *big.Float {
	n := new(big.Int).SetUint64(w.n)
	s, exp := w.sum.int()
	q, qexp := w.squares.int()
	s.Mul(s, s)
	q.Mul(q, n)
	exp *= 2
	if low := min(exp, qexp); w.n > 0 {
		s.Lsh(s, uint(exp-low))
		q.Lsh(q, uint(qexp-low))
		exp = low
	}
	const precision = 128
	f := new(big.Float).SetPrec(precision).SetInt(q.Sub(q, s))
	f.SetMantExp(f, exp)
	d := n.Mul(n, new(big.Int).Sub(n, big.NewInt(1)))
	if d.Sign() <= 0 {
		return f
	}
	return f.Quo(f, new(big.Float).SetPrec(precision).SetInt(d))
}

const varianceVersion = 1

// Append appends the encoded sketch to dst.
func (w *Variance) Append(dst []byte) []byte {
	dst = append(dst, varianceVersion)
	dst = binary.AppendUvarint(dst, w.n)
	return w.squares.append(w.sum.append(dst))
}

// Decode replaces w by the sketch that src begins with and returns the rest.
func (w *Variance) Decode(src []byte) (rest []byte, err error) {
	*w = Variance{}
	r := newReader(src, "variance", varianceVersion)
	var d Variance
	d.n = r.Uint(math.MaxInt64)
	d.sum.decode(&r)
	d.squares.decode(&r)
	r.Check(d.n > 0 || len(d.sum.digits)+len(d.squares.digits) == 0)
	if !r.Failed() {
		r.Check(d.exact().Sign() >= 0)
	}
	if !r.Failed() {
		*w = d
	}
	return r.end()
}
