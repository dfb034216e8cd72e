package codec

import (
	"math/bits"
	"slices"
)

// indexAhead is how many bytes of a batch are indexed at a time: few enough to
// be in the first cache when they are scanned.
const indexAhead = 8 << 10

const (
	blockSize = 64        // bytes that a word of bits stands for
	noKey     = 1<<31 - 1 // stands behind the last of index.keys
)

// An index says where in the bytes of records marks stand: quotes and
// backslashes. From that follows without a look at the bytes between how long a
// string is, how many marks a record has, and where its keys are: in front of the
// colons that follow a mark. It pays only where canIndex says so.
//
// What it says of bytes depends on them alone, whatever they mean: in a string
// that holds JSON, escaped, there are keys too.
type index struct {
	marks
	base  int // what the first bit stands for
	end   int // what bits stand for ends here; it may be behind the data
	ahead int // how much is indexed at a time, where a record is not longer
	next  int // the key that was found last; that of the next record comes soon
}

// marks are what the blocks seen so far hold.
type marks struct {
	bits   []byte   // words of 64 bits, the lowest byte first; a bit for each byte
	before []uint32 // for each word: how many bits are set before it
	keys   []int32  // offsets of the colons behind keys from index.base on, ascending; then noKey
	lines  []int32  // offsets of newlines from index.base on, ascending
	count  uint64   // of bits that are set
	open   uint64   // 1 where the last byte is a mark
}

// begin forgets what was indexed, as the bytes are others now.
func (x *index) begin(base, ahead int) {
	x.bits, x.before, x.keys, x.lines = x.bits[:0], x.before[:0], x.keys[:0], x.lines[:0]
	x.count, x.open = 0, 0
	x.base, x.end, x.ahead, x.next = base, base, ahead, 0
}

// see makes sure that data[x.base:to] is indexed.
func (x *index) see(data []byte, to int) {
	if to < x.end {
		return
	}
	to = max(to+1, min(x.end+x.ahead, len(data)))
	x.keys = x.keys[:max(len(x.keys)-1, 0)]
	for x.end < to {
		n := min(to-x.end+blockSize-1, indexAhead) / blockSize
		if rest := len(data) - x.end; rest < blockSize {
			var last [blockSize]byte
			copy(last[:], data[min(x.end, len(data)):])
			x.add(last[:])
		} else {
			x.add(data[x.end:][:min(n, rest/blockSize)*blockSize])
		}
	}
	x.keys = append(x.keys, noKey)
}

// add adds whole blocks, one at least.
func (x *index) add(data []byte) {
	n := len(data) / blockSize
	x.bits = slices.Grow(x.bits, 8*n+8) // window reads a word more
	x.before = slices.Grow(x.before, n)
	x.keys = slices.Grow(x.keys, n*blockSize/2+keysAtOnce)
	x.lines = slices.Grow(x.lines, n*blockSize+1)
	x.mark(data, n, x.end-x.base)
	x.end += len(data)
}

// seek returns the number of the first key whose colon stands at data[i] or
// behind it.
func (x *index) seek(i int) int {
	i -= x.base
	k := x.next
	if k > 0 && int(x.keys[k-1]) >= i {
		k, _ = slices.BinarySearch(x.keys, int32(i))
	}
	for int(x.keys[k]) < i {
		k++
	}
	x.next = k
	return k
}

// countTo returns the number of marks before data[i].
func (x *index) countTo(i int) int {
	i -= x.base
	w := i / blockSize
	return int(x.before[w]) + bits.OnesCount64(word(x.bits, 8*w)&(1<<(i%blockSize)-1))
}

// window returns the bits of the 57 bytes and more from data[i] on, which may
// be the first behind the record.
func (x *index) window(i int) uint64 {
	i -= x.base
	return word(x.bits[:cap(x.bits)], i>>3) >> (i & 7)
}

// markSlowly adds n blocks of data, which begin at offset at, as markAVX2 does.
func (x *marks) markSlowly(data []byte, n, at int) {
	for k := range n * blockSize {
		if k%blockSize == 0 {
			x.bits = append(x.bits, 0, 0, 0, 0, 0, 0, 0, 0)
			x.before = append(x.before, uint32(x.count))
		}
		c := data[k]
		if c == ':' && x.open == 1 {
			x.keys = append(x.keys, int32(at+k))
		}
		if c == '\n' {
			x.lines = append(x.lines, int32(at+k))
		}
		if x.open = 0; isMark(c) {
			x.open = 1
			x.count++
			x.bits[len(x.bits)-8+k%blockSize/8] |= 1 << (k % 8)
		}
	}
}

func isMark(c byte) bool { return c == '"' || c == '\\' }
