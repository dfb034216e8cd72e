package exec

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe holds: the more, the less often the two sides wait for
// each other.
const pipeSize = 1 << 20

// pipe returns a wide pipe. It does not use w.Fd, with which whoever writes to a full pipe
// would hold one of the Go scheduler's processors while it waits.
func pipe() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	if conn, err := w.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) // a wish: there may be a limit
		})
	}
	return r, w, nil
}
