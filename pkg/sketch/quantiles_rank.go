package sketch

import (
	"math"
	"slices"
)

// Quantile returns the value at rank ceil(p*n), for p from 0 to 1, within
// MaxRelativeError: the middle of its bucket, clamped to the smallest and the
// largest value. Those two are exact. It is NaN where there are no values.
func (q *Quantiles) Quantile(p float64) float64 {
	rank := rankOf(p, q.n)
	switch {
	case q.n == 0:
		return math.NaN()
	case rank == 1:
		return q.min
	case rank == q.n:
		return q.max
	}
	if key, ok := q.below(q.n - rank); ok {
		return min(max(midpoint(key), q.min), q.max)
	}
	var seen uint64
	for key, c := range q.buckets() {
		if seen += c; seen >= rank {
			return min(max(midpoint(key), q.min), q.max)
		}
	}
	return q.max
}

// below returns the bucket of the value below so many others, where it has a counter
// or is above one, as nearly all are that are asked for: it is found from above, since
// those are high quantiles.
func (q *Quantiles) below(others uint64) (key uint64, ok bool) {
	few, seen := q.few, uint64(0)
	for k, c := range slices.Backward(q.dense) {
		key = keyZero + uint64(k+q.lo)
		for last := len(few) - 1; last >= 0 && few[last]>>countLen >= key; last-- {
			if seen += few[last] & countMax; seen > others {
				return few[last] >> countLen, true
			}
			few = few[:last]
		}
		if seen += uint64(c); seen > others {
			return key, true
		}
	}
	return 0, false
}

// rankOf returns ceil(p*n), at least 1 and at most n. A product that is above
// a whole number by its rounding alone (0.07*100) is that number.
func rankOf(p float64, n uint64) uint64 {
	x := p * float64(n)
	x = math.Ceil(x - x*0x1p-52)
	return min(max(uint64(max(x, 0)), 1), n)
}
