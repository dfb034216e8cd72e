package record_test

import (
	"bytes"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// TestArenas: a batch that was filled with little has an arena of about that, one that was
// filled with much keeps what it was lent, and neither allocates when it is filled again.
func TestArenas(t *testing.T) {
	const size = 1000
	for _, n := range []int{0, 10, size / 2, size/2 + 1, size, 3 * size} {
		arenas, b := record.NewArenas(size), record.NewBatch()
		want := bytes.Repeat([]byte("x"), n)
		fill := func() {
			arenas.Lend(b)
			if n <= size && cap(b.Data) != size {
				t.Errorf("%d bytes: an arena of %d was lent", n, cap(b.Data))
			}
			b.Data = append(b.Data, want...)
			arenas.Settle(b)
		}
		fill()
		if !bytes.Equal(b.Data, want) {
			t.Errorf("%d bytes: %q", n, b.Data)
		}
		if n <= size/2 && cap(b.Data) > n+n/2+8 {
			t.Errorf("%d bytes: they take %d", n, cap(b.Data))
		}
		b.Reset()
		first := &append(b.Data, 0)[0]
		if fill(); n > 0 && n <= size/2 && &b.Data[0] != first {
			t.Errorf("%d bytes: it has another arena", n)
		}
	}
}
