package kafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestZstd(t *testing.T) {
	z := newZstd()
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
