package stdio

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// partitions returns, for lines that a file may begin with, what the number of its
// partition would be.
func partitions(t *testing.T, path string) map[int32]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	in, err := newInput(f, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	numbers := map[int32]string{}
	for i := range 200_000 { // some twenty of two files are alike
		line := fmt.Sprintf("line %d", i)
		numbers[in.generation([]byte(line))] = line
	}
	return numbers
}

// Of 20,000 files, two have the same number in one of ten runs; of 100,000, in every
// one. A position in the one says nothing of the other.
func TestFilesWithTheSameNumber(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, path := range []string{a, b} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	of, alike := partitions(t, a), false
	for number, line := range partitions(t, b) {
		if other, ok := of[number]; ok {
			fill(t, a, other+"\n2\n3\n")
			fill(t, b, line+"\n2\n3\n")
			alike = true
			break
		}
	}
	if !alike {
		t.Fatal("no two lines that make the files alike")
	}
	at := ends(t, a)
	if other := ends(t, b); other.Partition != at.Partition {
		t.Fatalf("the files have the numbers %d and %d", at.Partition, other.Partition)
	}
	if got := lines(t, at, b); got != 3 {
		t.Errorf("%d lines of another file of that number are read, want all 3", got)
	}
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(a, moved); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, at, moved); got != 0 {
		t.Errorf("%d lines of a file that was renamed are read again", got)
	}
	if err := os.Symlink(moved, a); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, at, moved); got != 0 {
		t.Errorf("%d lines of a file with two names are read again", got)
	}
}

// fill writes to a file that is there.
func fill(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ends returns where reading a file ends.
func ends(t *testing.T, path string) (at stream.Position) {
	t.Helper()
	each(t, nil, path, func(b *record.Batch) {
		at = stream.Position{Source: path, Partition: b.Origin.Partition, Next: b.Next}
	})
	return at
}

// lines returns how many lines of a file are read behind a position.
func lines(t *testing.T, at stream.Position, path string) (n int) {
	t.Helper()
	each(t, []stream.Position{at}, path, func(b *record.Batch) { n += bytes.Count(b.Data, newline) })
	return n
}

func each(t *testing.T, at []stream.Position, path string, do func(*record.Batch)) {
	t.Helper()
	d, err := codec.New(codec.Options{Format: "plain"})
	if err != nil {
		t.Fatal(err)
	}
	sources, err := Open([]string{path}, Options{Format: d})
	if err != nil {
		t.Fatal(err)
	}
	s := sources[0].(*Source)
	if err := s.Seek(at); err != nil {
		t.Fatal(err)
	}
	for {
		b := &record.Batch{Data: make([]byte, 0, chunk)}
		switch err := s.Read(t.Context(), b); err {
		case nil:
			do(b)
		case io.EOF:
			return
		default:
			t.Fatal(err)
		}
	}
}
