package kafka

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestSpareGivesWhatFits(t *testing.T) {
	s := spare[int]{most: 1000}
	for _, n := range []int{10, 100, 50} {
		s.keep(make([]int, n))
	}
	for _, c := range []struct{ n, more, want int }{
		{60, 30, 0}, // 50 is too short, 100 too long
		{60, 40, 100},
		{60, 40, 0}, // it is given once
		{1, 99, 50}, // the one that was given back last
		{10, 0, 10},
		{0, 1000, 0},
	} {
		if got := cap(s.take(c.n, c.more)); got != c.want {
			t.Errorf("for %d to %d elements there is a slice of %d, want %d", c.n, c.n+c.more, got, c.want)
		}
	}
	if s.held != 0 {
		t.Errorf("%d elements are held, and no slice", s.held)
	}
}

func TestSpareIsBounded(t *testing.T) {
	s := spare[byte]{most: 1000}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		s.keep(make([]byte, rng.IntN(300)))
		if rng.IntN(3) == 0 {
			s.take(rng.IntN(300), 50)
		}
		held := 0
		for _, b := range s.slices {
			held += cap(b)
		}
		if held != s.held || held > s.most || len(s.slices) > mostSlices {
			t.Fatalf("%d slices of %d bytes are held (%d by its count)", len(s.slices), held, s.held)
		}
	}
	s.keep(make([]byte, 1001))
	if len(s.slices) > 0 {
		t.Errorf("%d slices are held beside one that is too long by itself", len(s.slices))
	}
	for range mostSlices + 1 {
		s.keep(nil)
	}
	if len(s.slices) != mostSlices {
		t.Errorf("%d slices are held", len(s.slices))
	}
}

// What was given back is there after collections, too.
func TestSpareOutlivesCollections(t *testing.T) {
	p := newRecordPool(nil)
	first := p.GetRecords(1000)
	p.PutRecords(first)
	runtime.GC()
	runtime.GC()
	if again := p.GetRecords(900); &again[:1][0] != &first[:1][0] {
		t.Error("records are made anew")
	}
}

// A batch is unpacked into a buffer that it fits in, of twice its size at most.
func TestUnpackedSize(t *testing.T) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{
		nil, []byte("a"), []byte("what is short"), bytes.Repeat([]byte("a line of a log\n"), 10_000),
	} {
		for codec, packed := range map[kgo.CompressionCodecType][]byte{
			kgo.CodecSnappy: s2.EncodeSnappy(nil, text), kgo.CodecZstd: enc.EncodeAll(text, nil),
		} {
			got := cap(newBytePool().GetDecompressBytes(packed, codec))
			if most := max(2*len(text), 5*len(packed)); got < len(text) || got > most {
				t.Errorf("codec %d: %d bytes, packed %d, get a buffer of %d", codec, len(text), len(packed), got)
			}
		}
	}
	for codec, packed := range map[kgo.CompressionCodecType][]byte{
		kgo.CodecSnappy: {0xff, 0xff, 0xff, 0xff, 0x0f, 'x'},
		kgo.CodecZstd:   {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		kgo.CodecGzip:   []byte("does not say"),
	} {
		if got := unpackedSize(packed, codec); got != 4*len(packed) {
			t.Errorf("codec %d: %q is to be %d bytes", codec, packed, got)
		}
	}
}
