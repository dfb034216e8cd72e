package stream_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/stream"
)

// content returns what an image has, and makes sure that each key comes once.
func content(t *testing.T, m *stream.Image) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := m.Each(func(key, value []byte) error {
		if _, twice := got[string(key)]; twice || value == nil {
			t.Errorf("key %q comes twice, or gone: %v", key, value)
		}
		got[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// An image is what a map would be that every entry was put into, in order. So is one
// that had others before.
func TestImage(t *testing.T) {
	var m stream.Image
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		keys, want := 1+rng.IntN(400), map[string]string{}
		m.Reset()
		var base stream.Entries
		for k := range keys / 2 {
			key := fmt.Sprint(k)
			want[key] = "base"
			base.Append([]byte(key), []byte("base"))
		}
		m.Begin(base[:0:0])
		m.Begin(base)
		clear(base) // it was copied
		for range rng.IntN(20 * keys) {
			key, value := fmt.Sprint(rng.IntN(keys)), make([]byte, rng.IntN(100))
			if rng.IntN(4) == 0 {
				m.Add([]byte(key), nil)
				delete(want, key)
				continue
			}
			m.Add([]byte(key), value)
			want[key] = string(value)
		}
		if got := content(t, &m); !maps.Equal(got, want) {
			t.Fatalf("seed %d: %d entries, want %d", seed, len(got), len(want))
		}
	}
}

// A long history of few keys takes no more memory than they do.
func TestImageForgetsWhatWasReplaced(t *testing.T) {
	m, value := new(stream.Image), make([]byte, 100)
	add := func() {
		for k := range byte(100) {
			m.Add([]byte{k}, value)
		}
	}
	for range 10 {
		add()
	}
	if n := testing.AllocsPerRun(100, add); n > 1 {
		t.Errorf("%.0f allocations for 100 keys that are there", n)
	}
	if n := m.Size(); n != 100*103 {
		t.Errorf("100 keys take %d bytes, want %d", n, 100*103)
	}
}

// The memory of an image that was reset is enough for as much as it had.
func TestImageUsesMemoryAgain(t *testing.T) {
	var m stream.Image
	var base stream.Entries
	for k := range byte(100) {
		base.Append([]byte{k}, []byte("base"))
	}
	again := func() {
		m.Reset()
		m.Begin(base[:len(base)/2])
		m.Begin(base[len(base)/2:])
		for k := range byte(200) {
			m.Add([]byte{k}, []byte("more"))
		}
	}
	again()
	if n := testing.AllocsPerRun(10, again); n > 0 {
		t.Errorf("%.0f allocations for as much as there was before", n)
	}
}

// What is damaged is an error, also in the middle of an image.
func TestImageOfWhatWasCutOff(t *testing.T) {
	var e stream.Entries
	e.Append([]byte("key"), []byte("value"))
	m := new(stream.Image)
	m.Begin(e[:len(e)-1])
	if err := m.Each(func(_, _ []byte) error { return nil }); err == nil {
		t.Error("no error")
	}
	if err := m.AddAll(e[:len(e)-1]); err == nil {
		t.Error("no error")
	}
}

// Whatever bytes a log has: it is an error, or the last value under each key.
func FuzzImage(f *testing.F) {
	var e stream.Entries
	for _, pair := range [][2]string{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"", ""}} {
		e.Append([]byte(pair[0]), []byte(pair[1]))
	}
	e.Append([]byte("b"), nil)
	for n := range len(e) + 1 {
		f.Add([]byte(e[:n]))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, want := new(stream.Image), map[string]string{}
		err := stream.Entries(src).Each(func(key, value []byte) error {
			want[string(key)] = string(value)
			if value == nil {
				delete(want, string(key))
			}
			return nil
		})
		if got := m.AddAll(src); (got == nil) != (err == nil) {
			t.Fatalf("got error %v, want %v", got, err)
		}
		if got := content(t, m); !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// BenchmarkImage builds a state of 250,000 entries of 30 bytes of its log, and takes it:
// of entries that the log began with, that each came once, and that came three times.
func BenchmarkImage(b *testing.B) {
	const n = 250_000
	var entries stream.Entries
	for k := range n {
		entries.Append(fmt.Appendf(nil, "0123456789k%d", k*7919%n), []byte("0123456789"))
	}
	for _, rounds := range []int{0, 1, 3} {
		b.Run(fmt.Sprintf("added=%d", rounds), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := new(stream.Image)
				if rounds == 0 {
					m.Begin(entries)
				}
				for range rounds {
					if err := m.AddAll(entries); err != nil {
						b.Fatal(err)
					}
				}
				if err := m.Each(func(_, _ []byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
