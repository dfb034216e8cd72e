package stdio_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/stdio"
)

// output appends members of records to a file, and returns the records as lines.
func output(t *testing.T, path string, members int) string {
	t.Helper()
	f, err := stdio.Create(path, stdio.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for range members {
		for range 50 {
			line := fmt.Sprintf(`{"n":%d}`, rand.Uint64())
			want.WriteString(line + "\n")
			if err := f.Write(batch(line).All()); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return want.String()
}

// TestWhatAKilledRunLeftIsInNobodysWay: wherever an output was torn, what the next run
// appends can be read, and so can all that was flushed before.
func TestWhatAKilledRunLeftIsInNobodysWay(t *testing.T) {
	for _, ext := range []string{"", ".gz", ".zst"} {
		path := filepath.Join(t.TempDir(), "out.ndjson"+ext)
		flushed := output(t, path, 2)
		whole, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		output(t, path, 1)
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cuts := []int{0, 1, 9, 10, 11, len(all) - int(whole.Size()) - 1, len(all) - int(whole.Size())}
		for range proof.Some(20) {
			cuts = append(cuts, rand.IntN(len(all)-int(whole.Size())))
		}
		for _, cut := range cuts {
			if err := os.WriteFile(path, all[:int(whole.Size())+cut], 0o600); err != nil {
				t.Fatal(err)
			}
			later := output(t, path, 1)
			got := readBack(t, path)
			if !strings.HasPrefix(got, flushed) || !strings.HasSuffix(got, "\n"+later) {
				t.Fatalf("%q torn %d bytes behind a flush: of %d bytes flushed before and %d behind, %d are read",
					ext, cut, len(flushed), len(later), len(got))
			}
		}
	}
}

// readBack returns the records of a file as lines.
func readBack(t *testing.T, path string) string {
	t.Helper()
	rows, err := readAll(t, open(t, stdio.Options{Format: lines{}}, path)[0], 64<<10, 1<<20)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return strings.Join(values(rows), "\n") + "\n"
}

// TestNoRoomLeavesWholeRecords: when a disk is full the file ends with a whole record
// or member, and is gone on with when there is room.
func TestNoRoomLeavesWholeRecords(t *testing.T) {
	if !proof.Alone(t) {
		return
	}
	for _, ext := range []string{"", ".gz", ".zst"} {
		path := filepath.Join(t.TempDir(), "out.ndjson"+ext)
		want := output(t, path, 1)
		f, err := stdio.Create(path, stdio.FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fillUp(t, f)
		if got := readBack(t, path); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\n") {
			t.Errorf("%q: the file ends with %q", ext, got[max(0, len(got)-100):])
		}
	}
}

// fillUp writes to a file until it may not grow any more. That its process may write no
// larger one stands for the full disk.
func fillUp(t *testing.T, f *stdio.File) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	limit := before
	limit.Cur = 200_001
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}()
	for range 100_000 {
		err := f.Write(batch(fmt.Sprintf("%x-%x", rand.Uint64(), rand.Uint64())).All())
		if errors.Is(err, syscall.EFBIG) {
			_ = f.Close() // it failed before
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("there was always room")
}
