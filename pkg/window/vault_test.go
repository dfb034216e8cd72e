package window_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/logctl/logctl/pkg/window"
)

// A vault keeps the entries of an operator, as a store would.
type vault map[string][]byte

// save takes what has changed, and checks what may be relied upon.
func (v vault) save(t testing.TB, op *window.Op, all bool) {
	t.Helper()
	if all {
		clear(v)
	}
	seen := map[string]bool{}
	err := op.Changes(all, func(key, value []byte) error {
		if len(key) == 0 || seen[string(key)] {
			t.Errorf("key %q: empty, or twice in one go", key)
		}
		seen[string(key)] = true
		if value == nil {
			if _, ok := v[string(key)]; !ok {
				t.Errorf("key %q is gone, but was never there", key)
			}
			delete(v, string(key))
			return nil
		}
		v[string(key)] = bytes.Clone(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// piece takes some of what has changed and refuses the rest: it is for later calls,
// by the last of which v is what one call would have made it.
func (v vault) piece(t testing.TB, op *window.Op, all bool, some int) {
	t.Helper()
	if all {
		clear(v)
	}
	err := op.Changes(all, func(key, value []byte) error {
		if some--; some < 0 {
			return errEnough
		}
		if delete(v, string(key)); value != nil {
			v[string(key)] = bytes.Clone(value)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

var errEnough = errors.New("enough")

// restore gives all entries to an operator, in any order.
func (v vault) restore(t testing.TB, r *rand.Rand, op *window.Op) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(v))
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys {
		if err := op.Restore([]byte(k), v[k]); err != nil {
			t.Fatalf("restoring %q: %v", k, err)
		}
	}
}
