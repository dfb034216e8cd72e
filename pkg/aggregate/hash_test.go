package aggregate_test

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// TestKeysAreSpread puts keys that differ in a few bytes into a table that looks for
// another place behind the one that is taken: in all bits that are used of a hash, they
// are spread about as if by chance, which takes two looks a key.
func TestKeysAreSpread(t *testing.T) {
	for name, key := range map[string]func(i int) string{
		"users":   func(i int) string { return fmt.Sprint("u", i) },
		"numbers": func(i int) string { return fmt.Sprint(i) },
		"steps":   func(i int) string { return fmt.Sprint(64 * i) },
		"zeros":   func(i int) string { return fmt.Sprintf("session-%08d", i) },
		"ends":    func(i int) string { return fmt.Sprint(i, "@example") },
		"clients": func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) },
		"hex":     func(i int) string { return fmt.Sprintf("%016x", i) },
		"low":     func(i int) string { return string([]byte{byte(i), byte(i >> 8), byte(i >> 16), 7: 0}) },
		"high":    func(i int) string { return string([]byte{13: byte(i), byte(i >> 8), byte(i >> 16)}) },
		"long":    func(i int) string { return fmt.Sprintf("customer-%012d", i) },
	} {
		for _, shift := range []int{0, 32} {
			const n, size = 180_000, 1 << 18
			taken, looks := make([]bool, size), 0
			for i := range n {
				s := aggregate.HashKey(record.String, []byte(key(i))) >> shift % size
				for looks++; taken[s]; looks++ {
					s = (s + 1) % size
				}
				taken[s] = true
			}
			if looks > 4*n {
				t.Errorf("%s, from bit %d: %d looks for %d keys", name, shift, looks, n)
			}
		}
	}
}

// TestKeysCannotBeChosen: keys that a hash without a seed has in one place, which makes a
// factor zero, are in places of their own.
func TestKeysCannotBeChosen(t *testing.T) {
	const n = 100
	seen := map[uint64]bool{}
	for i := range n {
		key := append([]byte("\x15\x7c\x4a\x7f\xb9\x79\x37\x9e"), fmt.Sprintf("%08d", i)...)
		seen[aggregate.HashKey(record.String, key)] = true
	}
	if len(seen) != n {
		t.Errorf("%d hashes of %d keys", len(seen), n)
	}
}
