package kafka

import (
	"fmt"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// However many records a batch has, chunks have room for a bounded number: memory is what
// is in flight, not what the chunk with the shortest lines once held.
func TestChunksOfShortLines(t *testing.T) {
	s := &Sink{part: -1}
	s.chunks.New = func() any { return newChunk(s) }
	var b record.Batch
	var want []string
	for i := range 4*chunkRows + 1 {
		r := b.Add([]byte(fmt.Sprint(i)))
		if i/chunkRows == 1 || i%10 == 0 { // one chunk would have nothing live
			r.Flags |= record.Dropped
			continue
		}
		want = append(want, fmt.Sprint(i))
	}
	size := s.fill(b.All())
	for _, c := range s.filled {
		if cap(c.recs) > chunkRows || c.left != int64(len(c.recs)) || c.left == 0 {
			t.Errorf("a chunk has room for %d records, has %d, waits for %d", cap(c.recs), len(c.recs), c.left)
		}
		for i := range c.recs {
			if len(want) == 0 || string(c.recs[i].Value) != want[0] || c.rowOf(&c.recs[i]) != int(c.rows[i]) {
				t.Fatalf("record %q of row %d is there, want %.1q", c.recs[i].Value, c.rows[i], want)
			}
			want = want[1:]
		}
		size -= c.size
	}
	if len(want) > 0 || size != 0 || len(s.filled) != 4 {
		t.Errorf("%d chunks, %d records are missing, %d bytes are in none", len(s.filled), len(want), size)
	}
}
