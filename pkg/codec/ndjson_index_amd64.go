package codec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// markAVX2 marks n blocks of 64 bytes.
//
//go:noescape
func markAVX2(dst *byte, src *byte, n int)

var canIndex = cpu.X86.HasAVX2

// markBlocks marks the blocks of 64 bytes of data, as many as there are and as
// dst has room for, and returns how many bytes of dst it filled.
func markBlocks(dst, data []byte) int {
	n := min(len(dst)>>3, len(data)>>6)
	if !canIndex || n == 0 {
		return 0
	}
	markAVX2(&dst[0], &data[0], n)
	return n << 3
}

// word returns the eight bytes from data[i] on, as encoding/binary would. Who
// calls it has seen that they are there: the check costs as much as the search
// that it guards, and took a fifth of the time of matching records.
func word(data []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), i))
}
