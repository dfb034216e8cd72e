package main

import "runtime"

// leeway lets garbage of at least n bytes pile up between collections, until the
// returned function is called. A slice of that size counts as live and, never
// touched, takes no memory. A command with little live that makes much garbage
// would collect it again and again.
func leeway(n int) func() {
	ballast := make([]byte, n)
	return func() { runtime.KeepAlive(ballast) }
}

// How much garbage there may be beside as much as is live.
const (
	brokerLeeway  = 64 << 20
	consumeLeeway = 32 << 20
)
