package stdio_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
	"github.com/logctl/logctl/pkg/stream"
)

// A stalled reads a followed file only when it is told to, as a source does whose sink
// is held up.
type stalled struct {
	t *testing.T
	s stream.Source
}

func stall(t *testing.T, path string) stalled {
	opt := stdio.Options{Format: lines{}, Follow: true, Poll: 2 * time.Millisecond}
	return stalled{t, open(t, opt, path)[0]}
}

// want reads until it has the lines, and no others.
func (r stalled) want(lines ...string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	var got []string
	for len(got) < len(lines) {
		b := &record.Batch{Data: make([]byte, 0, 1<<10)}
		if err := r.s.Read(ctx, b); err != nil {
			r.t.Fatalf("got %q, want %q: %v", got, lines, err)
		}
		got = append(got, strings.Fields(string(b.Data))...)
	}
	if fmt.Sprint(got) != fmt.Sprint(lines) {
		r.t.Fatalf("got %q, want %q", got, lines)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// copyAndCut rotates a file as copytruncate does.
func copyAndCut(t *testing.T, path, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, to, string(text))
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
}

// TestFollowRotatedSeveralTimes: what came and went while nobody read is read, in order,
// and what was there before is not.
func TestFollowRotatedSeveralTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path+".1", "older\n")
	appendTo(t, path, "one\n")
	r := stall(t, path)
	r.want("one")
	for i := range 12 {
		appendTo(t, path, fmt.Sprintf("end-%d\n", i))
		for n := 20; n > 0; n-- {
			if from := fmt.Sprintf("%s.%d", path, n); exists(from) {
				move(t, from, fmt.Sprintf("%s.%d", path, n+1))
			}
		}
		move(t, path, path+".1")
		appendTo(t, path, fmt.Sprintf("begin-%d\n", i))
	}
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprintf("end-%d", i), fmt.Sprintf("begin-%d", i))
	}
	r.want(want...)
	appendTo(t, path, "last\n")
	r.want("last")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestFollowCopiedAndCut: what was not read before a file was cut is in its copy; what
// was is not read again.
func TestFollowCopiedAndCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path, "one\n")
	r := stall(t, path)
	r.want("one")
	appendTo(t, path, "two\nthr")
	copyAndCut(t, path, path+".1")
	appendTo(t, path, "ee\nfour\n") // its writer had begun that line before
	r.want("two", "thr", "ee", "four")

	copyAndCut(t, path, path+".2")
	appendTo(t, path, "five\n")
	r.want("five")
	appendTo(t, path, "read,-but-not-in-the-copy\n")
	appendTo(t, path+".3", "five\n")
	r.want("read,-but-not-in-the-copy")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "six\n")
	r.want("six")

	appendTo(t, path, "seven\n")
	copyAndCut(t, path, path+".4")
	appendTo(t, path, "eight\n")
	copyAndCut(t, path, path+".5")
	appendTo(t, path, "nine\n")
	r.want("seven", "eight", "nine")
}

// TestFollowCutAgainAndEmpty: what came between two copies is read, though nothing has
// been written since.
func TestFollowCutAgainAndEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path, "one\n")
	r := stall(t, path)
	r.want("one")
	copyAndCut(t, path, path+".1")
	appendTo(t, path, "two\n")
	copyAndCut(t, path, path+".2")
	r.want("two")
	appendTo(t, path, "three\n")
	r.want("three")
}

// TestFollowWriterThatComesLate: as long as nobody writes to the new file, the old one
// may go on.
func TestFollowWriterThatComesLate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	appendTo(t, path, "one\n")
	f := follow(t, path)
	f.want("one")
	move(t, path, path+".1")
	appendTo(t, path, "")
	time.Sleep(100 * time.Millisecond) // many looks
	appendTo(t, path+".1", "two\n")
	f.want("two")
	appendTo(t, path, "three\n")
	f.want("three")
}
