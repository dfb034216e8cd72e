package stdio

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/logctl/logctl/pkg/fault"
)

// Packed is a compressed stream, which is one or more members (zstd says frames) and may
// end in zeros: tapes and disks are filled up with them. What else follows a member is an
// error that says where, when all before it has been read.
type packed struct {
	*bufio.Reader
	raw  tally
	name string
}

// A tally counts the bytes that are read of r.
type tally struct {
	r io.Reader
	n int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	return n, err
}

func newPacked(r io.Reader, name string) *packed {
	p := &packed{raw: tally{r: r}, name: name}
	p.Reader = bufio.NewReaderSize(&p.raw, 128<<10)
	return p
}

// place is the offset of the next byte.
func (p *packed) place() int64 { return p.raw.n - int64(p.Buffered()) }

// next looks for the mark of another member, all of which are as long: nil where there is
// one, or half of one, io.EOF behind the last.
func (p *packed) next(marks ...string) error {
	for n := 1; ; n++ {
		head, err := p.Peek(n)
		switch {
		case err != nil && (err != io.EOF || n == 1):
			return err
		case !slices.ContainsFunc(marks, func(m string) bool { return strings.HasPrefix(m, string(head)) }):
			return p.rest(p.place())
		case err != nil || n == len(marks[0]):
			return nil //nolint:nilerr // half a mark is the reader's to say
		}
	}
}

// rest returns io.EOF where only zeros follow the last member, which ends at a place.
func (p *packed) rest(at int64) error {
	for {
		c, err := p.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return p.trailing(at)
		}
	}
}

// errBehind is about what follows the last member: the stream has ended, as by io.EOF.
var errBehind = errors.New("is neither more of it nor zeros")

func (p *packed) trailing(at int64) error {
	return fault.Hint(fmt.Errorf("what follows the end of the %s data, at byte %d, %w", p.name, at, errBehind),
		fmt.Sprintf("all before it was read; head -c %d FILE is the file without it", at))
}

// GzipMembers reads one member after the other.
type gzipMembers struct {
	*packed
	z *gzip.Reader
}

func openGzip(r io.Reader) (io.Reader, func(), error) {
	p := newPacked(r, "gzip")
	z, err := gzip.NewReader(p.Reader) // of its very type: there is a faster way for it
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return gzipMembers{p, z}, func() {}, nil
}

func (g gzipMembers) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		if err != io.EOF {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if err := g.next(gzipMark); err != nil {
			return 0, err
		}
		if err := g.z.Reset(g.Reader); err == io.EOF { // of a name that is cut off
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
		g.z.Multistream(false)
	}
}

// ZstdFrames passes frames on: it finds their ends, which a decoder does not tell (RFC
// 8878, 3.1). What is not a frame is the decoder's to judge.
type zstdFrames struct {
	*packed
	left   int  // bytes of the piece at hand: a header, or a block
	blocks bool // another block follows
	sum    bool // a checksum follows the last one
}

func (z *zstdFrames) Read(p []byte) (int, error) {
	if z.left == 0 {
		if err := z.piece(); err != nil {
			return 0, err
		}
	}
	n, err := z.packed.Read(p[:min(len(p), z.left)])
	z.left -= n
	return n, err
}

// piece sees how long the next piece is.
func (z *zstdFrames) piece() error {
	if z.blocks {
		return z.block()
	}
	if err := z.next(zstdMarks...); err != nil {
		return err
	}
	const descriptor = 4
	head, err := z.Peek(descriptor + 1)
	if err != nil {
		return z.torn(head, err)
	}
	if head[0] != zstdMarks[0][0] {
		if head, err = z.Peek(8); err != nil {
			return z.torn(head, err)
		}
		z.left = 8 + int(binary.LittleEndian.Uint32(head[4:]))
		return nil
	}
	d := head[descriptor]
	single := d>>5&1 != 0
	z.left = len(head) + []int{0, 1, 2, 4}[d&3] + []int{0, 2, 4, 8}[d>>6]
	if !single || d>>6 == 0 {
		z.left++ // the window, or a short size in its place
	}
	z.blocks, z.sum = true, d>>2&1 != 0
	return nil
}

func (z *zstdFrames) block() error {
	head, err := z.Peek(3)
	if err != nil {
		return z.torn(head, err)
	}
	v := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	z.left = len(head) + v>>3
	const repeated = 1
	if v>>1&3 == repeated {
		z.left = len(head) + 1
	}
	if z.blocks = v&1 == 0; !z.blocks && z.sum {
		z.left += 4
	}
	return nil
}

// torn passes on what there is of a piece.
func (z *zstdFrames) torn(head []byte, err error) error {
	if z.left = len(head); z.left == 0 || err != io.EOF {
		return err
	}
	return nil
}

// Bzip2Bytes are the bytes of bzip2 data and two zeros behind them, so that what follows
// the last member is always the same error: of one byte it would be that of a member which
// is cut off. One that is cut off is not made whole by them, unless they are what it lacks.
type bzip2Bytes struct {
	*packed
	last   [2]byte
	beyond int // how many of the zeros were read
}

// ReadByte implements io.ByteReader, by which bzip2 reads no more than it needs.
func (b *bzip2Bytes) ReadByte() (byte, error) {
	c, err := b.packed.ReadByte()
	if err == io.EOF && b.beyond < len(b.last) {
		b.beyond++
		c, err = 0, nil
	}
	b.last = [2]byte{b.last[1], c}
	return c, err
}

// Bzip2Members reads members, which bzip2 finds by itself. Its error is kept: asked again
// behind the end, bzip2 would take the zeros there for a member that is cut off.
type bzip2Members struct {
	*bzip2Bytes
	z   io.Reader
	err error
}

func openBzip2(r io.Reader) (io.Reader, func(), error) {
	b := &bzip2Bytes{packed: newPacked(r, "bzip2")}
	return &bzip2Members{bzip2Bytes: b, z: bzip2.NewReader(b)}, func() {}, nil
}

// errNoMember is what bzip2 says of two bytes behind a member that begin no other.
const errNoMember = bzip2.StructuralError("bad magic value in continuation file")

func (b *bzip2Members) Read(p []byte) (n int, err error) {
	if b.err == nil {
		n, b.err = b.read(p)
	}
	return n, b.err
}

func (b *bzip2Members) read(p []byte) (int, error) {
	n, err := b.z.Read(p)
	switch {
	case err == errNoMember:
		at := b.place() - int64(len(b.last)-b.beyond)
		if b.last != [2]byte{} {
			return n, b.trailing(at)
		}
		return n, b.rest(at)
	case err != nil && b.beyond > 0:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}
