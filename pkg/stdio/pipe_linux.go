package stdio

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe holds: the more, the less often the two sides wait for each
// other, and the fuller are the batches that are under way while somebody acknowledges them.
const pipeSize = 1 << 20

// widen makes f, where it is a pipe, hold more.
func widen(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) // a wish: there may be a limit
		})
	}
}
