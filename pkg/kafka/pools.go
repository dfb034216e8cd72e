package kafka

import (
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// spare keeps slices to be used again, those that were given back last, of a bounded
// number of elements in all. Collections leave them alone: what is fetched is so much
// that a sync.Pool, which they empty, would have half of it made anew.
type spare[T any] struct {
	mu     sync.Mutex
	most   int   // elements
	held   int   // of them, the capacities of slices
	slices [][]T // the one that was given back last is the last
}

// mostSlices bounds those that are looked through.
const mostSlices = 64

// take returns a slice with room for at least n elements and at most so many more, or
// nil where there is none.
func (s *spare[T]) take(n, more int) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, b := range slices.Backward(s.slices) {
		if c := cap(b); c >= n && c <= n+more {
			s.slices = slices.Delete(s.slices, i, i+1)
			s.held -= c
			return b
		}
	}
	return nil
}

// keep takes a slice back. What is too much is given up, the longest kept first.
func (s *spare[T]) keep(b []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slices = append(s.slices, b)
	s.held += cap(b)
	n := 0
	for ; s.held > s.most || len(s.slices)-n > mostSlices; n++ {
		s.held -= cap(s.slices[n])
	}
	s.slices = slices.Delete(s.slices, 0, n)
}

// recordPool keeps the slices that fetched records stand in.
type recordPool struct {
	spare spare[kgo.Record]
	yield func() // before each batch is taken apart; may be nil
}

func newRecordPool(yield func()) *recordPool {
	return &recordPool{spare: spare[kgo.Record]{most: 128 << 10}, yield: yield} // 22 MiB
}

// GetRecords returns a slice with room for n records.
func (p *recordPool) GetRecords(n int) []kgo.Record {
	if p.yield != nil {
		p.yield()
	}
	if s := p.spare.take(n, n/2); s != nil {
		return s
	}
	return make([]kgo.Record, n+n/8) // batches differ in how many they hold
}

// PutRecords takes a slice back.
func (p *recordPool) PutRecords(s []kgo.Record) { p.spare.keep(s) }

// bytePool keeps the buffers that batches are unpacked into.
type bytePool struct{ spare spare[byte] }

func newBytePool() *bytePool { return &bytePool{spare[byte]{most: 8 << 20}} }

// GetDecompressBytes returns a buffer; it may be too small.
func (p *bytePool) GetDecompressBytes(packed []byte, codec kgo.CompressionCodecType) []byte {
	n := unpackedSize(packed, codec)
	if b := p.spare.take(n, n); b != nil {
		return b
	}
	return make([]byte, 0, n+n/8)
}

// PutDecompressBytes takes a buffer back.
func (p *bytePool) PutDecompressBytes(b []byte) { p.spare.keep(b) }

// unpackedSize returns how long a batch says it is, or a guess where it does not say, or
// says what cannot be believed.
func unpackedSize(packed []byte, codec kgo.CompressionCodecType) int {
	says := 0
	switch codec {
	case kgo.CodecSnappy:
		says, _ = s2.DecodedLen(packed)
	case kgo.CodecZstd:
		var frame zstd.Header
		if frame.Decode(packed) == nil && frame.HasFCS {
			says = int(min(frame.FrameContentSize, largestBatch+1))
		}
	}
	if says < 1 || says > largestBatch {
		return 4 * len(packed)
	}
	return says
}
