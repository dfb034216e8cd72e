package aggregate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// TestNumbersTellKeysApart numbers keys of all lengths and kinds, some of which have
// the same hash, in any order, in a batch that ends right behind the last one and has
// held others before.
func TestNumbersTellKeysApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := record.NewBatch()
	for range 2000 {
		b.Reset()
		var values []record.Value
		for range 1 + r.IntN([]int{3, 300}[r.IntN(2)]) {
			off, kind := len(b.Data), record.String
			switch r.IntN(5) {
			case 0: // four with one hash
				b.Data = binary.LittleEndian.AppendUint64(b.Data, golden)
				b.Data = binary.LittleEndian.AppendUint64(b.Data, uint64(r.IntN(4)))
			case 1:
				kind = record.Number
				b.Data = fmt.Append(b.Data, r.IntN(20))
			case 2:
				kind = []record.Kind{record.Missing, record.True, record.False}[r.IntN(3)]
				b.Data = append(b.Data, "null"...)
			default:
				b.Data = append(b.Data, "0123456789012345678901234567890"[:r.IntN(32)]...)
			}
			values = append(values, record.NewValue(kind, off, len(b.Data)-off))
		}
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		b.Recs = make([]record.Rec, len(values))
		x := newNumbering(b)
		keys := map[uint64]string{}
		for _, v := range values {
			n := x.number(v)
			key := fmt.Sprint(v.Kind(), string(b.Raw(v)))
			if old, known := keys[n]; known && old != key {
				t.Fatalf("%q and %q have the number %d", old, key, n)
			}
			keys[n] = key
			if want := HashKey(v.Kind(), textOf(b, v)); x.hashes[n] != want {
				t.Fatalf("%q: hash %d, want %d", key, x.hashes[n], want)
			}
		}
	}
}

// TestNumbersAtTheEndOfTheArena numbers first a key that the arena ends behind, in place
// of one that a batch before had.
func TestNumbersAtTheEndOfTheArena(t *testing.T) {
	b := record.NewBatch()
	b.Recs = make([]record.Rec, 2)
	number := func(x *numbering, off int) uint64 { return x.number(record.NewValue(record.String, off, 2)) }
	for early := 10; early < 100; early++ {
		for late := 10; late < 100; late++ {
			b.Data = fmt.Appendf(b.Data[:0], "%d%20d", early, late)
			x := newNumbering(b)
			number(&x, 0)
			x = newNumbering(b)
			if last, first := number(&x, 20), number(&x, 0); (last == first) != (early == late) {
				t.Fatalf("%d has the number %d, %d the number %d", late, last, early, first)
			}
		}
	}
}

// TestNumbersOfKeysThatComeAgain counts the numbers of keys of which each comes many
// times: most have their own places.
func TestNumbersOfKeysThatComeAgain(t *testing.T) {
	b := record.NewBatch()
	var values []record.Value
	for i := range 4000 {
		off := len(b.Data)
		b.Data = fmt.Appendf(b.Data, "u%d", 1000+i*7%1000)
		values = append(values, record.NewValue(record.String, off, len(b.Data)-off))
	}
	b.Recs = make([]record.Rec, len(values))
	x := newNumbering(b)
	for _, v := range values {
		x.number(v)
	}
	if x.n < 1000 || x.n > 2000 {
		t.Errorf("%d numbers for 1000 keys", x.n)
	}
}
