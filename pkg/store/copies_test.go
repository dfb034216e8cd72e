package store_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

func openCopies(t *testing.T, path, of string) *store.Copies {
	t.Helper()
	return openCopiesNoting(t, path, of, func(said string) { t.Errorf("it says: %s", said) })
}

func openCopiesNoting(t *testing.T, path, of string, note func(string)) *store.Copies {
	t.Helper()
	k, err := store.OpenCopies(t.Context(), path, of, note)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func loadCopy(t *testing.T, k *store.Copies, task stream.Task) (map[string]string, int64) {
	t.Helper()
	state, next, err := k.Load(t.Context(), task, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = state.Each(func(key, value []byte) error {
		if _, twice := got[string(key)]; twice {
			t.Errorf("key %q comes twice", key)
		}
		got[string(key)] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, next
}

// A copy that begins anew has what it begins with and what has changed since.
func TestCopiesThatBeginAnew(t *testing.T) {
	k := openCopies(t, filepath.Join(t.TempDir(), "state.db"), "topic 1")
	task := stream.Task{Source: "in", Partition: 3}
	loadCopy(t, k, task)
	save := func(c stream.Copy) {
		c.Task = task
		if err := k.Save(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var old, base, changes stream.Entries
	old.Append([]byte("old"), []byte("1"))
	save(stream.Copy{Changes: old, Next: 1})
	base.Append([]byte("a"), []byte("1"))
	base.Append([]byte("b"), []byte("1"))
	changes.Append([]byte("a"), []byte("2"))
	changes.Append([]byte("b"), nil)
	changes.Append([]byte("c"), []byte("3"))
	save(stream.Copy{All: true, Base: base, Changes: changes, Next: 4})
	if got, next := loadCopy(t, k, task); !maps.Equal(got, map[string]string{"a": "2", "c": "3"}) || next != 4 {
		t.Errorf("got %v up to %d", got, next)
	}
}

// Copies hold the last value under each key, however often their log is
// shortened, and the offset that goes with it.
func TestCopies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	rng := rand.New(rand.NewPCG(1, 2))
	task := stream.Task{Source: "in", Partition: 3}
	want := map[string]string{}
	for round := range 4 {
		k := openCopies(t, path, "topic 1")
		got, next := loadCopy(t, k, task)
		if !maps.Equal(got, want) || next != int64(100*round) {
			t.Fatalf("round %d: %d entries up to %d, want %d", round, len(got), next, len(want))
		}
		for i := range 100 {
			var e stream.Entries
			for range 20 {
				key := fmt.Sprint(rng.IntN(300))
				value := bytes.Repeat([]byte("x"), rng.IntN(2000))
				if rng.IntN(4) == 0 {
					e.Append([]byte(key), nil)
					delete(want, key)
					continue
				}
				e.Append([]byte(key), value)
				want[key] = string(value)
			}
			if err := k.Save(t.Context(), stream.Copy{Task: task, Changes: e, Next: int64(100*round + i + 1)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A copy that is too old is none.
func TestCopiesOfLongAgo(t *testing.T) {
	k := openCopies(t, filepath.Join(t.TempDir(), "state.db"), "topic 1")
	task := stream.Task{Source: "in"}
	loadCopy(t, k, task)
	if err := k.Save(t.Context(), stream.Copy{Task: task, All: true, Next: 7, At: 1000}); err != nil {
		t.Fatal(err)
	}
	for since, want := range map[int64]int64{1000: 7, 1001: 0} {
		if _, next, err := k.Load(t.Context(), task, since); err != nil || next != want {
			t.Errorf("since %d: got %d, %v", since, next, err)
		}
	}
}

// Whatever byte of the file is changed: a copy is the one that was saved, or none, and
// new ones can be saved.
func TestCopiesThatAreDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	task, want := stream.Task{Source: "in"}, map[string]string{}
	k := openCopies(t, path, "topic 1")
	loadCopy(t, k, task)
	value := bytes.Repeat([]byte("v"), 50)
	for next := range int64(40) {
		var e stream.Entries
		for range 20 {
			key := fmt.Sprint("key", len(want))
			want[key] = string(value)
			e.Append([]byte(key), value)
		}
		c := stream.Copy{Task: task, Changes: e, Next: next + 1}
		if next == 0 {
			c.All, c.Base, c.Changes = true, e, nil
		}
		if err := k.Save(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rng, kept := rand.New(rand.NewPCG(1, 2)), 0
	for range proof.Some(100) {
		at, bit := rng.IntN(len(whole)), byte(1)<<rng.IntN(8)
		broken := bytes.Clone(whole)
		broken[at] ^= bit
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		k := openCopies(t, path, "topic 1")
		got, next := loadCopy(t, k, task)
		switch {
		case next == 0:
		case next != 40 || !maps.Equal(got, want):
			t.Fatalf("bit %d of byte %d: %d entries up to %d, want %d up to 40", bit, at, len(got), next, len(want))
		default:
			kept++
		}
		if err := k.Save(t.Context(), stream.Copy{Task: task, All: next == 0, Next: 41}); err != nil {
			t.Fatalf("bit %d of byte %d: %v", bit, at, err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if kept == 0 {
		t.Error("no copy has survived")
	}
}

// Copies of another changelog, and a file that is none, are dropped.
func TestCopiesOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	task := stream.Task{Source: "in"}
	k := openCopies(t, path, "topic 1")
	loadCopy(t, k, task)
	var e stream.Entries
	e.Append([]byte("a"), []byte("1"))
	if err := k.Save(t.Context(), stream.Copy{Task: task, Changes: e, Next: 7}); err != nil {
		t.Fatal(err)
	}
	if got, next := loadCopy(t, openCopies(t, path, "topic 2"), task); len(got) != 0 || next != 0 {
		t.Errorf("another topic's copy: %v %d", got, next)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, next := loadCopy(t, openCopies(t, path, "topic 1"), task); len(got) != 0 || next != 0 {
		t.Errorf("a file that is none: %v %d", got, next)
	}
}
