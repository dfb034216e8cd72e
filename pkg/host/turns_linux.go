package host

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// turn is how long a thread of this process has a core for before others may have it.
// The system takes no less.
const turn = 100 * time.Microsecond

// ShortTurns asks the system for short turns on the cores for all threads of this
// process, and those that they start. Each has its core as long as before in all, but
// one that wakes gets it sooner, and one that calls Yield loses little by it. Systems
// that know no such thing (Linux before 6.12) do nothing.
func ShortTurns() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if err != nil || attr.Policy != unix.SCHED_NORMAL {
			continue // it has ended, or somebody knows better
		}
		attr.Runtime = uint64(turn)
		_ = unix.SchedSetAttr(id, attr, 0) // its turns stay as they are
	}
}

// Yield lets another thread have the core that waits for it.
func Yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
