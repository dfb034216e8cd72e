package store_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
)

// TestCheckpointKeepsHowFilesBegin: a position comes back with how its file begins, as long
// as it is there, also where that became known only with a later one.
func TestCheckpointKeepsHowFilesBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	a := stream.Position{Source: "a", Partition: 1, Next: 10, Begins: math.MaxUint64}
	b := stream.Position{Source: "b", Partition: 2, Next: 10}
	run := func(keep, gone []stream.Position, want ...stream.Position) {
		t.Helper()
		k := openCheckpoint(t, path, store.CheckpointOptions{})
		must(t, k.Attach(t.Context(), new(memory), nil))
		k.Keep(keep)
		must(t, k.Flush(t.Context()))
		must(t, k.Forget(t.Context(), gone))
		must(t, k.Close())
		k = openCheckpoint(t, path, store.CheckpointOptions{})
		at, err := k.Positions(t.Context())
		must(t, err)
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
		must(t, k.Close())
	}
	run([]stream.Position{a, b}, nil, a, b)
	b.Next, b.Begins = 20, 7
	run([]stream.Position{b}, nil, a, b)
	run(nil, []stream.Position{a}, b)
	a.Begins = 0
	run([]stream.Position{a}, nil, a, b)
}
