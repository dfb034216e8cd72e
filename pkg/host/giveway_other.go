//go:build !linux

package host

// GiveWay has the calling goroutine give way to the rest of the process where cores
// are short. Here threads of one process cannot be told apart: nothing happens.
func GiveWay(int) {}
