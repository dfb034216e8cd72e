package kafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
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

func TestZstd(t *testing.T) {
	z, err := newZstd()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	data := bytes.Repeat([]byte("one line and another\n"), 100_000)
	var dst bytes.Buffer
	for _, n := range []int{0, 1, 100, zstdWindow, zstdWindow + 1, len(data)} {
		dst.Reset()
		packed, codec := z.Compress(&dst, data[:n])
		got, err := dec.DecodeAll(packed, nil)
		if err != nil || codec != kgo.CodecZstd || !bytes.Equal(got, data[:n]) {
			t.Errorf("%d bytes do not come back: %d, %v", n, len(got), err)
		}
		var head zstd.Header
		if err := head.Decode(packed); err != nil || head.HasCheckSum {
			t.Errorf("%d bytes have a checksum: %+v, %v", n, head, err)
		}
	}
	once := make([]byte, 0, 100<<10) // lines that nothing repeats but all of them again, from farther than 64 KiB
	for r := rand.New(rand.NewPCG(1, 1)); len(once) < 100<<10; {
		once = fmt.Appendf(once, "request %016x took %d ms and sent %x\n", r.Uint64(), r.IntN(1e6), r.Uint64())
	}
	first, _ := z.Compress(new(bytes.Buffer), once)
	both, _ := z.Compress(new(bytes.Buffer), append(once, once...))
	if len(both) > len(first)*3/2 {
		t.Errorf("lines that repeat within a batch take %d bytes, once %d", len(both), len(first))
	}
	if same, codec := z.Compress(&dst, data, kgo.CompressDisableZstd); codec != kgo.CodecNone || !bytes.Equal(same, data) {
		t.Errorf("for a broker without zstd the codec is %d", codec)
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
