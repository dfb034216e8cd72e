package sketch

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"time"
)

// Ewma is a mean in which what is older weighs less: half as much for every half-life
// that it is older. The sums are exact but for the weights, each of which is
// within 2^-52, so the mean is the same in whatever order the values come. NaN and
// infinities are ignored, as is what is hundreds of half-lives older than others.
type Ewma struct {
	n           uint64
	base        int64 // the half-life, counted from 1970, whose values weigh 1 to 2
	sum, weight longsum
}

// far is by how many half-lives a value may be newer than the base, old by how many
// it may be older.
const (
	far = 512
	old = -900
)

// Add adds a value of time t, in ns.
func (w *Ewma) Add(v float64, t int64, halfLife time.Duration) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	life := t / int64(halfLife)
	rest := t % int64(halfLife)
	if rest < 0 {
		life, rest = life-1, rest+int64(halfLife)
	}
	switch {
	case w.n == 0:
		w.base = life
	case life > w.base+far:
		w.rebase(life)
	}
	w.n++
	if life < w.base+old {
		return
	}
	m, exp, negative := split(v)
	k, kexp, _ := split(math.Exp2(float64(rest) / float64(halfLife)))
	kexp += int(life - w.base)
	w.weight.add(k, kexp, false)
	high, low := bits.Mul64(m, k)
	w.sum.add(low, exp+kexp, negative)
	w.sum.add(high, exp+kexp+64, negative)
}

// rebase counts the weights from another half-life on, a later one.
func (w *Ewma) rebase(base int64) {
	by := base - w.base
	w.base = base
	w.sum.scale(by)
	w.weight.scale(by)
}

// Merge adds all values of o, which stays as it is, and must have the same half-life.
func (w *Ewma) Merge(o *Ewma) {
	switch {
	case o.n == 0:
		return
	case w.n == 0:
		w.base = o.base
	}
	from := Ewma{base: o.base}
	from.sum.merge(&o.sum)
	from.weight.merge(&o.weight)
	if o.base > w.base {
		w.rebase(o.base)
	} else if o.base < w.base {
		from.rebase(w.base)
	}
	w.n += o.n
	w.sum.merge(&from.sum)
	w.weight.merge(&from.weight)
}

// Mean returns the mean; NaN of no values.
func (w *Ewma) Mean() float64 {
	k := w.weight.rat()
	if w.n == 0 || k.Sign() <= 0 {
		return math.NaN()
	}
	f, _ := k.Quo(w.sum.rat(), k).Float64()
	return f
}

// scale divides b by 2^by. What is below the least digit is cut off.
func (b *longsum) scale(by int64) {
	n, exp := b.int()
	*b = longsum{}
	if by > 4096 {
		return
	}
	exp -= int(by)
	if exp < lowest {
		n.Quo(n, new(big.Int).Lsh(big.NewInt(1), uint(lowest-exp)))
		exp = lowest
	}
	b.set(n, exp)
}

// set makes b n * 2^exp. n is used up.
func (b *longsum) set(n *big.Int, exp int) {
	negative := n.Sign() < 0
	n.Abs(n)
	at := exp - lowest
	n.Lsh(n, uint(at%digitBits))
	b.first = at / digitBits
	mask := big.NewInt(digitMask)
	for n.Sign() != 0 {
		digit := new(big.Int).And(n, mask).Int64()
		if negative {
			digit = -digit
		}
		b.digits = append(b.digits, digit)
		n.Rsh(n, digitBits)
	}
}

const ewmaVersion = 1

// Append appends the encoded sketch to dst.
func (w *Ewma) Append(dst []byte) []byte {
	dst = append(dst, ewmaVersion)
	dst = binary.AppendUvarint(dst, w.n)
	if w.n == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(w.base)^1<<63)
	return w.weight.append(w.sum.append(dst))
}

// Decode replaces w by the sketch that src begins with and returns the rest.
func (w *Ewma) Decode(src []byte) (rest []byte, err error) {
	*w = Ewma{}
	r := newReader(src, "ewma", ewmaVersion)
	var d Ewma
	if d.n = r.Uint(math.MaxInt64); d.n == 0 || r.Failed() {
		return r.end()
	}
	d.base = int64(r.Uint(math.MaxUint64) ^ 1<<63)
	d.sum.decode(&r)
	d.weight.decode(&r)
	r.Check(d.base > -1<<62 && d.base < 1<<62)
	if !r.Failed() {
		*w = d
	}
	return r.end()
}
