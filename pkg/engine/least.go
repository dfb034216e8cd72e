package engine

import "math/bits"

// A least is a tournament of numbers, of which each is forever until it is set: the least of
// all of them, or of all but one, is found in as many steps as their number has digits.
type least struct {
	size int     // a power of two
	at   []int64 // the least of what is below; from size on, the numbers
}

// reset makes room for n numbers.
func (t *least) reset(n int) {
	t.size = 1 << bits.Len(uint(max(n, 1)-1))
	if cap(t.at) < 2*t.size {
		t.at = make([]int64, 2*t.size)
	}
	t.at = t.at[:2*t.size]
	for i := range t.at {
		t.at[i] = forever
	}
}

// set sets a number.
func (t *least) set(i int, v int64) {
	i += t.size
	for t.at[i] = v; i > 1; {
		i /= 2
		v = min(t.at[2*i], t.at[2*i+1])
		if t.at[i] == v {
			return
		}
		t.at[i] = v
	}
}

// all returns the least of all.
func (t *least) all() int64 { return t.at[1] }

// first returns which is the least, the first one among equals.
func (t *least) first() int {
	i := 1
	for i < t.size {
		if i *= 2; t.at[i] != t.at[1] {
			i++
		}
	}
	return i - t.size
}

// but returns the least of all others.
func (t *least) but(i int) int64 {
	v := int64(forever)
	for i += t.size; i > 1; i /= 2 {
		v = min(v, t.at[i^1])
	}
	return v
}

// limit returns up to which number the first one may grow and still be that: those before
// it win among equals, those behind it lose.
func (t *least) limit(first int) int64 {
	v := int64(forever)
	for i := first + t.size; i > 1; i /= 2 {
		if other := t.at[i^1]; i%2 == 0 || other == forever {
			v = min(v, other)
		} else {
			v = min(v, other-1)
		}
	}
	return v
}
