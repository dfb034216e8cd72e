package session

import "math/bits"

// A place is where texts keeps one.
type place struct{ block, off uint32 }

const (
	textBlock = 256 << 10
	textUnit  = 16
)

// texts keeps byte strings in large blocks. The room of one that is removed is
// used again for another one of about the same length.
type texts struct {
	blocks [][]byte
	free   map[int][]place // by the room
}

// room returns how much a text of n bytes takes: a multiple of 16, above 256
// bytes a power of two, or half of it more.
func room(n int) int {
	if n <= 256 {
		return max((n+textUnit-1)&^(textUnit-1), textUnit)
	}
	half := 1 << (bits.Len(uint(n-1)) - 1)
	if n <= half+half/2 {
		return half + half/2
	}
	return 2 * half
}

// add keeps a copy of text.
func (x *texts) add(text []byte) place {
	p := x.reserve(room(len(text)))
	copy(x.blocks[p.block][p.off:], text)
	return p
}

func (x *texts) reserve(n int) place {
	if list := x.free[n]; len(list) > 0 {
		p := list[len(list)-1]
		x.free[n] = list[:len(list)-1]
		return p
	}
	k := len(x.blocks) - 1
	if k < 0 || len(x.blocks[k])+n > cap(x.blocks[k]) {
		x.blocks = append(x.blocks, make([]byte, 0, max(n, textBlock)))
		k++
	}
	off := len(x.blocks[k])
	x.blocks[k] = x.blocks[k][:off+n]
	return place{uint32(k), uint32(off)}
}

// memory returns how many bytes there are in all.
func (x *texts) memory() (n int) {
	for _, b := range x.blocks {
		n += len(b)
	}
	return n
}

// at returns a text of n bytes.
func (x *texts) at(p place, n int) []byte {
	end := int(p.off) + n
	return x.blocks[p.block][p.off:end:end]
}

// remove gives up a text of n bytes.
func (x *texts) remove(p place, n int) {
	if x.free == nil {
		x.free = map[int][]place{}
	}
	n = room(n)
	x.free[n] = append(x.free[n], p)
}
