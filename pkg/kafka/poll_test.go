package kafka

import "testing"

func TestRecordClass(t *testing.T) {
	sizes := map[int]int{}
	for n := range 100_000 {
		size, pool := recordClass(n)
		if size < n || size > max(n, 1)+n/4 {
			t.Fatalf("%d records get a slice for %d", n, size)
		}
		if same, of := recordClass(size); same != size || of != pool {
			t.Fatalf("a slice for %d goes back as one for %d, to pool %d instead of %d", size, same, of, pool)
		}
		if has, ok := sizes[pool]; ok && has != size {
			t.Fatalf("pool %d has slices of %d and of %d", pool, has, size)
		}
		sizes[pool] = size
	}
}
