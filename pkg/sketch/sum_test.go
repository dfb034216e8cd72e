package sketch_test

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sketch"
)

func sumOf(vs []float64) *sketch.Sum {
	s := new(sketch.Sum)
	for _, v := range vs {
		s.Add(v)
	}
	return s
}

// decimals returns numbers of the given places, and their sum as text is read.
func decimals(r *rand.Rand, n, places int, size int64) ([]float64, float64) {
	vs := make([]float64, n)
	total := new(big.Rat)
	for i := range vs {
		text := big.NewRat(r.Int64N(2*size)-size, int64(math.Pow10(places))).FloatString(places)
		vs[i], _ = strconv.ParseFloat(text, 64)
		exact, _ := new(big.Rat).SetString(text)
		total.Add(total, exact)
	}
	f, _ := total.Float64()
	return vs, f
}

func TestSumOfDecimalsIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for places := range 10 {
		for _, size := range []int64{10, 1e3, 1e6, 1e10, 1e15} {
			for _, n := range []int{1, 10, proof.Some(3000)} {
				vs, want := decimals(r, n, places, size)
				if got := sumOf(vs).Float(); got != want {
					t.Errorf("%d numbers of %d places below %d: sum %v, want %v", n, places, size, got, want)
				}
			}
		}
	}
}

func TestSumOfTenTenths(t *testing.T) {
	var s sketch.Sum
	for range 10 {
		s.Add(0.1)
	}
	if s.Float() != 1 {
		t.Errorf("ten times 0.1 is %v, want 1", s.Float())
	}
}

func TestSumOfAnythingIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for name, vs := range series(r, 2000) {
		for i := range vs {
			vs[i] += r.Float64() * 1e-11 // no short decimals
		}
		total := new(big.Rat)
		for _, v := range vs {
			total.Add(total, new(big.Rat).SetFloat64(v))
		}
		want, _ := total.Float64()
		got := sumOf(vs).Float()
		if math.Abs(got-want) > math.Abs(want)*1e-15 {
			t.Errorf("%s: sum %v, want %v", name, got, want)
		}
	}
	if got := sumOf([]float64{1e300, 1e-300, 1, -1e300}).Float(); got != 1 {
		t.Errorf("1e300 + 1e-300 + 1 - 1e300 is %v, want 1", got)
	}
	if got := sumOf([]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}).Float(); got != math.MaxFloat64 {
		t.Errorf("sum through a size beyond float64 is %v, want %v", got, math.MaxFloat64)
	}
	if got := sumOf([]float64{math.NaN(), 1, math.Inf(1)}).Float(); got != 1 {
		t.Errorf("NaN and infinity count: %v", got)
	}
}

func TestSumDoesNotDependOnOrderOrParts(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for name, vs := range series(r, 2000) {
		want := sumOf(vs)
		for range 5 {
			r.Shuffle(len(vs), func(i, j int) { vs[i], vs[j] = vs[j], vs[i] })
			cut := r.IntN(len(vs))
			got := sumOf(vs[:cut])
			got.Merge(sumOf(vs[cut:]))
			if got.Float() != want.Float() || !bytes.Equal(got.Append(nil), want.Append(nil)) {
				t.Fatalf("%s: %v in another order, %v before", name, got.Float(), want.Float())
			}
		}
	}
}

func TestSumOfAnySizeIsDecoded(t *testing.T) {
	for _, v := range []float64{1e-9, -1e-9, 0.1, -0.1, 255e-9, 256e-9, 12345.678, -9e15} {
		s := sumOf([]float64{v})
		for range 70 { // doubled up to the end of the fixed-point part
			var again sketch.Sum
			if rest, err := again.Decode(s.Append(nil)); err != nil || len(rest) > 0 || again.Float() != s.Float() {
				t.Fatalf("%v was encoded and decoded to %v, %d bytes left, %v", s.Float(), again.Float(), len(rest), err)
			}
			if math.Abs(s.Float()) > 5e28 {
				break
			}
			other := *s
			s.Merge(&other)
		}
	}
}

// TestSumOfWholeNumbersIsExact sums integers of 64 bits as aggregates do: each as
// the float that it is read as, and what that lacks.
func TestSumOfWholeNumbersIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	for _, n := range []int{1, 2, 50} { // 50 of 64 bits stay below 1e21
		for range 200 {
			var s, half sketch.Sum
			want := new(big.Int)
			for i := range n {
				v := new(big.Int).SetUint64(r.Uint64() >> r.IntN(64))
				if i%3 == 0 {
					v.Neg(v)
				}
				want.Add(want, v)
				f, _ := record.ParseNumber([]byte(v.String()))
				to := &s
				if i%2 == 0 {
					to = &half
				}
				to.Add(f)
				to.Add(record.Rounded([]byte(v.String()), f))
			}
			s.Merge(&half)
			got, large := s.AppendWhole(nil)
			if !large {
				got = strconv.AppendInt(nil, int64(s.Float()), 10)
			}
			if wantLarge := want.CmpAbs(big.NewInt(1<<53)) >= 0; large != wantLarge || string(got) != want.String() {
				t.Fatalf("the sum of %d integers is %s, want %s", n, got, want)
			}
		}
	}
	for text, want := range map[string]string{
		"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"18446744073709551615": "18446744073709551615", "9007199254740993": "9007199254740993", "+9007199254740993": "9007199254740993",
	} {
		var s sketch.Sum
		f, _ := record.ParseNumber([]byte(text))
		s.Add(f)
		s.Add(record.Rounded([]byte(text), f))
		if got, _ := s.AppendWhole(nil); string(got) != want {
			t.Errorf("%s is summed as %s", text, got)
		}
	}
	for _, text := range []string{"12", "9007199254740993.5", "1e300", "99999999999999999999", "x", ""} {
		f, _ := record.ParseNumber([]byte(text))
		if lost := record.Rounded([]byte(text), f); lost != 0 {
			t.Errorf("%q lacks %v as a float", text, lost)
		}
	}
}

// TestSumBeyondItsFixedPart doubles a sum until it has left the 128 bits.
func TestSumBeyondItsFixedPart(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		var s sketch.Sum
		s.Add(sign * (1<<62 + 1<<10))
		s.Add(sign * 0.5)
		want := new(big.Rat).SetFloat64(sign * (1<<62 + 1<<10))
		want.Add(want, new(big.Rat).SetFloat64(sign*0.5))
		for range 60 {
			var other sketch.Sum
			if _, err := other.Decode(s.Append(nil)); err != nil {
				t.Fatal(err)
			}
			s.Merge(&other)
			want.Add(want, want)
			if f, _ := want.Float64(); s.Float() != f {
				t.Fatalf("got %v, want %v", s.Float(), f)
			}
		}
	}
}

func varianceOf(vs []float64) *sketch.Variance {
	w := new(sketch.Variance)
	for _, v := range vs {
		w.Add(v)
	}
	return w
}

// exactVariance is the definition, in fractions.
func exactVariance(vs []float64) float64 {
	n := big.NewRat(int64(len(vs)), 1)
	mean := new(big.Rat)
	for _, v := range vs {
		mean.Add(mean, new(big.Rat).SetFloat64(v))
	}
	mean.Quo(mean, n)
	sum := new(big.Rat)
	for _, v := range vs {
		d := new(big.Rat).Sub(new(big.Rat).SetFloat64(v), mean)
		sum.Add(sum, d.Mul(d, d))
	}
	f, _ := sum.Quo(sum, n.Sub(n, big.NewRat(1, 1))).Float64()
	return f
}

func TestVarianceIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	for name, vs := range series(r, 40) {
		got, want := varianceOf(vs), exactVariance(vs)
		if v := got.Variance(); v != want && math.Abs(v-want) > want*1e-15 {
			t.Errorf("%s: variance %v, want %v", name, v, want)
		}
		if s := got.StdDev(); math.Abs(s-math.Sqrt(want)) > s*1e-15 && !math.IsInf(want, 0) {
			t.Errorf("%s: standard deviation %v, want %v", name, s, math.Sqrt(want))
		}
	}
	far := []float64{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16} // cancels in floats
	if v := varianceOf(far).Variance(); v != 30 {
		t.Errorf("variance far from zero is %v, want 30", v)
	}
	if !math.IsNaN(varianceOf(nil).Variance()) || !math.IsNaN(varianceOf([]float64{1}).StdDev()) {
		t.Error("a variance of fewer than two values")
	}
	if v := varianceOf([]float64{3, 3, 3}).StdDev(); v != 0 {
		t.Errorf("standard deviation of equal values is %v", v)
	}
}

func TestVarianceDoesNotDependOnOrderOrParts(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	for name, vs := range series(r, 1000) {
		want := varianceOf(vs)
		r.Shuffle(len(vs), func(i, j int) { vs[i], vs[j] = vs[j], vs[i] })
		cut := r.IntN(len(vs))
		got := varianceOf(vs[:cut])
		got.Merge(varianceOf(vs[cut:]))
		if !bytes.Equal(got.Append(nil), want.Append(nil)) {
			t.Errorf("%s: parts in another order give another sketch", name)
		}
	}
}

func BenchmarkSumAdd(b *testing.B) {
	for name, vs := range map[string][]float64{
		"decimals": {12.5, 0.001, 503, 17, 3.14}, "fractions": {1.0 / 3, math.Pi, math.E, math.Sqrt2},
	} {
		b.Run(name, func(b *testing.B) {
			s, i := sumOf(vs), 0
			b.ReportAllocs()
			for b.Loop() {
				s.Add(vs[i&3])
				i++
			}
		})
	}
}

func BenchmarkVarianceAdd(b *testing.B) {
	vs := []float64{12.5, 0.001, 503, 17, 3.14}
	w, i := varianceOf(vs), 0
	b.ReportAllocs()
	for b.Loop() {
		w.Add(vs[i&3])
		i++
	}
}
