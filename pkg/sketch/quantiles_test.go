package sketch_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/logctl/logctl/pkg/sketch"
)

// series are values of every shape that a log may hold.
func series(r *rand.Rand, n int) map[string][]float64 {
	s := map[string][]float64{}
	for range n {
		s["lognormal"] = append(s["lognormal"], math.Exp(r.NormFloat64()*0.9+3.2))
		s["integers"] = append(s["integers"], float64(r.IntN(2000)))
		s["both signs"] = append(s["both signs"], r.NormFloat64()*100)
		s["any size"] = append(s["any size"], math.Ldexp(r.Float64()+0.5, r.IntN(2000)-1000)*float64(r.IntN(3)-1))
		s["few values"] = append(s["few values"], float64(r.IntN(5))*17)
		s["one value"] = append(s["one value"], 503)
		s["two scales"] = append(s["two scales"], []float64{1e-300, 1e300, 0, -5}[r.IntN(4)]*(1+r.Float64()))
	}
	return s
}

func quantilesOf(vs []float64) *sketch.Quantiles {
	q := new(sketch.Quantiles)
	for _, v := range vs {
		q.Add(v)
	}
	return q
}

func TestQuantilesAreWithinTheirError(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100, 1000, 50_000} {
		for name, vs := range series(rand.New(rand.NewPCG(1, uint64(n))), n) {
			q := quantilesOf(vs)
			slices.Sort(vs)
			for _, p := range []float64{0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1} {
				want := vs[max(int(math.Ceil(p*float64(n)-1e-9)), 1)-1]
				got := q.Quantile(p)
				if math.Abs(got-want) > math.Abs(want)*sketch.MaxRelativeError {
					t.Errorf("%s, %d values: quantile %v is %v, want %v within %.2f %%", name, n, p, got, want,
						100*sketch.MaxRelativeError)
				}
			}
			if q.Min() != vs[0] || q.Max() != vs[n-1] || q.Count() != uint64(n) {
				t.Errorf("%s: %d values from %v to %v, want %d from %v to %v", name,
					q.Count(), q.Min(), q.Max(), n, vs[0], vs[n-1])
			}
		}
	}
}

func TestQuantilesOfTwoValues(t *testing.T) {
	q := new(sketch.Quantiles)
	for range 10_000 {
		q.Add(1)
	}
	for range 90_000 {
		q.Add(5000)
	}
	for p, want := range map[float64]float64{0: 1, 0.05: 1.0078125, 0.100001: 5000, 0.95: 5000, 1: 5000} {
		if got := q.Quantile(p); got != want {
			t.Errorf("quantile %v is %v, want %v", p, got, want)
		}
	}
}

func TestQuantileRankIsNotRoundedUpByAFloat(t *testing.T) {
	q := new(sketch.Quantiles)
	for i := 1; i <= 100; i++ {
		q.Add(float64(i))
	}
	if got := q.Quantile(0.07); got != 7 && math.Abs(got-7) > 7*sketch.MaxRelativeError {
		t.Errorf("quantile 0.07 of 1..100 is %v, want 7", got) // 0.07*100 is 7.000000000000001
	}
}

func TestQuantilesOfNothing(t *testing.T) {
	q := new(sketch.Quantiles)
	q.Add(math.NaN())
	q.Add(math.Inf(1))
	q.Add(math.Inf(-1))
	if q.Count() != 0 || !math.IsNaN(q.Quantile(0.5)) || !math.IsNaN(q.Min()) || !math.IsNaN(q.Max()) {
		t.Errorf("empty sketch: count %d, median %v", q.Count(), q.Quantile(0.5))
	}
	q.Add(2)
	q.Add(math.Inf(1))
	if q.Count() != 1 || q.Max() != 2 {
		t.Errorf("count %d, max %v: want 1, 2", q.Count(), q.Max())
	}
}

func TestQuantilesDoNotDependOnOrderOrParts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for name, vs := range series(r, 3000) {
		want := quantilesOf(vs).Append(nil)
		for range 5 {
			r.Shuffle(len(vs), func(i, j int) { vs[i], vs[j] = vs[j], vs[i] })
			if got := quantilesOf(vs).Append(nil); !bytes.Equal(got, want) {
				t.Fatalf("%s: another order gives another sketch", name)
			}
			cut, cut2 := r.IntN(len(vs)), r.IntN(100)
			a, b, c := quantilesOf(vs[:cut2]), quantilesOf(vs[cut2:max(cut, cut2)]), quantilesOf(vs[max(cut, cut2):])
			b.Merge(c)
			a.Merge(b)
			a.Merge(new(sketch.Quantiles))
			if got := a.Append(nil); !bytes.Equal(got, want) {
				t.Fatalf("%s: merged parts give another sketch", name)
			}
		}
	}
}

func TestQuantilesCountBeyond32Bits(t *testing.T) {
	q := quantilesOf([]float64{1})
	for i := range 200 {
		q.Add(float64(i + 2)) // past the list, into counters
	}
	for range 36 {
		q.Merge(q2(q))
	}
	if want := uint64(201) << 36; q.Count() != want {
		t.Fatalf("count %d, want %d", q.Count(), want)
	}
	for _, p := range []float64{0.1, 0.5, 0.9} {
		if got, want := q.Quantile(p), math.Ceil(p*201); math.Abs(got-want) > want*sketch.MaxRelativeError {
			t.Errorf("quantile %v is %v, want %v", p, got, want)
		}
	}
}

// q2 returns a copy.
func q2(q *sketch.Quantiles) *sketch.Quantiles {
	c := new(sketch.Quantiles)
	if _, err := c.Decode(q.Append(nil)); err != nil {
		panic(err)
	}
	return c
}

func BenchmarkQuantilesAdd(b *testing.B) {
	vs := series(rand.New(rand.NewPCG(1, 2)), 1<<14)["lognormal"]
	q := quantilesOf(vs)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		q.Add(vs[i&(1<<14-1)])
		i++
	}
}

func BenchmarkQuantilesMerge(b *testing.B) {
	q := quantilesOf(series(rand.New(rand.NewPCG(1, 2)), 1<<14)["lognormal"])
	o := q2(q)
	b.ReportAllocs()
	for b.Loop() {
		q.Merge(o)
	}
}

func BenchmarkQuantilesQuantile(b *testing.B) {
	q := quantilesOf(series(rand.New(rand.NewPCG(1, 2)), 1<<14)["lognormal"])
	b.ReportAllocs()
	for b.Loop() {
		q.Quantile(0.99)
	}
}

func ExampleQuantiles() {
	var morning, evening sketch.Quantiles
	for ms := range 900 {
		morning.Add(float64(ms))
	}
	evening.Add(5000)
	morning.Merge(&evening)
	fmt.Printf("%.0f %.0f\n", morning.Quantile(0.5), morning.Quantile(1))
	// Output: 450 5000
}

// What is left when values are taken away is what would have been there without them,
// bit for bit, in whatever parts they came and go.
func TestQuantilesOfAWindowThatMoves(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for name, vs := range series(r, 1000) {
		for _, part := range []int{1, 3, 200} {
			q, parts := new(sketch.Quantiles), slices.Collect(slices.Chunk(vs, part))
			from := 0
			for to := range parts {
				q.Merge(quantilesOf(parts[to]))
				for from <= to && (to-from > 400/part || r.IntN(100) == 0) {
					q.Subtract(quantilesOf(parts[from]))
					from++
				}
				if from > to || to%max(101/part, 1) > 0 {
					continue
				}
				left := quantilesOf(slices.Concat(parts[from : to+1]...))
				same := q.Between(left.Min(), left.Max())
				if !bytes.Equal(same.Append(nil), left.Append(nil)) {
					t.Fatalf("%s, parts of %d: another sketch than of what is left", name, part)
				}
				for p := 0.0; p <= 1; p += 1.0 / 8 {
					if got, want := same.Quantile(p), left.Quantile(p); got != want {
						t.Fatalf("%s: quantile %v is %v, want %v", name, p, got, want)
					}
				}
			}
		}
	}
}

// Counts beyond 32 bits have carries, which are taken away, too.
func TestQuantilesSubtractBeyond32Bits(t *testing.T) {
	one := quantilesOf([]float64{1})
	for range 33 {
		one.Merge(one)
	}
	all := quantilesOf(nil)
	for k := range 100 {
		all.Merge(quantilesOf([]float64{float64(k + 1)}))
	}
	want := all.Append(nil)
	all.Merge(one)
	all.Subtract(one)
	if !bytes.Equal(all.Append(nil), want) {
		t.Error("what is left is not what was there before")
	}
}
