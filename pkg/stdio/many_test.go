package stdio_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// A counter counts how often the first bytes of a stream were looked through.
type counter struct {
	lines
	looks int
}

func (c *counter) Begin(sample []byte, o *record.Origin) int {
	c.looks++
	return c.lines.Begin(sample, o)
}

func peek(t *testing.T, s stream.Source) {
	t.Helper()
	if err := s.(stream.Peeker).Peek(record.NewBatch()); err != nil && err != io.EOF {
		t.Fatal(err)
	}
}

// What was found at the first look holds as long as the file begins as it did.
func TestFormatIsLookedForOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, c := range []struct {
		then  string // the file when it is opened
		want  []string
		looks int
	}{
		{"a,b\n1,2\n", []string{"1,2"}, 1},
		{"c,d\n3,4\n5,6\n", []string{"3,4", "5,6"}, 2},
	} {
		write(t, path, []byte("a,b\n1,2\n"))
		f := &counter{lines: lines{header: true}}
		s := open(t, stdio.Options{Format: f}, path)[0]
		peek(t, s)
		write(t, path, []byte(c.then))
		b := record.NewBatch()
		if err := s.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if got := values(frame(b, 100)); fmt.Sprint(got) != fmt.Sprint(c.want) || b.Origin.Header != c.then[:3] {
			t.Errorf("header %q, records %q, want %q", b.Origin.Header, got, c.want)
		}
		if f.looks != c.looks {
			t.Errorf("%q: looked at %d times, want %d", c.then, f.looks, c.looks)
		}
	}
}

// Of very many files, each takes little memory before its turn, and after it.
func TestManyFilesTakeLittleMemory(t *testing.T) {
	const files, most = 4000, 300
	dir := t.TempDir()
	for i := range files {
		write(t, filepath.Join(dir, fmt.Sprintf("%04d.log", i)), []byte("one\ntwo\n"))
	}
	before := inUse()
	sources := open(t, stdio.Options{}, dir)
	for _, step := range []struct {
		name string
		do   func(stream.Source)
	}{
		{"found", func(stream.Source) {}},
		{"looked at", func(s stream.Source) { peek(t, s) }},
		{"read", func(s stream.Source) { readToEnd(t, s) }},
	} {
		for _, s := range sources {
			step.do(s)
		}
		if each := (inUse() - before) / files; each > most {
			t.Errorf("a source that was %s takes %d bytes, want no more than %d", step.name, each, most)
		}
	}
	runtime.KeepAlive(sources)
}

func readToEnd(t *testing.T, s stream.Source) {
	t.Helper()
	b := record.NewBatch()
	for {
		b.Data = b.Data[:0]
		if err := s.Read(t.Context(), b); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// inUse returns the bytes that are in use.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what had a finalizer
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
