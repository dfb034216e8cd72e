package codec

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var (
	canIndex   = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT
	withAVX512 = canIndex && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI2
)

// keysAtOnce is how many keys may be written behind the last one.
const keysAtOnce = 32

// mark adds n blocks of data, which begin at offset at. The slices have room for
// all that there may be.
func (x *marks) mark(data []byte, n, at int) {
	switch {
	case withAVX512:
		markAVX512(x, unsafe.SliceData(data), n, at)
	case canIndex:
		markAVX2(x, unsafe.SliceData(data), n, at)
	default:
		x.markSlowly(data, n, at)
	}
}

//go:noescape
func markAVX512(x *marks, data *byte, n, at int)

//go:noescape
func markAVX2(x *marks, data *byte, n, at int)

// followAVX2 looks for the steps of t in a record that stands in
// data[start:end] and whose first key is keys[0]. It reports whether each one
// stands where its key says, and behind the one before it, with a scalar of up to
// 16 bytes between them where there is to be one; and notes where they stand. It
// may read maxStep bytes behind the last of the track's keys, and behind end.
//
//go:noescape
func followAVX2(t *track, keys *int32, data *byte, start, end int) bool

// word returns the eight bytes from data[i] on, as encoding/binary would. Who
// calls it has seen that they are there: the check costs as much as the search
// that it guards, and took a fifth of the time of matching records.
func word(data []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), i))
}
