package host

import (
	"runtime"
	"syscall"
)

// GiveWay has the calling goroutine give way to the rest of the process where cores
// are short, until it ends: it gets a thread of its own, whose nice value is so much
// above that of the others, and which ends with it. Where the system knows no such
// thing nothing happens.
func GiveWay(by int) {
	runtime.LockOSThread()                                    // never unlocked: no other goroutine gets the thread
	left, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // of the thread; 20 less its nice value
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-left+by, 19)) // everybody may be nicer
	}
}
