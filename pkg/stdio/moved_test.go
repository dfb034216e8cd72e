package stdio_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/stdio"
)

// An output is moved away, as logrotate does, or removed between two flushes or in the
// midst of one: every record that a flush has confirmed is in the file that had the name
// then.
func TestOutputMovedAway(t *testing.T) {
	for _, ext := range []string{"", ".gz", ".zst"} {
		path := filepath.Join(t.TempDir(), "out.ndjson"+ext)
		f := created(t, path, stdio.FileOptions{})
		put(t, f, "1")
		flush(t, f, "")
		put(t, f, "2")
		act(t, os.Rename(path, path+".1"+ext))
		flush(t, f, "") // 2 is in what was moved
		put(t, f, "3")
		flush(t, f, "")
		act(t, os.Rename(path, path+".2"+ext))
		put(t, f, "4") // it is seen before
		flush(t, f, "")
		act(t, os.Remove(path))
		put(t, f, "5")
		flush(t, f, "")
		for name, want := range map[string]string{".1": "1\n2\n", ".2": "3\n", "": "5\n"} {
			if name != "" {
				name += ext
			}
			if got := readBack(t, path+name); got != want {
				t.Errorf("%s%s holds %q, want %q", path, name, got, want)
			}
		}
		put(t, f, "6")
		act(t, os.Remove(path))
		flush(t, f, "was removed while it was written to")
	}
}

// What relies on the length of an output is told that it was moved.
func TestMovedOutputHasNoMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.ndjson")
	f := created(t, path, stdio.FileOptions{})
	put(t, f, "1")
	flush(t, f, "")
	if length, _, err := f.Mark(); length != 2 || err != nil {
		t.Errorf("length %d, %v", length, err)
	}
	act(t, os.Rename(path, path+".1"))
	put(t, f, "2")
	flush(t, f, "")
	if _, _, err := f.Mark(); err == nil || !strings.Contains(err.Error(), "was moved or removed") {
		t.Errorf("marked: %v", err)
	}
}

func created(t *testing.T, path string, opt stdio.FileOptions) *stdio.File {
	t.Helper()
	f, err := stdio.Create(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func put(t *testing.T, f *stdio.File, line string) {
	t.Helper()
	act(t, f.Write(batch(line).All()))
}

func act(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flush wants an error that says so, or none.
func flush(t *testing.T, f *stdio.File, want string) {
	t.Helper()
	err := f.Flush(t.Context())
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("flush: %v, want %q", err, want)
	}
}
