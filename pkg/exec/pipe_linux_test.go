package exec_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/exec"
)

// TestWhoWritesToAHandlerHoldsNoProcessor looks at the end of a pipe that records are written to.
func TestWhoWritesToAHandlerHoldsNoProcessor(t *testing.T) {
	t.Parallel()
	r, w, err := exec.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	conn, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("flags %#x, %v: who waits to write holds a processor", flags, err)
		}
	})
}
