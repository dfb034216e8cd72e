package sketch_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/sketch"
)

type coded interface {
	Append(dst []byte) []byte
	Decode(src []byte) ([]byte, error)
}

// samples returns each kind of sketch in several sizes.
func samples() []coded {
	r := rand.New(rand.NewPCG(4, 4))
	all := []coded{new(sketch.Quantiles), new(sketch.Distinct), sketch.NewTop(1), new(sketch.Sum), new(sketch.Variance), new(sketch.Ewma)}
	for _, n := range []int{1, 100, 3000} {
		for _, vs := range series(r, n) {
			all = append(all, quantilesOf(vs), sumOf(vs), varianceOf(vs))
		}
		top := sketch.NewTop(3)
		addKeys(top, zipf(r, n, 1<<20))
		all = append(all, distinctOf(0, n), top)
	}
	return all
}

func empty(c coded) coded {
	switch c.(type) {
	case *sketch.Quantiles:
		return new(sketch.Quantiles)
	case *sketch.Distinct:
		return new(sketch.Distinct)
	case *sketch.Top:
		return sketch.NewTop(1)
	case *sketch.Sum:
		return new(sketch.Sum)
	case *sketch.Ewma:
		return new(sketch.Ewma)
	default:
		return new(sketch.Variance)
	}
}

func TestDecodeReadsWhatAppendWrote(t *testing.T) {
	for _, c := range samples() {
		want := c.Append(nil)
		got := empty(c)
		rest, err := got.Decode(append(bytes.Clone(want), "rest"...))
		if err != nil || string(rest) != "rest" {
			t.Fatalf("%T of %d bytes: %v, rest %q", c, len(want), err, rest)
		}
		if !bytes.Equal(got.Append(nil), want) {
			t.Errorf("%T changes by being decoded", c)
		}
	}
}

func TestDecodeRefusesEveryPrefix(t *testing.T) {
	for _, c := range samples() {
		b := c.Append(nil)
		for n := 0; n < len(b); n += 1 + n/64 {
			if _, err := empty(c).Decode(b[:n]); err == nil {
				t.Errorf("%T: %d of %d bytes were decoded", c, n, len(b))
			}
		}
		b[0]++
		if _, err := empty(c).Decode(b); err == nil {
			t.Errorf("%T: an unknown version was decoded", c)
		}
	}
}

// FuzzDecode gives bytes from anywhere to each kind of sketch. What is
// accepted must be the one encoding of a sketch that works.
func FuzzDecode(f *testing.F) {
	kinds := []coded{new(sketch.Quantiles), new(sketch.Distinct), sketch.NewTop(1), new(sketch.Sum), new(sketch.Variance), new(sketch.Ewma)}
	for _, c := range samples() {
		if b := c.Append(nil); len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, kind := range kinds {
			c := empty(kind)
			rest, err := c.Decode(src)
			if err != nil {
				continue
			}
			again := empty(kind)
			if _, err := again.Decode(c.Append(nil)); err != nil {
				t.Fatalf("%T was decoded from %x and encoded to what is not decoded: %v", c, src[:len(src)-len(rest)], err)
			}
			use(c)
			use(again)
			if !bytes.Equal(c.Append(nil), again.Append(nil)) {
				t.Fatalf("%T decoded from %x works differently when encoded once more", c, src)
			}
		}
	})
}

// use does to a sketch what its users do.
func use(c coded) {
	switch c := c.(type) {
	case *sketch.Quantiles:
		c.Add(5)
		c.Add(-5)
		c.Quantile(0.5)
		c.Merge(quantilesOf([]float64{1, 2, 3}))
	case *sketch.Distinct:
		c.Add(7)
		c.Count()
		c.Merge(distinctOf(0, 20))
	case *sketch.Top:
		c.Add([]byte("x"), 7)
		c.Items(10)
	case *sketch.Sum:
		c.Add(0.1)
		c.Add(1.0 / 3)
		c.Float()
	case *sketch.Variance:
		c.Add(0.1)
		c.StdDev()
	case *sketch.Ewma:
		c.Add(0.1, 1e18, time.Second)
		c.Merge(ewmaOf([]timed{{1, 5}, {2, 1e15}}, time.Second))
		c.Mean()
	}
}
