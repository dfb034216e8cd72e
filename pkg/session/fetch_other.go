//go:build !amd64

package session

import "unsafe"

// fetch has what a list points to come from memory, as much of it at a time as
// the processor looks ahead in a short loop. What it returns means nothing.
//
//go:noinline
func fetch(list []unsafe.Pointer) (seen byte) {
	for _, p := range list {
		seen ^= *(*byte)(p)
	}
	return seen
}
