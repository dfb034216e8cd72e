package codec

import "golang.org/x/sys/cpu"

// markAVX2 marks n blocks of 64 bytes.
//
//go:noescape
func markAVX2(dst *uint64, src *byte, n int)

var hasAVX2 = cpu.X86.HasAVX2

// markBlocks marks the blocks of 64 bytes of data, as many as there are and as
// words has room for, and returns how many.
func markBlocks(words []uint64, data []byte) int {
	n := min(len(words), len(data)>>6)
	if !hasAVX2 || n == 0 {
		return 0
	}
	markAVX2(&words[0], &data[0], n)
	return n
}
