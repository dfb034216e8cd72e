package aggregate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// TestNumbersTellKeysApart numbers keys of all lengths and kinds, some of which have
// the same hash, in batches that end right behind them.
func TestNumbersTellKeysApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := record.NewBatch()
		var values []record.Value
		for range 1 + r.IntN(300) {
			off, kind := len(b.Data), record.String
			switch r.IntN(5) {
			case 0: // four with one hash
				b.Data = binary.LittleEndian.AppendUint64(b.Data, golden)
				b.Data = binary.LittleEndian.AppendUint64(b.Data, uint64(r.IntN(4)))
			case 1:
				kind = record.Number
				b.Data = fmt.Append(b.Data, r.IntN(5))
			case 2:
				kind = []record.Kind{record.Missing, record.True, record.False}[r.IntN(3)]
				b.Data = append(b.Data, "null"...)
			default:
				b.Data = append(b.Data, "0123456789012345678901234567890"[:r.IntN(32)]...)
			}
			values = append(values, record.NewValue(kind, off, len(b.Data)-off))
		}
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
