package sketch

import (
	"math/big"
	"testing"
)

// A thousand million additions are not made here: the sum is brought to where
// its digits have to be carried, and must keep its value there and beyond.
func TestLongsumCarriesInTime(t *testing.T) {
	for _, negative := range []bool{false, true} {
		b := longsum{first: 60, digits: []int64{1<<62 + 5, 1<<62 - 1, 1 << 61}, adds: maxAdds - 1}
		if negative {
			for i := range b.digits {
				b.digits[i] = -b.digits[i]
			}
		}
		want := b.rat()
		step := big.NewRat(1<<53-1, 1)
		if negative {
			step.Neg(step)
		}
		for range 3 {
			b.add(1<<53-1, 0, negative)
			want.Add(want, step)
		}
		if b.adds > 2 {
			t.Errorf("%d additions and no carry", b.adds)
		}
		o := longsum{first: 62, digits: []int64{-7}, adds: maxAdds}
		want.Add(want, o.rat())
		if b.merge(&o); b.adds > maxAdds/2 || o.adds > maxAdds/2 {
			t.Errorf("%d and %d additions after a merge", b.adds, o.adds)
		}
		if b.rat().Cmp(want) != 0 {
			t.Errorf("negative %v: carrying changes the sum", negative)
		}
	}
}
