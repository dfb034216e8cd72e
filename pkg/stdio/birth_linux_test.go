package stdio_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/stdio"
)

// A file that is made again has its inode again as often as not, and of a table the
// first line.
func TestSeekKnowsAFileThatWasMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, []byte("a,b\n1,2\n"))
	if !knowsBirth(t, path) {
		t.Skip("the file system does not know when a file was made")
	}
	_, ends := readBatches(t, open(t, stdio.Options{}, path)[0], 1024)
	for range 10 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // what a file system's clock needs
		write(t, path, []byte("a,b\n3,4\n5,6\n"))
		s := open(t, stdio.Options{}, path)[0].(*stdio.Source)
		if err := s.Seek(ends); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, s, 1024, 100)
		if err != nil || len(got) != 3 {
			t.Fatalf("got %v, %v; want all three lines", got, err)
		}
	}
}

func knowsBirth(t *testing.T, path string) bool {
	t.Helper()
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st)
	return err == nil && st.Mask&unix.STATX_BTIME != 0
}
