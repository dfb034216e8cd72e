package codec

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// inEachWay runs f as on processors that have less and less.
func inEachWay(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer func(index, wide bool) { canIndex, withAVX512 = index, wide }(canIndex, withAVX512)
	if withAVX512 {
		t.Run("AVX-512", f)
	}
	withAVX512 = false
	if canIndex {
		t.Run("AVX2", f)
	}
	canIndex = false
	t.Run("Go", f)
}

func TestMarksInEachWay(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	data := make([]byte, 64<<10)
	for i := range data {
		data[i] = "\":\\\na"[r.IntN(5)]
	}
	copy(data[100:], `":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":":`)
	copy(data[500:], "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")
	inEachWay(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 3, 9, len(data) / blockSize} {
			var got, want index
			for from := 0; from < n*blockSize; {
				k := min(1+r.IntN(n), n-from/blockSize) * blockSize
				got.add(data[from:][:k])
				from += k
			}
			want.markSlowly(data, n, 0)
			if !slices.Equal(got.bits, want.bits) || !slices.Equal(got.before, want.before) || !slices.Equal(got.keys, want.keys) ||
				!slices.Equal(got.lines, want.lines) || got.count != want.count || got.open != want.open {
				t.Errorf("%d blocks: not as a loop marks them", n)
			}
		}
	})
}

func TestNDJSONInEachWay(t *testing.T) {
	inEachWay(t, TestNDJSONLearnedAgrees)
	inEachWay(t, TestNDJSONLearns)
	inEachWay(t, TestIndexFrames)
}

// Nothing is read behind the memory of a batch: an arena ends where no memory is.
func TestNDJSONReadsNoFurther(t *testing.T) {
	const page = 4096
	mem, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Munmap(mem) }()
	if err := syscall.Mprotect(mem[2*page:], syscall.PROT_NONE); err != nil {
		t.Skip(err)
	}
	source := batchOf(append(appLines(10), `{"a":1}`, `{}`, `{"timestamp":"x","service":"y"}`))
	for cut := range len(source.Data) {
		data := mem[2*page-len(source.Data)+cut : 2*page : 2*page]
		copy(data, source.Data[cut:])
		inEachWay(t, func(*testing.T) {
			p := newNDJSON(planOf("timestamp", "latency_ms"), false)
			for range 3 {
				b := &record.Batch{Data: data}
				indexFramer{lineFramer{1000}, p}.Frame(b)
				p.parseBatch(b)
			}
		})
	}
}
