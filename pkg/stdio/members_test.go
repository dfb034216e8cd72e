package stdio_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/logctl/logctl/pkg/stdio"
)

// A member makes a compressed member of text, one of several kinds.
type member func(t *testing.T, r *rand.Rand, text []byte) []byte

func gzipMember(t *testing.T, r *rand.Rand, text []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, r.IntN(10))
	if err != nil {
		t.Fatal(err)
	}
	if r.IntN(2) == 0 {
		w.Name = "app.log"
	}
	return inPieces(t, r, w, &out, text)
}

func zstdMember(t *testing.T, r *rand.Rand, text []byte) []byte {
	if r.IntN(5) == 0 {
		return append([]byte("\x57\x2a\x4d\x18\x05\x00\x00\x00skip!"), zstdMember(t, r, text)...)
	}
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderCRC(r.IntN(2) == 0), zstd.WithSingleSegment(r.IntN(2) == 0),
		zstd.WithWindowSize(1<<(10+r.IntN(5))), zstd.WithEncoderLevel(zstd.EncoderLevel(1+r.IntN(4))), zstd.WithZeroFrames(true))
	if err != nil {
		t.Fatal(err)
	}
	if r.IntN(2) == 0 {
		return w.EncodeAll(text, nil)
	}
	return inPieces(t, r, w, &out, text)
}

func bzip2Member(_ *testing.T, _ *rand.Rand, _ []byte) []byte { return slices.Clone(bzip2Hello) }

type flusher interface {
	io.WriteCloser
	Flush() error
}

func inPieces(t *testing.T, r *rand.Rand, w flusher, out *bytes.Buffer, text []byte) []byte {
	for len(text) > 0 {
		n := 1 + r.IntN(len(text))
		_, err := w.Write(text[:n])
		if err == nil && r.IntN(3) == 0 {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// lines returns text of up to n lines, often with long runs of one byte.
func someLines(r *rand.Rand, n int) (text []byte) {
	for range r.IntN(n + 1) {
		text = fmt.Appendf(text, "%x %s\n", r.Uint64(), strings.Repeat("z", r.IntN(2)*r.IntN(5000)))
	}
	return text
}

var members = map[string]member{"gzip": gzipMember, "zstd": zstdMember, "bzip2": bzip2Member}

// packedFile returns some members, and what they hold.
func packedFile(t *testing.T, r *rand.Rand, kind string) (data, text []byte) {
	for range 1 + r.IntN(3) {
		part := []byte("hello\nworld\n")
		if kind != "bzip2" {
			part = someLines(r, 40)
		}
		data, text = append(data, members[kind](t, r, part)...), append(text, part...)
	}
	return data, text
}

func readPacked(t *testing.T, r *rand.Rand, data []byte) (string, error) {
	s := stdio.NewReader(&chunks{data, r}, "x", stdio.Options{Format: lines{}})
	rows, err := readAll(t, s, 1024, 1_000_000)
	var text strings.Builder
	for _, v := range values(rows) {
		text.WriteString(v + "\n")
	}
	return text.String(), err
}

// Members and frames of any kind are read one behind the other, and zeros behind the last
// are nothing. Of anything else behind it, it is said where that begins, and all lines
// before it are read, the last one too, whether or not it has an end.
func TestWhatFollowsTheLastMember(t *testing.T) {
	for kind := range members {
		r := rand.New(rand.NewPCG(1, 2))
		for range 60 {
			data, text := packedFile(t, r, kind)
			whole := string(text)
			if n := len(text); n > 0 && kind != "bzip2" && r.IntN(2) == 0 {
				last := members[kind](t, r, []byte("no end"))
				data, whole = append(data, last...), whole+"no end\n"
			}
			behind := make([]byte, r.IntN(2)*(1+r.IntN(600)))
			want := ""
			if r.IntN(2) == 0 {
				behind = slices.Concat(behind, []byte("garbage")[:1+r.IntN(7)], make([]byte, r.IntN(3)))
				want = fmt.Sprintf("what follows the end of the %s data, at byte %d, is neither", kind, len(data))
			}
			got, err := readPacked(t, r, slices.Concat(data, behind))
			if got != whole {
				t.Fatalf("%s and %d bytes: read %d bytes, want %d", kind, len(behind), len(got), len(whole))
			}
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Fatalf("%s and %q behind %d bytes: error %v, want %q", kind, behind, len(data), err, want)
			}
		}
	}
}

// bzip2Zeros is what bzip2 makes of 2,000,000 zeros.
var bzip2Zeros = []byte("BZh91AY&SY\x82\xb8\x5a\x42\x00\x0f\x51\xe0\x00\xc0\x00\x00\x00\x80\x08\x20\x00\x30\xcc\x09" +
	"\xaa\x69\x8a\x92\x1b\x55\x29\x21\xe2\xee\x48\xa7\x0a\x12\x10\x57\x0b\x48\x40")

// A last record that is too long and has no end is looked for beyond the end of the data,
// more than once: that is no error.
func TestLongRecordAtTheEnd(t *testing.T) {
	zeros := make([]byte, 2_000_000)
	for kind, data := range map[string][]byte{
		"gzip": compress(t, "gzip", zeros), "zstd": compress(t, "zstd", zeros), "bzip2": bzip2Zeros,
	} {
		for _, behind := range []int{0, 1, 2, 512} {
			s := stdio.NewReader(bytes.NewReader(append(slices.Clone(data), zeros[:behind]...)), "x", stdio.Options{Format: lines{}})
			rows, err := readAll(t, s, 1024, 1_000_000)
			if err != nil || len(rows) != 1 || rows[0].Reason == "" {
				t.Errorf("%s and %d zeros: %d records, error %v", kind, behind, len(rows), err)
			}
		}
	}
}

// What is cut off inside a member is never taken for whole, unless it lacks zeros alone.
func TestCutMembersAreNotWhole(t *testing.T) {
	for kind, pack := range members {
		r := rand.New(rand.NewPCG(3, 4))
		for range 20 {
			first := pack(t, r, []byte("one\n"))
			second := pack(t, r, []byte("two\n"))
			cut := 1 + r.IntN(len(second)-1)
			if kind == "zstd" && string(second[1:4]) == "\x2a\x4d\x18" && cut == len("\x57\x2a\x4d\x18\x05\x00\x00\x00skip!") {
				continue // a frame ends here
			}
			if strings.Trim(string(second[cut:]), "\x00") == "" {
				continue
			}
			_, err := readPacked(t, r, slices.Concat(first, second[:cut]))
			if err == nil || !strings.Contains(err.Error(), "the "+kind+" data ends too early") &&
				!strings.Contains(err.Error(), fmt.Sprintf("what follows the end of the %s data, at byte %d,", kind, len(first))) {
				t.Errorf("%s, %d of %d bytes of the second member: error %v", kind, cut, len(second), err)
			}
		}
	}
}
