package kafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The pieces are one block of snappy.
func TestSnappy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 3*snappyPiece)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var lines []byte
	for i := range 20_000 {
		lines = fmt.Appendf(lines, `{"n":%d,"message":"request completed"}`+"\n", i*i)
	}
	var dst bytes.Buffer
	for _, data := range [][]byte{noise, lines, bytes.Repeat([]byte{0}, 1<<20)} {
		for _, n := range []int{0, 1, 100, snappyPiece - 1, snappyPiece, snappyPiece + 1, 2 * snappyPiece, len(data)} {
			dst.Reset()
			packed, codec := snappy{}.Compress(&dst, data[:n])
			got, err := s2.Decode(nil, packed)
			if err != nil || codec != kgo.CodecSnappy || !bytes.Equal(got, data[:n]) {
				t.Errorf("%d bytes do not come back: %d, %v", n, len(got), err)
			}
		}
	}
}

func BenchmarkSnappy(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var lines []byte
	for range 4000 {
		lines = fmt.Appendf(lines, `10.%d.%d.7 - - [24/Nov/2026:10:00:00 +0000] "GET /api/v1/cart/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0"`+"\n",
			r.IntN(9), r.IntN(250), r.IntN(1e5), r.IntN(1e5))
	}
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	var dst bytes.Buffer
	for b.Loop() {
		dst.Reset()
		snappy{}.Compress(&dst, lines)
	}
}
