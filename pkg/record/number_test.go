package record_test

import (
	"math/rand/v2"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// A value is a number exactly where its text is one, the empty text included, and
// whatever stands behind it in the arena.
func TestNumEqualsParseNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	const alphabet = "0123456789.-+eE x"
	for range 200_000 {
		text := make([]byte, rng.IntN(11))
		for i := range text {
			text[i] = alphabet[rng.IntN(1+rng.IntN(len(alphabet)))]
		}
		b := record.NewBatch()
		at := record.AppendSpan(b, text)
		record.AppendSpan(b, "7.777777777777")
		got, ok := b.Num(record.NewValue(record.String, int(at.Off), int(at.Len)))
		want, wantOK := record.ParseNumber(text)
		if got != want && wantOK || ok != wantOK {
			t.Fatalf("%q: %v %v, want %v %v", text, got, ok, want, wantOK)
		}
	}
}
