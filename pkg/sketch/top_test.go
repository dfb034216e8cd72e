package sketch_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/sketch"
)

func addKeys(t *sketch.Top, keys []string) {
	for _, k := range keys {
		t.Add([]byte(k), xxh3.HashString(k))
	}
}

func zipf(r *rand.Rand, n, distinct int) []string {
	z := rand.NewZipf(r, 1.1, 1, uint64(distinct-1))
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("/path/", z.Uint64())
	}
	return keys
}

// ranked counts keys with a map: the most frequent first, equal ones by key.
func ranked(keys []string) (order []string, count map[string]uint64) {
	count = map[string]uint64{}
	for _, k := range keys {
		if count[k]++; count[k] == 1 {
			order = append(order, k)
		}
	}
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return order, count
}

func TestTopIsExactForFewKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	keys := zipf(r, 20_000, 1000)
	order, count := ranked(keys)
	top := sketch.NewTop(50)
	addKeys(top, keys)
	if !top.Exact() || top.Count() != 20_000 {
		t.Fatalf("exact %v, count %d", top.Exact(), top.Count())
	}
	items := top.Items(50)
	for i, it := range items {
		if string(it.Key) != order[i] || it.Count != count[order[i]] || it.Err != 0 {
			t.Errorf("place %d: %s counts %d, want %s with %d", i, it.Key, it.Count, order[i], count[order[i]])
		}
	}
	if got := sketch.NewTop(3).Items(3); len(got) != 0 {
		t.Errorf("top of nothing: %v", got)
	}
}

// checkBounds checks every count against the truth, and returns how many of
// the true top n were found.
func checkBounds(t *testing.T, top *sketch.Top, keys []string, n int) int {
	t.Helper()
	order, count := ranked(keys)
	for _, it := range top.Items(1 << 20) {
		if c := count[string(it.Key)]; c > it.Count || c < it.Count-it.Err {
			t.Fatalf("%s counts %d, stated %d with an error of %d", it.Key, c, it.Count, it.Err)
		}
	}
	found := 0
	for _, it := range top.Items(n) {
		if slices.Contains(order[:n], string(it.Key)) {
			found++
		}
	}
	return found
}

func TestTopBoundsHoldForManyKeys(t *testing.T) {
	for seed := range uint64(proof.Some(4)) {
		r := rand.New(rand.NewPCG(seed, 2))
		keys := zipf(r, 200_000, 1<<20)
		top := sketch.NewTop(100)
		addKeys(top, keys)
		if found := checkBounds(t, top, keys, 100); found < 90 || top.Exact() {
			t.Errorf("found %d of the 100 most frequent, exact: %v", found, top.Exact())
		}
	}
	flat := make([]string, 50_000) // the worst case: nothing is frequent
	for i := range flat {
		flat[i] = fmt.Sprint(i % 20_000)
	}
	top := sketch.NewTop(5)
	addKeys(top, flat)
	checkBounds(t, top, flat, 5)
}

func TestTopMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, distinct := range []int{50, 900, 1 << 20} {
		keys := zipf(r, 60_000, distinct)
		whole, parts := sketch.NewTop(10), sketch.NewTop(10)
		addKeys(whole, keys)
		for chunk := range slices.Chunk(keys, 7000) {
			part := sketch.NewTop(10)
			addKeys(part, chunk)
			parts.Merge(part)
		}
		if parts.Count() != whole.Count() {
			t.Errorf("count %d, want %d", parts.Count(), whole.Count())
		}
		if found := checkBounds(t, parts, keys, 10); found < 10 {
			t.Errorf("%d keys: merged parts found %d of the 10 most frequent", distinct, found)
		}
		if whole.Exact() && !bytes.Equal(parts.Append(nil), whole.Append(nil)) {
			t.Errorf("%d keys: merged parts make another sketch", distinct)
		}
		addKeys(parts, keys) // it goes on after a merge
		checkBounds(t, parts, append(keys, keys...), 10)
	}
}

// TestTopMergeKeepsTheMostFrequent: what the other one brings may be more than what is there.
func TestTopMergeKeepsTheMostFrequent(t *testing.T) {
	add := func(top *sketch.Top, name string, keys, times int) {
		for k := range keys {
			key := fmt.Sprintf("%s%03d", name, k)
			for range times {
				top.Add([]byte(key), xxh3.HashString(key))
			}
		}
	}
	rare, frequent := sketch.NewTop(10), sketch.NewTop(10)
	add(rare, "rare", 1000, 1)
	add(frequent, "frequent", 10, 50)
	rare.Merge(frequent)
	for i, it := range rare.Items(10) {
		if want := fmt.Sprintf("frequent%03d", i); string(it.Key) != want || it.Count != 50 || it.Err != 0 {
			t.Errorf("%d: %s, %d, error %d, want %s, 50 times", i, it.Key, it.Count, it.Err, want)
		}
	}
}

func BenchmarkTopAdd(b *testing.B) {
	for _, distinct := range []int{500, 1 << 20} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			keys := zipf(rand.New(rand.NewPCG(1, 1)), 1<<16, distinct)
			hashes := make([]uint64, len(keys))
			raw := make([][]byte, len(keys))
			for i, k := range keys {
				hashes[i], raw[i] = xxh3.HashString(k), []byte(k)
			}
			top, i := sketch.NewTop(100), 0
			addKeys(top, keys)
			b.ReportAllocs()
			for b.Loop() {
				top.Add(raw[i&(1<<16-1)], hashes[i&(1<<16-1)])
				i++
			}
		})
	}
}
