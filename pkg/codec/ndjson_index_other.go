//go:build !amd64

package codec

import "encoding/binary"

const canIndex = false

// markBlocks leaves all blocks to markTail.
func markBlocks(_, _ []byte) int { return 0 }

// word returns the eight bytes from data[i] on.
func word(data []byte, i int) uint64 { return binary.LittleEndian.Uint64(data[i:]) }
