package session

import "unsafe"

// fetch has what a list points to come from memory, all of it at a time, and
// does not wait for it.
//
//go:noescape
func fetch(list []unsafe.Pointer)
