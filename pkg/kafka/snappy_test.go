package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The pieces are one block of snappy.
func TestSnappy(t *testing.T) {
	var dst bytes.Buffer
	for name, data := range map[string][]byte{
		"noise": noise(3 * snappyPiece), "lines": accessLines(9000), "zeros": make([]byte, 1<<20),
	} {
		for _, n := range []int{0, 1, 100, snappyPiece - 1, snappyPiece, snappyPiece + 1, 2 * snappyPiece, len(data)} {
			dst.Reset()
			packed, codec := snappy{}.Compress(&dst, data[:n])
			got, err := s2.Decode(nil, packed)
			if err != nil || codec != kgo.CodecSnappy || !bytes.Equal(got, data[:n]) {
				t.Errorf("%s: %d bytes do not come back: %d, %v", name, n, len(got), err)
			}
		}
	}
	lines := accessLines(9000)[:snappyPiece]
	dst.Reset()
	packed, _ := snappy{}.Compress(&dst, lines)
	if other := s2.EncodeSnappy(nil, lines); len(packed) > len(other)*11/10 {
		t.Errorf("lines take %d bytes, with another encoder %d", len(packed), len(other))
	}
}

// A piece comes back whatever it holds, and nothing is written behind the room that it needs.
func FuzzSnappyPiece(f *testing.F) {
	f.Add([]byte(nil), uint16(0))
	f.Add([]byte("a"), uint16(300))
	f.Add([]byte("one line and another\n"), uint16(40))
	f.Add(noise(70), uint16(5))
	f.Add(noise(700), uint16(100))
	f.Add(accessLines(20), uint16(33))
	for n := range 40 { // lengths about what the end is left alone for
		f.Add(bytes.Repeat([]byte("ab"), n), uint16(0))
		f.Add(noise(n), uint16(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		src := slices.Clip(bytes.Repeat(data, int(times)+1))
		src = src[:min(len(src), snappyPiece)]
		head := binary.AppendUvarint(nil, uint64(len(src)))
		room := len(head) + roomFor(len(src))
		all := make([]byte, room+64)
		packed := packPiece(append(all[:0:room], head...), src)
		if got, err := s2.Decode(nil, packed); err != nil || !bytes.Equal(got, src) {
			t.Errorf("%d bytes do not come back: %d, %v", len(src), len(got), err)
		}
		if !bytes.Equal(all[room:], make([]byte, 64)) {
			t.Error("bytes behind the room are not as they were")
		}
	})
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func accessLines(n int) (lines []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for range n {
		lines = fmt.Appendf(lines, `10.%d.%d.7 - - [24/Nov/2026:10:00:00 +0000] "GET /api/v1/cart/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0"`+"\n",
			r.IntN(9), r.IntN(250), r.IntN(1e5), r.IntN(1e5))
	}
	return lines
}

func BenchmarkSnappy(b *testing.B) {
	lines := accessLines(4000)
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	var dst bytes.Buffer
	for b.Loop() {
		dst.Reset()
		snappy{}.Compress(&dst, lines)
	}
}
