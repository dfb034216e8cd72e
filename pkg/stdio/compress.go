package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/logctl/logctl/pkg/fault"
)

// maxWindow bounds the memory that a zstd stream may ask for: what the zstd
// program allows without --long.
const maxWindow = 128 << 20

// A compression is known by the first bytes of a stream. One that is not read
// has, instead of open, the program that makes text of it: its bytes must not
// pass for lines.
type compression struct {
	name   string
	magic  []string
	open   func(r io.Reader) (io.Reader, func(), error)
	filter string
}

var compressions = []compression{
	{name: "gzip", magic: []string{gzipMark}, open: openGzip},
	{name: "zstd", magic: zstdMarks, open: openZstd},
	// With the mark of the first block or, in an empty stream, of the end.
	{name: "bzip2", magic: bzip2Magic(), open: openBzip2},
	{name: "xz", magic: []string{"\xfd7zXZ\x00"}, filter: "xz -dc"},
	{name: "lz4", magic: []string{"\x04\x22\x4d\x18"}, filter: "lz4 -dc"},
	{name: "zip", magic: []string{"PK\x03\x04"}, filter: "unzip -p"},
	{name: "UTF-16", magic: []string{"\xff\xfe", "\xfe\xff"}, filter: "iconv -f UTF-16 -t UTF-8"},
}

// wide are UTF-16 without its mark, the low byte first and the high byte first.
var wide = [2]compression{
	{name: "UTF-16", filter: "iconv -f UTF-16LE -t UTF-8"},
	{name: "UTF-16", filter: "iconv -f UTF-16BE -t UTF-8"},
}

// findWide returns what the text that begins with head is where it is UTF-16 without
// its mark: all of it is printable ASCII, each character beside a zero.
func findWide(head []byte) (c *compression, more bool) {
	for high := range wide {
		fits := true
		for i, b := range head {
			if i%2 == high {
				fits = fits && b >= ' ' && b < 0x7f
			} else {
				fits = fits && b == 0
			}
		}
		switch {
		case !fits:
		case len(head) == longestMagic:
			return &wide[high], false
		default:
			more = true
		}
	}
	return nil, more
}

const gzipMark = "\x1f\x8b\x08"

// zstdMarks are that of a frame, and those of one to be skipped, which pzstd and the
// seekable format begin with (RFC 8878, 3.1.2).
var zstdMarks = func() []string {
	marks := []string{"\x28\xb5\x2f\xfd"}
	for low := byte(0x50); low <= 0x5f; low++ {
		marks = append(marks, string([]byte{low, 0x2a, 0x4d, 0x18}))
	}
	return marks
}()

func bzip2Magic() []string {
	var magic []string
	for level := '1'; level <= '9'; level++ {
		magic = append(magic, "BZh"+string(level)+"1AY&SY", "BZh"+string(level)+"\x17rE8P\x90")
	}
	return magic
}

const longestMagic = 10

func openZstd(r io.Reader) (io.Reader, func(), error) {
	frames := &zstdFrames{packed: newPacked(r, "zstd")}
	z, err := zstd.NewReader(frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// sniff looks at the first bytes of the stream and has them decompressed where
// they say so. It reads on only as long as they may be the beginning of such a
// mark.
func (in *input) sniff(ctx context.Context) error {
	in.ctx = ctx
	var head [longestMagic]byte
	n := 0
	for {
		c, more := findCompression(head[:n])
		if c != nil {
			in.head = bytes.Clone(head[:n])
			return in.decompress(c)
		}
		if !more {
			break
		}
		k, err := in.Read(head[n:])
		n += k
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if in.regular() {
		in.count.Store(0)
		_, err := in.file.Seek(in.start, io.SeekStart)
		return err
	}
	in.head = bytes.Clone(head[:n])
	return nil
}

// findCompression returns the compression whose mark head begins with, and
// whether more bytes could show one.
func findCompression(head []byte) (c *compression, more bool) {
	for i := range compressions {
		for _, magic := range compressions[i].magic {
			if bytes.HasPrefix(head, []byte(magic)) {
				return &compressions[i], false
			}
			more = more || len(head) < len(magic) && string(head) == magic[:len(head)]
		}
	}
	if more {
		return nil, true
	}
	return findWide(head)
}

// decompress puts a decompressor before the stream, where there is one. A compressed file is not
// followed: it does not grow.
func (in *input) decompress(c *compression) error {
	if c.open == nil {
		return fault.Hint(fmt.Errorf("it begins as %s data, which is not read", c.name),
			"put it through "+c.filter+" FILE | logctl …")
	}
	in.tail = nil
	if in.wait != nil {
		in.wait.packed = true
	}
	r, stop, err := c.open(in)
	if err != nil {
		return corrupt(c.name, err)
	}
	in.plain, in.stop = &decompressor{r, c.name}, stop
	return nil
}

// A decompressor says what is wrong with a compressed stream.
type decompressor struct {
	io.Reader
	name string
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, errBehind) {
		err = corrupt(d.name, err)
	}
	return n, err
}

func corrupt(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return fmt.Errorf("the %s data ends too early", name)
	}
	return fmt.Errorf("broken %s data: %w", name, err)
}
