package codec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever is indexed at a time, and however, the index says what a loop over the
// bytes says.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	data := make([]byte, 700)
	for i := range data {
		data[i] = "\"\\::!#];\xa2\xba\xdcab\n"[r.IntN(14)] // neighbours of all three, and all with the high bit
	}
	copy(data[300:], `":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":`)
	for _, ahead := range []int{0, 1, 300, indexAhead} {
		for from := range 130 {
			var x index
			x.begin(from, ahead)
			for _, to := range []int{from, from + 1, from + 63, from + 64, from + 65, from + 300, len(data)} {
				x.see(data, to)
				checkIndex(t, data, &x, to)
			}
		}
	}
}

func checkIndex(t *testing.T, data []byte, x *index, to int) {
	t.Helper()
	var keys []int
	count := 0
	for i := x.base; i <= to; i++ {
		if got := x.countTo(i); got != count {
			t.Fatalf("%d marks in data[%d:%d], want %d", got, x.base, i, count)
		}
		if i < to && isMark(data[i]) {
			count++
		}
		if i < to && i > x.base && data[i] == ':' && isMark(data[i-1]) {
			keys = append(keys, i)
		}
		checkWindow(t, data, i, to, x.window(i))
	}
	for i := x.base; i <= to; i++ {
		k := x.seek(i)
		var got []int
		for ; int(x.keys[k])+x.base < to; k++ {
			got = append(got, int(x.keys[k])+x.base)
		}
		first, _ := slices.BinarySearch(keys, i)
		if !slices.Equal(got, keys[first:]) {
			t.Fatalf("keys of data[%d:%d] at %d, want %d", i, to, got, keys[first:])
		}
	}
}

func checkWindow(t *testing.T, data []byte, i, to int, got uint64) {
	t.Helper()
	for k := i; k < min(to, i+57); k++ {
		if want := isMark(data[k]); got>>(k-i)&1 != 0 != want {
			t.Fatalf("byte %d, %q, from %d: marked %v, want %v", k, data[k], i, !want, want)
		}
	}
}

// An index does not outlive the bytes that it was made of.
func TestIndexBegins(t *testing.T) {
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
