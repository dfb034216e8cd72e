package stdio_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
)

// asNobody runs f as a user who may read nothing of ours, whoever runs the test.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread() // the thread is never unlocked, and ends with the goroutine
	if os.Geteuid() == 0 {
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	f()
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	file, closed := filepath.Join(dir, "file"), filepath.Join(dir, "closed")
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x\n"), 0o000); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(closed, 0o000); err != nil {
		t.Fatal(err)
	}
	got := map[string]error{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		asNobody(t, func() {
			for _, path := range []string{file, closed, filepath.Join(closed, "x")} {
				got[path] = readFirst(path)
			}
			_, got["output"] = stdio.Create(filepath.Join(closed, "out"), stdio.FileOptions{})
		})
	}()
	<-done
	for path, want := range map[string]string{
		file: `input "` + file + `": permission denied`, closed: `input directory "` + closed + `": permission denied`,
		filepath.Join(closed, "x"): `closed/x": permission denied`, "output": `closed/out": permission denied`,
	} {
		if err := got[path]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// readFirst opens what is at a path and reads its first records.
func readFirst(path string) error {
	sources, err := stdio.Open([]string{path}, stdio.Options{})
	if err != nil {
		return err
	}
	return sources[0].Read(context.Background(), record.NewBatch())
}
