package stdio_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
)

// batch returns a batch of records with the given values.
func batch(values ...string) *record.Batch {
	b := &record.Batch{}
	for _, v := range values {
		b.Add([]byte(v))
	}
	return b
}

// pieces remembers what is written to it in pieces.
type pieces struct {
	bytes.Buffer
	sizes []int
}

func (p *pieces) Write(data []byte) (int, error) {
	p.sizes = append(p.sizes, len(data))
	return p.Buffer.Write(data)
}

func TestWriterWritesLiveRecordsInLargePieces(t *testing.T) {
	var out pieces
	w := stdio.NewWriter(&out, "x", nil)
	var want strings.Builder
	for i := range 500 {
		b := batch("one", strings.Repeat("y", i*7), "dropped", "", "bad", "last")
		b.Recs[2].Flags |= record.Dropped
		b.SetBad(4, "why not")
		fmt.Fprintf(&want, "one\n%s\n\nlast\n", strings.Repeat("y", i*7))
		if err := w.Write(b.All()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Error("other bytes than the records'")
	}
	for i, n := range out.sizes[:len(out.sizes)-1] {
		if n < 64<<10 {
			t.Errorf("write %d of %d is only %d bytes", i, len(out.sizes), n)
		}
	}
}

func TestWriterDoesNotCopyLongRuns(t *testing.T) {
	var out pieces
	w := stdio.NewWriter(&out, "x", nil)
	if err := w.Write(batch("before").All()); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch(strings.Repeat("x", 40<<10), strings.Repeat("y", 40<<10)).All()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{7, 80<<10 + 2}, out.sizes); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestPushMakesWhatIsHeldVisible(t *testing.T) {
	var out bytes.Buffer
	w := stdio.NewWriter(&out, "x", nil)
	if err := w.Write(batch("a").All()); err != nil || out.Len() != 0 {
		t.Fatalf("%q, %v", out.String(), err)
	}
	if err := w.Push(); err != nil || out.String() != "a\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestClosedPipeIsEPIPE(t *testing.T) {
	r, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pw.Close()
	r.Close()
	w := stdio.NewWriter(pw, "stdout", nil)
	_ = w.Write(batch("a").All())
	if err := w.Push(); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v", err)
	}
}

func TestFullDiskIsNamed(t *testing.T) {
	f, err := stdio.Create("/dev/full", stdio.FileOptions{})
	if err != nil {
		t.Skip(err)
	}
	_ = f.Write(batch("a").All())
	err = f.Flush(t.Context())
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != `writing to "/dev/full": no space left on device` {
		t.Errorf("got %v", err)
	}
}

func TestCreateSaysWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "f")
	if _, err := stdio.Create(path, stdio.FileOptions{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// What two outputs wrote into one compressed file would be mixed within its members.
func TestCompressedFilesHaveOneWriter(t *testing.T) {
	for _, ext := range []string{".gz", ".zst", ""} {
		path := filepath.Join(t.TempDir(), "out"+ext)
		first := created(t, path, stdio.FileOptions{})
		second, err := stdio.Create(filepath.Dir(path)+"/./out"+ext, stdio.FileOptions{})
		switch {
		case ext == "" && err != nil:
			t.Errorf("whole lines go in one by one: %v", err)
		case ext != "" && (err == nil || !strings.HasSuffix(err.Error(), "another output writes it") || fault.HintOf(err) == ""):
			t.Errorf("%s: %v, hint %q", ext, err, fault.HintOf(err))
		case err == nil:
			_ = second.Close() // nothing was written
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if err := created(t, path, stdio.FileOptions{Durable: true}).Close(); err != nil {
			t.Errorf("%s: after the first one has ended: %v", ext, err)
		}
	}
}

// Runs append, compressed or not, and what they wrote is read back as one file.
func TestFilesAreAppendedTo(t *testing.T) {
	for _, name := range []string{"f.log", "f.log.gz", "f.log.zst"} {
		path := filepath.Join(t.TempDir(), name)
		var want []string
		for run := range 3 {
			f, err := stdio.Create(path, stdio.FileOptions{Durable: true})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				text := fmt.Sprintf("run %d line %d", run, i)
				want = append(want, text)
				if err := f.Write(batch(text).All()); err != nil {
					t.Fatal(err)
				}
				if err := f.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				got, err := readAll(t, open(t, stdio.Options{}, path)[0], 1024, 100)
				if d := cmp.Diff(want, values(got)); d != "" || err != nil {
					t.Fatalf("%s after Flush: -want +got\n%s%v", name, d, err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRotation(t *testing.T) {
	start := time.Date(2026, 11, 24, 12, 59, 58, 0, time.UTC).UnixNano()
	for _, c := range []struct {
		name string
		opt  stdio.FileOptions
		want []string
	}{
		{"app.ndjson", stdio.FileOptions{RotateSize: 20}, []string{
			"app-20261124T125958Z-0001.ndjson: record 0,record 1",
			"app-20261124T130000Z-0002.ndjson: record 2,record 3",
			"app-20261124T130002Z-0003.ndjson: record 4",
		}},
		{"my.app.log.gz", stdio.FileOptions{RotateEvery: time.Hour}, []string{
			"my.app-20261124T125958Z-0001.log.gz: record 0,record 1",
			"my.app-20261124T130000Z-0002.log.gz: record 2,record 3,record 4",
		}},
	} {
		now := start
		c.opt.Now = func() int64 { return now }
		dir := t.TempDir()
		f, err := stdio.Create(filepath.Join(dir, c.name), c.opt)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if err := f.Write(batch(fmt.Sprintf("record %d", i)).All()); err != nil {
				t.Fatal(err)
			}
			now += int64(time.Second)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, contents(t, dir)); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
}

// contents returns "name: record,record" for each file of a directory.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	for _, s := range open(t, stdio.Options{}, dir) {
		b := &record.Batch{Data: make([]byte, 0, 1024)}
		if err := s.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(strings.TrimSpace(string(b.Data)), "\n", ",")
		files = append(files, filepath.Base(b.Origin.Source)+": "+text)
	}
	return files
}

func TestEncoderOfEachFile(t *testing.T) {
	dir := t.TempDir()
	f, err := stdio.Create(filepath.Join(dir, "t.csv"), stdio.FileOptions{RotateSize: 8, Encoder: func() codec.Encoder {
		e, err := codec.NewEncoder("csv", codec.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(batch(`{"a":1,"b":2}`, `{"a":3,"b":4}`).All()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range contents(t, dir) {
		_, text, _ := strings.Cut(c, ": ")
		got = append(got, text)
	}
	if d := cmp.Diff([]string{"a,b,1,2", "a,b,3,4"}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestNullCounts(t *testing.T) {
	var n stdio.Null
	b := batch("abc", "d", "dropped")
	b.Recs[2].Flags |= record.Dropped
	if err := n.Write(b.All()); err != nil || n.Records.Load() != 2 || n.Bytes.Load() != 4 {
		t.Errorf("%d records of %d bytes, %v", n.Records.Load(), n.Bytes.Load(), err)
	}
}
