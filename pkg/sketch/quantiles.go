// Package sketch holds mergeable summaries of many values in little memory:
// exact sums and variances, quantiles, distinct counts and heavy hitters.
//
// All are machines without a clock or randomness. Adding values in another
// order, or adding them to several sketches and merging those, gives the same
// results, bit for bit; the one exception is Top once it has to forget keys,
// which then says so in its error bounds. The zero value of each is empty and
// ready for use, except Top's. None is safe for concurrent use.
//
// Append writes a sketch in a form that Decode reads, the same bytes for the
// same content. Decode takes bytes from anywhere: it returns an error for what
// Append cannot have written.
package sketch

import (
	"iter"
	"math"
	"slices"
)

// MaxRelativeError is the bound of a quantile's relative error: half of a
// bucket's width over its lower edge.
const MaxRelativeError = 1.0 / 128

const (
	subBits  = 6            // 64 buckets an octave
	drop     = 52 - subBits // bits of a float64 below its bucket
	infinite = 0x7ff << subBits

	// A bucket's key is the place of its values among all numbers: zero in
	// the middle, the bucket of a negative value as far below as that of its
	// opposite is above.
	keyZero  = 1 << 17
	countLen = 46
	countMax = 1<<countLen - 1
	fewMax   = 64
)

// Quantiles estimates quantiles with a log-linear histogram: 64 buckets of
// equal width for each power of two. It is HdrHistogram's idea with the bits
// of the float as the bucket's number, which makes adding a shift and an
// increment. The bound of the error holds from 2.3e-308 on, and what is nearer
// to zero than 3.4e-310 counts as zero; NaN and infinities are ignored. It
// holds up to 2^46 values.
//
// Up to 64 buckets in use are kept as a sorted list; beyond, counters stand in
// an array over the range in use, and values outside it in the list, until
// that is full again.
type Quantiles struct {
	n, zero  uint64
	min, max float64
	lo       int      // bucket of dense[0]
	dense    []uint32 // counters of positive values
	few      []uint64 // key<<46 | count, ascending: what has no counter, and the carries of counters
	neg      *mirror
}

// mirror counts negative values by the bucket of their opposite.
type mirror struct {
	lo    int
	dense []uint32
}

// Add adds a value.
func (q *Quantiles) Add(v float64) {
	k := int(math.Float64bits(v)>>drop) - q.lo
	if uint(k) >= uint(len(q.dense)) {
		q.addSlow(v)
		return
	}
	q.dense[k]++
	if q.dense[k] == 0 {
		q.insert(keyZero+uint64(k+q.lo), 1<<32)
	}
	q.n++
	if v < q.min {
		q.min = v
	}
	if v > q.max {
		q.max = v
	}
}

// addSlow adds what has no counter (yet), and the first value.
func (q *Quantiles) addSlow(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if q.n == 0 {
		q.min, q.max = v, v
	}
	q.n++
	q.min, q.max = min(q.min, v), max(q.max, v)
	q.addKey(keyOf(v), 1)
}

// keyOf returns the key of a finite value.
func keyOf(v float64) uint64 {
	k := math.Float64bits(math.Abs(v)) >> drop
	if v < 0 {
		return keyZero - k
	}
	return keyZero + k
}

// midpoint returns the middle of a bucket.
func midpoint(key uint64) float64 {
	switch {
	case key > keyZero:
		return math.Float64frombits((key-keyZero)<<drop | 1<<(drop-1))
	case key < keyZero:
		return -midpoint(2*keyZero - key)
	default:
		return 0
	}
}

// addKey counts c values in a bucket.
func (q *Quantiles) addKey(key, c uint64) {
	if key == keyZero {
		q.zero += c
		return
	}
	if n := q.counter(key); n != nil {
		sum := uint64(*n) + c
		*n = uint32(sum)
		c = sum &^ math.MaxUint32
		if c != 0 {
			q.insert(key, c)
		}
		return
	}
	q.insert(key, c)
	if len(q.few) > fewMax {
		q.spread()
	}
}

// counter returns the counter of a bucket, or nil.
func (q *Quantiles) counter(key uint64) *uint32 {
	if key > keyZero {
		if k := int(key-keyZero) - q.lo; uint(k) < uint(len(q.dense)) {
			return &q.dense[k]
		}
		return nil
	}
	if q.neg != nil {
		if k := int(keyZero-key) - q.neg.lo; uint(k) < uint(len(q.neg.dense)) {
			return &q.neg.dense[k]
		}
	}
	return nil
}

// insert adds c to a bucket's entry of the list.
func (q *Quantiles) insert(key, c uint64) {
	i, _ := slices.BinarySearch(q.few, key<<countLen)
	if i < len(q.few) && q.few[i]>>countLen == key {
		q.few[i] += c
		return
	}
	q.few = slices.Insert(q.few, i, key<<countLen|c)
}

// spread gives every bucket of the list a counter. What a counter cannot hold
// stays in the list.
func (q *Quantiles) spread() {
	first, last := q.few[0]>>countLen, q.few[len(q.few)-1]>>countLen
	if last > keyZero {
		low := last
		for i := len(q.few) - 1; i >= 0 && q.few[i]>>countLen > keyZero; i-- {
			low = q.few[i] >> countLen
		}
		q.lo, q.dense = cover(q.lo, q.dense, int(low-keyZero), int(last-keyZero))
	}
	if first < keyZero {
		low := first
		for i := 0; i < len(q.few) && q.few[i]>>countLen < keyZero; i++ {
			low = q.few[i] >> countLen
		}
		if q.neg == nil {
			q.neg = new(mirror)
		}
		q.neg.lo, q.neg.dense = cover(q.neg.lo, q.neg.dense, int(keyZero-low), int(keyZero-first))
	}
	few := q.few
	q.few = nil
	for _, e := range few {
		q.addKey(e>>countLen, e&countMax)
	}
}

// cover makes counters for the buckets from first to last, whole octaves.
func cover(lo int, dense []uint32, first, last int) (int, []uint32) {
	if len(dense) > 0 {
		first, last = min(first, lo), max(last, lo+len(dense)-1)
	}
	const octave = 1 << subBits
	first = max(first&^(octave-1), 1) // bucket 0 is zero
	end := last&^(octave-1) + octave
	if first == lo && end == lo+len(dense) {
		return lo, dense
	}
	wider := make([]uint32, end-first)
	if len(dense) > 0 {
		copy(wider[lo-first:], dense)
	}
	return first, wider
}

// Merge adds all values of o, which stays as it is.
func (q *Quantiles) Merge(o *Quantiles) {
	if o.n == 0 {
		return
	}
	if q.n == 0 {
		q.min, q.max = o.min, o.max
	}
	q.n += o.n
	q.min, q.max = min(q.min, o.min), max(q.max, o.max)
	q.zero += o.zero
	q.mergeDense(o)
	for _, e := range o.few {
		q.addKey(e>>countLen, e&countMax)
	}
	if o.neg != nil {
		for k, c := range o.neg.dense {
			if c != 0 {
				q.addKey(keyZero-uint64(k+o.neg.lo), uint64(c))
			}
		}
	}
}

// mergeDense adds the counters of o.
func (q *Quantiles) mergeDense(o *Quantiles) {
	if len(o.dense) == 0 {
		return
	}
	q.lo, q.dense = cover(q.lo, q.dense, o.lo, o.lo+len(o.dense)-1)
	to := q.dense[o.lo-q.lo:][:len(o.dense)]
	for k, c := range o.dense {
		to[k] += c
		if to[k] < c {
			q.insert(keyZero+uint64(k+o.lo), 1<<32)
		}
	}
}

// buckets yields the buckets in use and their counts, ascending.
func (q *Quantiles) buckets() iter.Seq2[uint64, uint64] {
	return func(yield func(key, c uint64) bool) {
		few := q.few
		for key, c := range q.denseBuckets() {
			for len(few) > 0 && few[0]>>countLen < key {
				if !yield(few[0]>>countLen, few[0]&countMax) {
					return
				}
				few = few[1:]
			}
			if len(few) > 0 && few[0]>>countLen == key {
				c += few[0] & countMax
				few = few[1:]
			}
			if c != 0 && !yield(key, c) {
				return
			}
		}
	}
}

// denseBuckets yields the buckets in use that are not in the list, ascending,
// and one without values behind all others.
func (q *Quantiles) denseBuckets() iter.Seq2[uint64, uint64] {
	return func(yield func(key, c uint64) bool) {
		if q.neg != nil {
			for k, c := range slices.Backward(q.neg.dense) {
				if c != 0 && !yield(keyZero-uint64(k+q.neg.lo), uint64(c)) {
					return
				}
			}
		}
		if !yield(keyZero, q.zero) {
			return
		}
		for k, c := range q.dense {
			if c != 0 && !yield(keyZero+uint64(k+q.lo), uint64(c)) {
				return
			}
		}
		yield(math.MaxUint64, 0)
	}
}

// Count returns the number of values.
func (q *Quantiles) Count() uint64 { return q.n }

// Min returns the smallest value, NaN where there is none.
func (q *Quantiles) Min() float64 { return q.orNaN(q.min) }

// Max returns the largest value, NaN where there is none.
func (q *Quantiles) Max() float64 { return q.orNaN(q.max) }

func (q *Quantiles) orNaN(v float64) float64 {
	if q.n == 0 {
		return math.NaN()
	}
	return v
}

// An Octave is the number of values from one power of two to the next, that one
// not included; of negative values mirrored. That of zero is from 0 to 0.
type Octave struct {
	From, To float64
	Count    uint64
}

// Octaves returns those that hold values, ascending. Their counts are exact.
func (q *Quantiles) Octaves() (all []Octave) {
	for key, c := range q.buckets() {
		o := octaveOf(key)
		if n := len(all); n > 0 && all[n-1].From == o.From && all[n-1].To == o.To {
			all[n-1].Count += c
			continue
		}
		o.Count = c
		all = append(all, o)
	}
	return all
}

func octaveOf(key uint64) Octave {
	switch {
	case key == keyZero:
		return Octave{}
	case key < keyZero:
		o := octaveOf(2*keyZero - key)
		return Octave{From: -o.To, To: -o.From}
	}
	low := (key - keyZero) &^ (1<<subBits - 1)
	return Octave{From: math.Float64frombits(low << drop), To: math.Float64frombits((low + 1<<subBits) << drop)}
}
