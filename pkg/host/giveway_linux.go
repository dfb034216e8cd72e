package host

import (
	"runtime"
	"syscall"
)

// nicer is by how much the nice value of a goroutine's thread rises that gives way: it
// gets half of what another one gets that wants the same core.
const nicer = 3

// GiveWay lowers the priority of the calling goroutine, until it ends: it gets a thread
// of its own with a higher niceness, which ends with it. If the system refuses, nothing
// happens.
func GiveWay() {
	runtime.LockOSThread()                                    // never unlocked: no other goroutine gets the thread
	left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // of the thread; 20 less its nice value
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-left+nicer, 19)) // everybody may be nicer
	}
}

// Yield gives the core to another thread that waits for it. The system may count the
// rest of the time slice as used.
func Yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
