package exec_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/logctl/logctl/pkg/exec"
)

// TestWhatAProcessLeavesBehind: a program that a handler of one record has started, and
// that holds its output, is ended with it. The pipe says when.
func TestWhatAProcessLeavesBehind(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // a writer, too, so that opening waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	out := new(got)
	s := open(t, exec.Options{Command: "sleep 100000 3> " + path + " & cat", PerRecord: true, Out: out})
	give(t, s, batch(0, 0, "x"))
	if !slices.Equal(out.all(), []string{"x"}) {
		t.Errorf("got %q", out.all())
	}
	_ = pipe.Close()
	if _, err := io.ReadAll(reader); err != nil { // to the end: nobody holds it any more
		t.Error(err)
	}
}
