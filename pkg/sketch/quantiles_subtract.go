package sketch

import "slices"

// Subtract takes the values of o away, which were added before. The smallest and the
// largest value stay what they were: who knows those that remain says so to Between.
func (q *Quantiles) Subtract(o *Quantiles) {
	if q.n -= o.n; q.n == 0 {
		*q = Quantiles{}
		return
	}
	q.zero -= o.zero
	for k, c := range o.dense {
		q.subtractKey(keyZero+uint64(k+o.lo), uint64(c))
	}
	for _, e := range o.few {
		q.subtractKey(e>>countLen, e&countMax)
	}
	if o.neg != nil {
		for k, c := range o.neg.dense {
			q.subtractKey(keyZero-uint64(k+o.neg.lo), uint64(c))
		}
	}
}

// subtractKey takes c values out of a bucket: from its counter, and what that does
// not have from its entry of the list.
func (q *Quantiles) subtractKey(key, c uint64) {
	if n := q.counter(key); n != nil {
		some := min(uint64(*n), c)
		*n -= uint32(some)
		c -= some
	}
	if c == 0 {
		return
	}
	i, _ := slices.BinarySearch(q.few, key<<countLen)
	if q.few[i] -= c; q.few[i]&countMax == 0 {
		q.few = slices.Delete(q.few, i, i+1)
	}
}

// Between returns the same values where the smallest and the largest are known. It
// shares their counts with q: it is to be read, and only until q changes.
func (q *Quantiles) Between(smallest, largest float64) Quantiles {
	same := *q
	same.min, same.max = smallest, largest
	return same
}
