package sketch_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/sketch"
)

type timed struct {
	v float64
	t int64
}

func ewmaOf(all []timed, halfLife time.Duration) *sketch.Ewma {
	w := new(sketch.Ewma)
	for _, x := range all {
		w.Add(x.v, x.t, halfLife)
	}
	return w
}

// The mean is that of the definition, and bit for bit the same in any order and in
// parts, however many half-lives there are.
func TestEwma(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC).UnixNano()
	for _, halfLife := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		all := make([]timed, 400)
		last := now
		for i := range all {
			all[i] = timed{r.NormFloat64()*100 + 500, now + r.Int64N(int64(20*time.Minute)) - int64(10*time.Minute)}
			last = max(last, all[i].t)
		}
		var sum, weight float64
		for _, x := range all {
			w := math.Exp2(float64(x.t-last) / float64(halfLife))
			sum, weight = sum+w*x.v, weight+w
		}
		want := ewmaOf(all, halfLife)
		if got := want.Mean(); math.Abs(got-sum/weight) > 1e-9*math.Abs(got) {
			t.Errorf("half-life %v: mean %v, want %v", halfLife, got, sum/weight)
		}
		for range 20 {
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			cut := r.IntN(len(all))
			got := ewmaOf(all[:cut], halfLife)
			got.Merge(ewmaOf(all[cut:], halfLife))
			if got.Mean() != want.Mean() {
				t.Fatalf("half-life %v: mean %v in another order, %v before", halfLife, got.Mean(), want.Mean())
			}
		}
	}
	if w := new(sketch.Ewma); !math.IsNaN(w.Mean()) {
		t.Errorf("the mean of nothing is %v", w.Mean())
	}
}

func TestEwmaIsDecoded(t *testing.T) {
	want := ewmaOf([]timed{{1.5, -5}, {-7, 1e18}, {0.1, 1e18 + 3e9}}, time.Second)
	text := want.Append(nil)
	var got sketch.Ewma
	rest, err := got.Decode(append(bytes.Clone(text), "rest"...))
	if err != nil || string(rest) != "rest" || got.Mean() != want.Mean() || !bytes.Equal(got.Append(nil), text) {
		t.Errorf("decoded %v with %q left, %v; want %v", got.Mean(), rest, err, want.Mean())
	}
	for n := range text {
		if _, err := got.Decode(text[:n]); err == nil {
			t.Errorf("%d of %d bytes were decoded", n, len(text))
		}
	}
}

func TestOctaves(t *testing.T) {
	q := quantilesOf([]float64{-3, -2, -1.5, 0, 0.75, 1, 1.99, 2, 1000, 1024, 1e-9})
	var sum uint64
	for _, o := range q.Octaves() {
		sum += o.Count
		for from := o.From; from > 1; from /= 2 {
			if from != math.Trunc(from) {
				t.Errorf("%v is no power of two", o.From)
			}
		}
	}
	if sum != q.Count() {
		t.Errorf("octaves hold %d of %d values", sum, q.Count())
	}
	want := map[float64]uint64{-4: 2, -2: 1, 0: 1, 0.5: 1, 1: 2, 2: 1, 512: 1, 1024: 1}
	for _, o := range q.Octaves() {
		if n, ok := want[o.From]; ok && n != o.Count && o.To-o.From > 0 {
			t.Errorf("from %v to %v are %d values, want %d", o.From, o.To, o.Count, n)
		}
	}
}
