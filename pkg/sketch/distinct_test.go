package sketch_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/sketch"
)

func hashOf(i int) uint64 { return xxh3.HashString(fmt.Sprint("user-", i)) }

func distinctOf(from, to int) *sketch.Distinct {
	d := new(sketch.Distinct)
	for i := from; i < to; i++ {
		d.Add(hashOf(i))
	}
	return d
}

func TestDistinctIsExactForFew(t *testing.T) {
	d := new(sketch.Distinct)
	for i := range 1536 {
		for range 3 {
			d.Add(hashOf(i))
		}
		d.Add(hashOf(i / 2))
		if d.Count() != uint64(i+1) || !d.Exact() {
			t.Fatalf("%d values count as %d, exact: %v", i+1, d.Count(), d.Exact())
		}
	}
	if d.Add(hashOf(1536)); d.Exact() {
		t.Error("1,537 values are said to be counted exactly")
	}
	var zero sketch.Distinct
	if zero.Add(0); zero.Count() != 1 {
		t.Error("a hash of 0 does not count")
	}
}

func TestDistinctIsWithinItsError(t *testing.T) {
	for _, n := range []int{1537, 5000, 20_000, 60_000, 300_000, proof.Some(1_000_000)} {
		var squares float64
		runs := proof.Some(8)
		for run := range runs {
			d := new(sketch.Distinct)
			for i := range n {
				d.Add(hashOf(run*n + i))
			}
			e := float64(d.Count())/float64(n) - 1
			squares += e * e
			if math.Abs(e) > 4*sketch.DistinctError {
				t.Errorf("%d values count as %d: off by %.2f %%", n, d.Count(), 100*e)
			}
		}
		if rms := math.Sqrt(squares / float64(runs)); rms > 2*sketch.DistinctError {
			t.Errorf("%d values: error %.2f %%, want about %.2f %%", n, 100*rms, 100*sketch.DistinctError)
		}
	}
}

func TestDistinctDoesNotDependOnOrderOrParts(t *testing.T) {
	for _, n := range []int{5, 700, 1536, 1537, 4000, 20_000} {
		want := distinctOf(0, n).Append(nil)
		for _, cut := range []int{0, 1, n / 3, n - 1} {
			b := distinctOf(n/4, n)
			b.Merge(distinctOf(0, max(cut, n/4)))
			if !bytes.Equal(b.Append(nil), want) {
				t.Errorf("%d values merged from parts cut at %d make another sketch", n, cut)
			}
		}
		backward := new(sketch.Distinct)
		for i := n - 1; i >= 0; i-- {
			backward.Add(hashOf(i))
			backward.Add(hashOf(n - 1))
		}
		if !bytes.Equal(backward.Append(nil), want) {
			t.Errorf("%d values in another order make another sketch", n)
		}
	}
}

func BenchmarkDistinctAdd(b *testing.B) {
	for _, n := range []int{100, 1500, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hashes := make([]uint64, 1<<17)
			for i := range hashes {
				hashes[i] = hashOf(rand.IntN(n))
			}
			d, i := distinctOf(0, n), 0
			b.ReportAllocs()
			for b.Loop() {
				d.Add(hashes[i&(1<<17-1)])
				i++
			}
		})
	}
}

// TestDistinctOfRareHashes: a sketch that has met the rarest of hashes comes back, too.
func TestDistinctOfRareHashes(t *testing.T) {
	d := distinctOf(0, 2000)
	for i := range uint64(64) {
		d.Add(i << 50) // none of the bits that are counted
		d.Add(i<<50 | 1)
	}
	var got sketch.Distinct
	if rest, err := got.Decode(d.Append(nil)); err != nil || len(rest) > 0 || got.Count() != d.Count() {
		t.Errorf("%d values, want %d; %d bytes left, %v", got.Count(), d.Count(), len(rest), err)
	}
}
