package codec

import (
	"math/rand/v2"
	"testing"
)

// Every way to index gives the bits that a loop over the bytes gives.
func TestQuoteIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	data := make([]byte, 700)
	for i := range data {
		data[i] = "\"\\!#]\xa2\xdcab"[r.IntN(9)] // neighbours of both, and both with the high bit
	}
	for _, ahead := range []int{0, 1, 300, 8 << 10} {
		for from := range 130 {
			for _, to := range []int{from, from + 1, from + 63, from + 64, from + 65, from + 300, len(data)} {
				var x quoteIndex
				x.begin(ahead)
				x.mark(data, from, to)
				for i := from; i <= to; i++ {
					checkWindow(t, data, i, to, x.window(i))
				}
			}
		}
	}
}

func checkWindow(t *testing.T, data []byte, i, to int, got uint64) {
	t.Helper()
	for k := i; k < min(to, i+57); k++ {
		want := data[k] == '"' || data[k] == '\\'
		if got>>(k-i)&1 != 0 != want {
			t.Fatalf("byte %d, %q, from %d: marked %v, want %v", k, data[k], i, !want, want)
		}
	}
}

// An index does not outlive the bytes that it was made of.
func TestQuoteIndexBegins(t *testing.T) {
	b := batchOf([]string{`{"a":"x"}`, `{"a":"y"}`})
	p := newNDJSON(planOf("a"), false)
	p.parseBatch(b)
	b = batchOf([]string{`{"a":"longer"}`, `{"a":"z"}`})
	p.parseBatch(b)
	for row, want := range []string{`"longer"`, `"z"`} {
		if got := show(b, b.Col(0)[row]); got != want {
			t.Errorf("row %d is %s, want %s", row, got, want)
		}
	}
}
