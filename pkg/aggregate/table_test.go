package aggregate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// keyed returns a table of n keys, the hashes of which are crowded.
func keyed(tb testing.TB, n int) (t *aggregate.Table, hashes []uint64, texts [][]byte) {
	tb.Helper()
	t = aggregate.NewTable(nil)
	for i := range n {
		text := fmt.Append(nil, "key ", i)
		hash := aggregate.HashKey(record.String, text) % uint64(n)
		if g, err := t.Group(hash, record.String, text); err != nil || g != uint32(i) {
			tb.Fatalf("key %d is group %d, %v", i, g, err)
		}
		hashes, texts = append(hashes, hash), append(texts, text)
	}
	return t, hashes, texts
}

// Warming changes nothing, whatever the hashes are.
func TestWarm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 100, 20_000} {
		table, hashes, texts := keyed(t, n)
		if got := table.IsLarge(); got != (n == 20_000) {
			t.Errorf("a table of %d keys is large: %v", n, got)
		}
		some := append([]uint64{0, 1<<64 - 1, r.Uint64()}, hashes...)
		r.Shuffle(len(some), func(i, k int) { some[i], some[k] = some[k], some[i] })
		table.Warm(some)
		table.Warm(nil)
		for i, text := range texts {
			if g, ok := table.Find(hashes[i], record.String, text); !ok || g != uint32(i) {
				t.Fatalf("%s is group %d, %v", text, g, ok)
			}
		}
		if table.Len() != n {
			t.Errorf("%d keys, want %d", table.Len(), n)
		}
	}
}
