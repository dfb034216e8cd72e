package host

import (
	"runtime"
	"syscall"
)

// nicer is by how much the nice value of a goroutine's thread rises that gives way: it
// gets half of what another one gets that wants the same core.
const nicer = 3

// GiveWay has the calling goroutine give way to the rest of the process where cores
// are short, until it ends: it gets a thread of its own, which is nicer than the
// others, and ends with it. Where the system knows no such thing nothing happens.
func GiveWay() {
	runtime.LockOSThread()                                    // never unlocked: no other goroutine gets the thread
	left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // of the thread; 20 less its nice value
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-left+nicer, 19)) // everybody may be nicer
	}
}

// Yield lets another thread have the core that waits for it. The system may count the
// rest of its turn as used.
func Yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
