package host

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// nicer is by how much the nice value of a goroutine's thread rises that gives way: it
// gets half of what another one gets that wants the same core.
const nicer = 3

// GiveWay lowers the priority of the calling goroutine, until it ends: it gets a thread
// of its own with a higher niceness and longer turns, which ends with it. If the system
// refuses, nothing happens.
func GiveWay() {
	runtime.LockOSThread()                                    // never unlocked: no other goroutine gets the thread
	left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // of the thread; 20 less its nice value
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-left+nicer, 19)) // everybody may be nicer
	}
	lengthen()
}

// lengthen has the turns of the calling thread last half as long again. A Linux of 2024
// or later, which says how long they last, gives a core at once to who wakes up and has
// shorter turns: for equals it mostly looks at its next tick, after up to 4 ms.
func lengthen() {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL || attr.Runtime == 0 {
		return
	}
	attr.Runtime += attr.Runtime / 2
	_ = unix.SchedSetAttr(0, attr, 0)
}

// Yield gives the core to another thread that waits for it. The system may count the
// rest of the time slice as used.
func Yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
