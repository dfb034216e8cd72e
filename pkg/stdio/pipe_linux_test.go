package stdio_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/stdio"
)

func TestStdinIsAWidePipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	room := func() int {
		n, err := unix.FcntlInt(r.Fd(), unix.F_GETPIPE_SZ, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	other, end, err := os.Pipe() // what the system allows
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	defer end.Close()
	if _, err := unix.FcntlInt(other.Fd(), unix.F_SETPIPE_SZ, 1<<20); err != nil {
		t.Skip("pipes cannot be widened here: ", err)
	}
	if stdio.Stdin(r, stdio.Options{}); room() < 1<<20 {
		t.Errorf("the pipe has room for %d bytes", room())
	}
}
