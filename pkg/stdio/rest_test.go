package stdio_test

import (
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

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// A resumer reads the same paths again and again, each time from where it ended.
type resumer struct {
	t      *testing.T
	opt    stdio.Options
	at     map[stream.Position]int64 // by everything but Next
	notes  []string
	gone   int
	opened int    // how many files the last run has read
	found  func() // is called between the look at what is there and the reading
}

func newResumer(t *testing.T) *resumer {
	r := &resumer{t: t, at: map[stream.Position]int64{}}
	r.opt = stdio.Options{Grows: true, Format: lines{}, Note: func(s string) { r.notes = append(r.notes, s) }}
	return r
}

// check compares the lines that were read with those that were written, in any order where
// the files of a pattern were read: they come in the order of their names.
func (r *resumer) check(seed uint64, anyOrder bool, got, want []string) {
	r.t.Helper()
	if anyOrder {
		slices.Sort(got)
		slices.Sort(want)
	}
	if d := cmp.Diff(want, got); d != "" || len(r.notes) > 0 {
		r.t.Fatalf("seed %d: -want +got\n%s%q", seed, d, r.notes)
	}
}

// read returns the lines that are new, those of files that were renamed first.
func (r *resumer) read(paths ...string) (all []string) {
	r.t.Helper()
	var at []stream.Position
	for p, next := range r.at {
		p.Next = next
		at = append(at, p)
	}
	sources, err := stdio.Open(paths, r.opt)
	if err != nil {
		r.t.Fatal(err)
	}
	rest, gone, err := stdio.Rest(sources, at, r.opt)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.found != nil {
		r.found()
	}
	r.gone, r.opened = r.gone+len(gone), len(rest)+len(sources)
	for _, p := range gone {
		p.Next = 0
		delete(r.at, p)
	}
	for _, s := range slices.Concat(rest, sources) {
		if err := s.(stream.Seeker).Seek(at); err != nil {
			r.t.Fatal(err)
		}
		peeked := &record.Batch{Data: make([]byte, 0, 1<<10)}
		if err := s.(stream.Peeker).Peek(peeked); err != nil && err != io.EOF {
			r.t.Fatal(err)
		}
		got, ends := readBatches(r.t, s, 256)
		if first := values(frame(peeked, 1000)); len(first) > len(got) || !slices.Equal(first, got[:len(first)]) {
			r.t.Errorf("looked at, it begins with %q; read, with %q", first, got)
		}
		all = append(all, got...)
		for _, p := range ends {
			next := p.Next
			p.Next = 0
			r.at[p] = next
		}
	}
	return all
}

// However a log grows and is rotated between runs that go on from each other,
// they read every line once, in order: be it that the log is named, or all of its files.
func TestRunsReadAGrowingLogOnce(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		path := filepath.Join(t.TempDir(), "app.log")
		r := newResumer(t)
		pattern := path + strings.Repeat("*", int(seed%2))
		format := path + ".%d"
		if seed%4 > 1 { // as with logrotate's extension
			format, pattern = strings.TrimSuffix(path, ".log")+".%d.log", strings.Replace(pattern, "app.log*", "app*.log", 1)
		}
		var got, want []string
		line := func(text string) {
			want = append(want, text)
			appendTo(t, path, text+"\n")
		}
		line("the first")
		got = append(got, r.read(pattern)...)
		for range 60 {
			switch n := rnd.IntN(10); {
			case n == 0:
				for i := 60; i > 0; i-- {
					_ = os.Rename(fmt.Sprintf(format, i), fmt.Sprintf(format, i+1)) // most are not there
				}
				_ = os.Rename(path, fmt.Sprintf(format, 1))
				line(fmt.Sprintf("first of file %d", len(want)))
			case n == 1: // it is written in two parts, and read in between
				text := fmt.Sprintf("line %d", len(want))
				want = append(want, text)
				cut := rnd.IntN(len(text))
				appendTo(t, path, text[:cut])
				got = append(got, r.read(pattern)...)
				appendTo(t, path, text[cut:]+"\n")
			case n < 7:
				line(fmt.Sprintf("line %d", len(want)))
			default:
				got = append(got, r.read(pattern)...)
			}
		}
		got = append(got, r.read(pattern)...)
		r.check(seed, pattern != path, got, want)
	}
}

// A log that is rotated between the look at what is there and its opening is read
// before the file that has its name by then, also where it had no line yet when it was
// looked at.
func TestRotatedBeforeItIsOpened(t *testing.T) {
	for _, begun := range []string{"b1\n", "b", ""} {
		path := filepath.Join(t.TempDir(), "app.log")
		r := newResumer(t)
		appendTo(t, path, "a\n")
		r.read(path)
		move(t, path, path+".1")
		appendTo(t, path, begun)
		r.found = func() {
			appendTo(t, path, "b1\nb2\n"[len(begun):])
			move(t, path, path+".2")
			appendTo(t, path, "c\n")
		}
		if got := r.read(path); !slices.Equal(got, []string{"b1", "b2"}) {
			t.Errorf("%q: got %q, want the rest of the older file", begun, got)
		}
		r.found = nil
		if got := r.read(path); !slices.Equal(got, []string{"c"}) {
			t.Errorf("%q: then got %q, want the newer file", begun, got)
		}
	}
}

func TestFilesThatAreGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	r := newResumer(t)
	write(t, path, []byte("a\n"))
	r.read(path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, []byte("another\n"))
	if got := r.read(path); !slices.Equal(got, []string{"another"}) || r.gone != 1 {
		t.Errorf("got %q, %d gone", got, r.gone)
	}
	if len(r.notes) != 1 || !strings.Contains(r.notes[0], "app.log was replaced") {
		t.Errorf("notes %q", r.notes)
	}
	if got := r.read(path); len(got) != 0 || len(r.notes) != 1 {
		t.Errorf("again: %q, notes %q", got, r.notes)
	}
}

// A stream that is no file is passed over up to where the last run ended.
func TestStreamIsPassedOver(t *testing.T) {
	text := strings.Repeat("0123456789\n", 1000)
	for _, next := range []int64{0, 11, 11 * 20, 11 * 999, 11 * 1000} {
		for _, arena := range []int{16, 4096} {
			s := stdio.NewReader(strings.NewReader(text), "stdin", stdio.Options{Format: lines{}, Grows: true})
			if err := s.Seek([]stream.Position{{Source: "stdin", Next: next}, {Source: "x", Next: 7}}); err != nil {
				t.Fatal(err)
			}
			got, err := readAll(t, s, arena, 100)
			if err != nil || int64(len(got)) != 1000-next/11 {
				t.Fatalf("from byte %d: %d records, %v", next, len(got), err)
			}
			if len(got) > 0 && (got[0].Offset != next || got[0].Value != "0123456789") {
				t.Errorf("from byte %d: first %+v", next, got[0])
			}
		}
	}
	s := stdio.NewReader(strings.NewReader("0123456789\n"), "stdin", stdio.Options{Format: lines{}})
	if err := s.Seek([]stream.Position{{Source: "stdin", Next: 22}}); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(t, s, 100, 100); err == nil || !strings.Contains(err.Error(), "ends at byte 11") {
		t.Errorf("a shorter stream: %v", err)
	}
}

// What is not whole at the end is left, be it longer than a record may be.
func TestGrowingFileLeavesItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, end := range []string{"", "part", strings.Repeat("x", 300)} {
		write(t, path, []byte("whole\n"+end))
		s := open(t, stdio.Options{Grows: true, Uncounted: true, MaxRecord: 100}, path)[0]
		got, err := readAll(t, s, 64, 100)
		if d := cmp.Diff([]row{{Value: "whole"}}, got); d != "" || err != nil {
			t.Errorf("-want +got\n%s%v", d, err)
		}
	}
}

func TestOutputIsCutBack(t *testing.T) {
	for _, name := range []string{"f.log", "f.log.gz", "f.log.zst"} {
		path := filepath.Join(t.TempDir(), name)
		create := func() *stdio.File {
			f, err := stdio.Create(path, stdio.FileOptions{Durable: true})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		put := func(f *stdio.File, text string) {
			if err := f.Write(batch(text).All()); err != nil {
				t.Fatal(err)
			}
			if err := f.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		f := create()
		for i := range 5 {
			text := fmt.Sprintf("line %d %s", i, strings.Repeat("y", 100*i))
			want = append(want, text)
			put(f, text)
			n, check, err := f.Mark()
			if err != nil {
				t.Fatal(err)
			}
			put(f, "too much")
			if err := f.Write(batch("more of it").All()); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			f = create()
			if err := f.CutBack(n, check); err != nil {
				t.Fatal(err)
			}
			if again, same, err := f.Mark(); again != n || same != check || err != nil {
				t.Fatalf("%s is cut to %d, want %d, %v", name, again, n, err)
			}
			if err := f.CutBack(n, check+1); err == nil || !strings.Contains(err.Error(), "not those that were written") {
				t.Errorf("other bytes: %v", err)
			}
			if err := f.CutBack(n+1, check); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d were written", n+1)) {
				t.Errorf("a file that is shorter: %v", err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, open(t, stdio.Options{}, path)[0], 1024, 1000)
		if d := cmp.Diff(want, values(got)); d != "" || err != nil {
			t.Errorf("%s: -want +got\n%s%v", name, d, err)
		}
	}
}

// TestRestOfCopies: however a log is copied or compressed between runs, what was not read of
// it is read in the copy, once, and so are logs that came and went meanwhile.
func TestRestOfCopies(t *testing.T) {
	pack := func(rnd *rand.Rand, from, to string) {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(to, ".gz") {
			data = gzipMember(t, rnd, data)
		}
		write(t, to, data)
		if err := os.Chtimes(to, time.Time{}, info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		path := filepath.Join(t.TempDir(), "app.log")
		cuts, end := seed%2 == 0, []string{"", ".gz"}[seed/2%2]
		pattern := path + strings.Repeat("*", int(seed/4%2))
		r := newResumer(t)
		var got, want []string
		line := func(kind string) {
			text := fmt.Sprintf("%s %d", kind, len(want))
			want = append(want, text)
			appendTo(t, path, text+"\n")
		}
		line("the first")
		got = append(got, r.read(pattern)...)
		for range 60 {
			switch n := rnd.IntN(10); {
			case n == 0:
				for i := 60; i > 0; i-- {
					_ = os.Rename(fmt.Sprint(path, ".", i, end), fmt.Sprint(path, ".", i+1, end)) // most are not there
				}
				pack(rnd, path, path+".1"+end)
				if cuts {
					write(t, path, nil)
				} else if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				line("first of file")
			case n < 7:
				line("line")
			default:
				got = append(got, r.read(pattern)...)
			}
		}
		got = append(got, r.read(pattern)...)
		r.check(seed, pattern != path, got, want)
		r.read(pattern)
		if pattern == path && end == ".gz" && r.opened > 1 {
			t.Errorf("seed %d: %d files are read when nothing is new", seed, r.opened)
		}
	}
}

// TestCopiesThatBeginAlike: of two files that begin as the log did, its copy is the one in
// which a line ends where reading had ended.
func TestCopiesThatBeginAlike(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	write(t, path+".1", []byte("the same\nolder and longer\n"))
	if err := os.Chtimes(path+".1", time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	write(t, path, []byte("the same\none\n"))
	r := newResumer(t)
	got := r.read(path)
	write(t, path+".2", []byte("the same\none\ntwo\n"))
	write(t, path, nil)
	appendTo(t, path, "three\n")
	if d := cmp.Diff([]string{"the same", "one", "two", "three"}, append(got, r.read(path)...)); d != "" {
		t.Error(d)
	}
}

// TestPackedFileGrows: a compressed file to which another member is added has a rest.
func TestPackedFileGrows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	path := filepath.Join(t.TempDir(), "app.log")
	first := gzipMember(t, rnd, []byte("one\ntwo\n"))
	write(t, path+".1.gz", first)
	write(t, path, []byte("four\n"))
	r := newResumer(t)
	got := r.read(path + ".1.gz")
	appendTo(t, path+".1.gz", string(gzipMember(t, rnd, []byte("three\n"))))
	if d := cmp.Diff([]string{"one", "two", "three", "four"}, append(got, r.read(path)...)); d != "" {
		t.Error(d)
	}
}
