//go:build !linux

package host

// GiveWay lowers the priority of the calling goroutine. On this system the threads of a
// process all have the same priority: nothing happens.
func GiveWay() {}

// Yield gives the core to another thread that waits for it. On this system it does
// nothing.
func Yield() {}
