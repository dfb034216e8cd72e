//go:build !linux

package host

// ShortTurns asks the system for short turns on the cores. Here it knows no such thing.
func ShortTurns() {}

// Yield lets another thread have the core that waits for it. Here it does nothing.
func Yield() {}
