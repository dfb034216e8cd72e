package exec

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe holds: the more, the less often the two sides wait for
// each other.
const pipeSize = 1 << 20

// pipe returns a wide pipe.
func pipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err == nil {
		_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeSize) // a wish: there may be a limit
	}
	return r, w, err
}
