package stdio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// lines is a format of one record a line, with an optional header line.
type lines struct{ header bool }

func (l lines) Enough([]byte) bool { return true }

func (l lines) Begin(sample []byte, o *record.Origin) int {
	o.Format = "lines"
	if !l.header {
		return 0
	}
	end := bytes.IndexByte(sample, '\n') + 1
	o.Header = strings.TrimRight(string(sample[:end]), "\n")
	return end
}
func (l lines) Framer(*record.Origin) codec.Framer { return lineFramer{} }

type lineFramer struct{}

func (lineFramer) Cut(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }
func (lineFramer) Frame(*record.Batch) {}

// A row is what a test compares of a record.
type row struct {
	Value        string
	Offset, Line int64
	Reason       string
}

// frame returns the records of a batch as a parser would find them.
func frame(b *record.Batch, maxRecord int) []row {
	var rows []row
	if len(b.Recs) > 0 {
		for i, r := range b.Recs {
			rows = append(rows, row{string(b.Value(i)), r.Offset, r.Line, b.Faults[i].Reason})
		}
		return rows
	}
	at, line := b.Base, b.Line
	for text := range strings.Lines(string(b.Data)) {
		r := row{strings.TrimSuffix(text, "\n"), at, line, ""}
		if len(r.Value) > maxRecord {
			r.Value, r.Reason = r.Value[:maxRecord], codec.TooLong(maxRecord)
		}
		rows = append(rows, r)
		at += int64(len(text))
		line++
	}
	return rows
}

// readAll reads s to its end through arenas of the given size.
func readAll(t *testing.T, s stream.Source, arena, maxRecord int) ([]row, error) {
	t.Helper()
	pool := record.NewPool(1, arena)
	var rows []row
	var next int64
	for {
		b, err := pool.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Read(t.Context(), b); err != nil {
			b.Release()
			if err == io.EOF {
				return rows, nil
			}
			return rows, err
		}
		if next != 0 && b.Base != next {
			t.Fatalf("batch begins at %d, the one before ended at %d", b.Base, next)
		}
		if b.Origin == nil || b.Arrived == 0 {
			t.Fatal("batch without origin or time of arrival")
		}
		next = b.Next
		rows = append(rows, frame(b, maxRecord)...)
		b.Release()
	}
}

// chunks returns random short pieces of data, as a slow pipe does.
type chunks struct {
	data []byte
	rnd  *rand.Rand
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+c.rnd.IntN(40))], c.data)
	c.data = c.data[n:]
	return n, nil
}

// randomLines returns lines of odd lengths, ends and bytes.
func randomLines(rnd *rand.Rand, maxRecord int) []byte {
	var data []byte
	for range rnd.IntN(40) {
		n := rnd.IntN(30)
		switch rnd.IntN(12) {
		case 0:
			n = maxRecord + rnd.IntN(5) - 2
		case 1:
			n = rnd.IntN(6 * maxRecord)
		}
		for range n {
			data = append(data, "abc\x00\xff "[rnd.IntN(6)])
		}
		data = append(data, [...]string{"\n", "\r\n", "\n\n"}[rnd.IntN(3)]...)
	}
	return append(data, [...]string{"", "x", "last"}[rnd.IntN(3)]...)
}

// However the bytes arrive and however large the arenas are, the records are
// the same.
func TestChunkingChangesNothing(t *testing.T) {
	const maxRecord = 100
	dir := t.TempDir()
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		data := randomLines(rnd, maxRecord)
		opt := stdio.Options{Format: lines{}, MaxRecord: maxRecord}
		want := frame(&record.Batch{Data: data, Line: 1}, maxRecord)
		for _, arena := range []int{16, 100, 103, 1000, 1 << 20} {
			s := stdio.NewReader(&chunks{data, rnd}, "x", opt)
			got, err := readAll(t, s, arena, maxRecord)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d, arena %d, chunks: -want +got\n%s", seed, arena, d)
			}
			path := filepath.Join(dir, "f")
			write(t, path, data)
			got, err = readAll(t, open(t, opt, path)[0], arena, maxRecord)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d, arena %d, file: -want +got\n%s", seed, arena, d)
			}
		}
	}
}

func open(t *testing.T, opt stdio.Options, paths ...string) []stream.Source {
	t.Helper()
	if opt.Format == nil {
		opt.Format = lines{}
	}
	sources, err := stdio.Open(paths, opt)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func values(rows []row) []string {
	var v []string
	for _, r := range rows {
		v = append(v, r.Value)
	}
	return v
}

func TestHeaderLineIsNoRecord(t *testing.T) {
	s := stdio.NewReader(strings.NewReader("a,b\n1,2\n3,4"), "x", stdio.Options{Format: lines{header: true}})
	got, err := readAll(t, s, 1024, 100)
	want := []row{{"1,2", 4, 2, ""}, {"3,4", 8, 3, ""}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("-want +got\n%s%v", d, err)
	}
}

func TestEmptyInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	write(t, path, nil)
	for name, s := range map[string]stream.Source{
		"reader": stdio.NewReader(strings.NewReader(""), "x", stdio.Options{Format: lines{}}),
		"file":   open(t, stdio.Options{}, path)[0],
		"null":   open(t, stdio.Options{}, os.DevNull)[0],
	} {
		if got, err := readAll(t, s, 1024, 100); len(got) != 0 || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// endless is a line that does not end.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

func TestHugeLineTakesBoundedMemory(t *testing.T) {
	r := io.MultiReader(strings.NewReader("a\n"), &endless{200 << 20}, strings.NewReader("\nb\n"))
	var notes []string
	s := stdio.NewReader(r, "x", stdio.Options{Format: lines{}, Note: func(s string) { notes = append(notes, s) }})
	pool := record.NewPool(1, 64<<10)
	var got []string
	for {
		b, _ := pool.Get(t.Context())
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if cap(b.Data) > 3<<20 {
			t.Fatalf("the arena has grown to %d bytes", cap(b.Data))
		}
		for _, r := range frame(b, codec.DefaultMaxRecord) {
			got = append(got, fmt.Sprintf("%.1s %d @%d line %d %s", r.Value, len(r.Value), r.Offset, r.Line, r.Reason))
		}
		b.Release()
	}
	want := []string{
		"a 1 @0 line 1 ",
		"x 1000000 @2 line 2 " + codec.TooLong(codec.DefaultMaxRecord),
		fmt.Sprintf("b 1 @%d line 3 ", 2+(200<<20)+1),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if said := "x: the record at byte 2 has no end within 64 MB; it is bad, and passed over to its end"; !slices.Equal(notes, []string{said}) {
		t.Errorf("said %q, want %q", notes, said)
	}
}

// TestEndlessDevice: the end of a record is not waited for where it will never come.
func TestEndlessDevice(t *testing.T) {
	s := open(t, stdio.Options{}, "/dev/zero")[0]
	b, _ := record.NewPool(1, 64<<10).Get(t.Context())
	err := s.Read(t.Context(), b)
	if err == nil || !strings.Contains(err.Error(), "/dev/zero: the record at byte 0 has no end within 64 MB") {
		t.Errorf("it ends with %v", err)
	}
}

// Where a bad record is the last one, one without an end is known to be bad at once.
func TestStrictDoesNotWaitForTheEnd(t *testing.T) {
	s := stdio.NewReader(&endless{1 << 62}, "x", stdio.Options{Format: lines{}, Strict: true})
	b, _ := record.NewPool(1, 64<<10).Get(t.Context())
	err := s.Read(t.Context(), b)
	if rows := frame(b, codec.DefaultMaxRecord); err != nil || len(rows) != 1 || rows[0].Reason == "" {
		t.Errorf("read %+v, %v", rows, err)
	}
}

func compress(t *testing.T, kind string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bzip2Hello is what bzip2 makes of "hello\nworld\n".
var bzip2Hello = []byte("\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x6b\x5f\xb1\xdd\x00\x00\x02\x41\x80\x00\x10\x06" +
	"\x44\x90\x80\x20\x00\x31\x0c\x08\x21\xa3\x69\x08\x07\x23\xae\x87\x8b\xb9\x22\x9c\x28\x48\x35\xaf\xd8\xee\x80")

func TestCompressionIsFoundByContent(t *testing.T) {
	text := []byte("hello\nworld\n")
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"plain":   text,
		"gzip":    compress(t, "gzip", text),
		"members": append(compress(t, "gzip", text[:8]), compress(t, "gzip", text[8:])...),
		"zstd":    compress(t, "zstd", text),
		"frames":  append(compress(t, "zstd", text[:8]), compress(t, "zstd", text[8:])...),
		"skipped": append([]byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"), compress(t, "zstd", text)...),
		"bzip2":   bzip2Hello,
	} {
		path := filepath.Join(dir, name)
		write(t, path, data)
		s := open(t, stdio.Options{}, path)[0].(*stdio.Source)
		got, err := readAll(t, s, 1024, 100)
		if d := cmp.Diff([]string{"hello", "world"}, values(got)); d != "" || err != nil {
			t.Errorf("%s: -want +got\n%s%v", name, d, err)
		}
		if n, total := s.Progress(); n != total || total != int64(len(data)) {
			t.Errorf("%s: progress %d of %d, want %d", name, n, total, len(data))
		}
		piped := stdio.NewReader(&chunks{data, rand.New(rand.NewPCG(1, 1))}, "x", stdio.Options{Format: lines{}})
		if got, err := readAll(t, piped, 1024, 100); len(got) != 2 || err != nil {
			t.Errorf("%s in a pipe: %v, %v", name, got, err)
		}
	}
}

func TestTextThatBeginsLikeAMark(t *testing.T) {
	for _, text := range []string{
		"B", "BZ", "BZh", "BZh9", "BZh9 is no mark\n", "\x1f", "\x1f\x8b\n", "\x28\xb5\x2f", "a\x00", "\x00a\x00",
		"a\x00b\x00c\x00d\x00e\n", "\x00a\x00b\x00c\x00d\n",
	} {
		s := stdio.NewReader(&chunks{[]byte(text), rand.New(rand.NewPCG(1, 1))}, "x", stdio.Options{Format: lines{}})
		got, err := readAll(t, s, 1024, 100)
		if d := cmp.Diff([]string{strings.TrimSuffix(text, "\n")}, values(got)); d != "" || err != nil {
			t.Errorf("%q: -want +got\n%s%v", text, d, err)
		}
	}
}

// What is not read is named, with the program that makes text of it.
func TestForeignDataIsNoText(t *testing.T) {
	for text, want := range map[string]string{
		"\xfd7zXZ\x00\x00\x04rest": "xz -dc", "\x04\x22\x4d\x18rest": "lz4 -dc", "PK\x03\x04rest": "unzip -p",
		"\xff\xfea\x00\n\x00": "iconv", "\xfe\xff\x00a\x00\n": "iconv",
		"2\x000\x002\x006\x00-\x001\x00": "UTF-16LE", "\x002\x000\x002\x006\x00-\x001": "UTF-16BE",
	} {
		path := filepath.Join(t.TempDir(), "x")
		write(t, path, []byte(text))
		got, err := readAll(t, open(t, stdio.Options{}, path)[0], 1024, 100)
		if len(got) > 0 || !strings.Contains(fault.HintOf(err), want) {
			t.Errorf("%q: %d records, error %v, hint %q; want one of %s", text, len(got), err, fault.HintOf(err), want)
		}
	}
}

// All whole records before the break arrive, then an error that says where.
func TestTruncatedGzip(t *testing.T) {
	var text []byte
	for i := range 20_000 {
		text = fmt.Appendf(text, "line %d %x\n", i, i*i*i)
	}
	whole := compress(t, "gzip", text)
	path := filepath.Join(t.TempDir(), "cut.gz")
	for _, size := range []int{3, 9, 12, len(whole) / 2, len(whole) - 4} {
		write(t, path, whole[:size])
		got, err := readAll(t, open(t, stdio.Options{}, path)[0], 64<<10, 1000)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q: the gzip data ends too early, at byte %d", path, size)) {
			t.Errorf("cut at %d: error %v", size, err)
		}
		if size > len(whole)/3 && len(got) < 8_000 {
			t.Errorf("cut at %d: only %d records", size, len(got))
		}
		for i, r := range got {
			if want := fmt.Sprintf("line %d %x", i, i*i*i); r.Value != want {
				t.Fatalf("cut at %d: record %d is %q, want %q", size, i, r.Value, want)
			}
		}
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), []byte("a\n"))
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"none.log": "no such file or directory",
		"*.txt":    "no file matches",
		"sub":      "holds no files",
	} {
		path = filepath.Join(dir, path)
		_, err := stdio.Open([]string{filepath.Join(dir, "a.log"), path}, stdio.Options{Format: lines{}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q", path, err, want)
		}
	}
	if _, err := stdio.Open([]string{"-", "-"}, stdio.Options{Format: lines{}}); err == nil {
		t.Error("stdin twice: no error")
	}
}

func TestDirectoriesAndPatterns(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.log", "a.log", ".hidden", "c.txt"} {
		write(t, filepath.Join(dir, name), []byte(name+"\n"))
	}
	if err := os.Mkdir(filepath.Join(dir, "d.log"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		dir:                          {"a.log", "b.log", "c.txt"},
		filepath.Join(dir, "*.log"):  {"a.log", "b.log"},
		filepath.Join(dir, ".hid*"):  {".hidden"},
		filepath.Join(dir, "[bc].*"): {"b.log", "c.txt"},
	} {
		var got []string
		for _, s := range open(t, stdio.Options{}, path) {
			rows, err := readAll(t, s, 1024, 100)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, values(rows)...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", path, d)
		}
	}
}

func TestPeekLeavesTheSourceAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, []byte("one\ntwo\n"))
	s := open(t, stdio.Options{}, path)[0].(*stdio.Source)
	b := &record.Batch{Data: make([]byte, 0, 1<<20)}
	if err := s.Peek(b); err != nil || string(b.Data) != "one\ntwo\n" || cap(b.Data) != 1<<20 {
		t.Errorf("Peek: %q of %d, %v", b.Data, cap(b.Data), err)
	}
	if got, err := readAll(t, s, 1024, 100); len(got) != 2 || err != nil {
		t.Errorf("after Peek: %v, %v", got, err)
	}
	r := stdio.NewReader(strings.NewReader("x"), "x", stdio.Options{Format: lines{}})
	if err := r.Peek(b); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Peek of a reader: %v", err)
	}
}

// From every position that a batch can end at, the rest is read; compressed or
// not.
func TestSeekGoesOnWhereARunEnded(t *testing.T) {
	var text []byte
	for i := range 100 {
		text = fmt.Appendf(text, "line %d\n", i)
	}
	path := filepath.Join(t.TempDir(), "f")
	for _, data := range [][]byte{text, compress(t, "gzip", text)} {
		write(t, path, data)
		src := open(t, stdio.Options{}, path)[0]
		all, ends := readBatches(t, src, 64)
		for i, at := range ends {
			s := open(t, stdio.Options{}, path)[0].(*stdio.Source)
			if err := s.Seek([]stream.Position{{Source: "other", Next: 3}, at}); err != nil {
				t.Fatal(err)
			}
			got, err := readAll(t, s, 128<<(i%8), 100)
			if err != nil {
				t.Fatal(err)
			}
			skipped := len(all) - len(got)
			if want := strings.Count(string(text[:at.Next]), "\n"); skipped != want {
				t.Fatalf("position %d (%+v): skipped %d records, want %d", i, at, skipped, want)
			}
		}
	}
}

// readBatches returns all records and the position behind each batch.
func readBatches(t *testing.T, s stream.Source, arena int) (all []string, ends []stream.Position) {
	t.Helper()
	for {
		b := &record.Batch{Data: make([]byte, 0, arena)}
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			return all, ends
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, values(frame(b, 1000))...)
		o := b.Origin
		ends = append(ends, stream.Position{Source: o.Source, Partition: o.Partition, Next: b.Next, Begins: o.Begins})
	}
}

// A position in a file that is not there any more says nothing of its successor.
func TestSeekKnowsAnotherFileOfTheName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, []byte("old one\nold two\n"))
	_, ends := readBatches(t, open(t, stdio.Options{}, path)[0], 1024)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, []byte("new one, longer than the old file was\n"))
	s := open(t, stdio.Options{}, path)[0].(*stdio.Source)
	if err := s.Seek(ends); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, s, 1024, 100)
	if err != nil || len(got) != 1 {
		t.Errorf("got %v, %v; want the one new record", got, err)
	}
}

// What is written to a pipe arrives without waiting for more, and a read that
// waits ends with its context.
func TestPipeIsLiveAndCanBeLeft(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	s := stdio.Stdin(r, stdio.Options{Format: lines{}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range 50 {
		text := fmt.Sprintf("line %d\npart", i)
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		b := &record.Batch{Data: make([]byte, 0, 1024)}
		if err := s.Read(ctx, b); err != nil {
			t.Fatal(err)
		}
		if got := string(b.Data); !strings.HasSuffix(got, fmt.Sprintf("line %d\n", i)) || !b.AtEnd {
			t.Fatalf("got %q, at end %v", got, b.AtEnd)
		}
	}
	go func() { time.Sleep(20 * time.Millisecond); cancel() }()
	begin := time.Now()
	err = s.Read(ctx, &record.Batch{Data: make([]byte, 0, 1024)})
	if !errors.Is(err, context.Canceled) || time.Since(begin) > 30*time.Second {
		t.Errorf("cancelled read: %v after %v", err, time.Since(begin))
	}
}

func TestPipeReadsToItsEnd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var want []string
	go func() {
		for i := range 20_000 {
			fmt.Fprintf(w, "line %d\n", i)
		}
		w.WriteString("end")
		w.Close()
	}()
	for i := range 20_000 {
		want = append(want, fmt.Sprintf("line %d", i))
	}
	got, err := readAll(t, stdio.Stdin(r, stdio.Options{Format: lines{}}), 4096, 1000)
	if err != nil || !slices.Equal(values(got), append(want, "end")) {
		t.Errorf("got %d records, %v", len(got), err)
	}
}

func BenchmarkReadFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	data := bytes.Repeat([]byte(strings.Repeat("x", 199)+"\n"), 100_000)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		b.Fatal(err)
	}
	batch := &record.Batch{Data: make([]byte, 0, 512<<10)}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		sources, err := stdio.Open([]string{path}, stdio.Options{Format: lines{}})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			batch.Reset()
			err = sources[0].Read(b.Context(), batch)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}
