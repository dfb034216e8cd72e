//go:build !amd64

package codec

import "encoding/binary"

const (
	canIndex   = false
	keysAtOnce = 0
)

// mark adds n blocks of data, which begin at offset at.
func (x *marks) mark(data []byte, n, at int) { x.markSlowly(data, n, at) }

// followAVX2 is not called where there is no index.
func followAVX2(*track, *int32, *byte, int, int) bool { return false }

// word returns the eight bytes from data[i] on.
func word(data []byte, i int) uint64 { return binary.LittleEndian.Uint64(data[i:]) }
