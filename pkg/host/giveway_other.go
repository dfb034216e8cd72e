//go:build !linux

package host

// GiveWay has the calling goroutine give way to the rest of the process where cores
// are short. Here threads of one process cannot be told apart: nothing happens.
func GiveWay() {}

// Yield lets another thread have the core that waits for it. Here it does nothing.
func Yield() {}
