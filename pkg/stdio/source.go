// Package stdio is the door to files, pipes, stdin and stdout: sources that
// read them in blocks, straight into the arenas of batches, and sinks that
// write them in large pieces.
//
// What is compressed is found by its first bytes on the way in, and follows
// from the name of the file on the way out.
package stdio

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// chunk is the least room for a read of a file.
const chunk = 64 << 10

// A Source reads one file, or stdin, or whatever io.Reader it was made for. It
// has one partition. It holds the file open from the first Read to the one
// that returns an error, io.EOF included.
//
// A regular file fills the arena of each batch. From a pipe a batch takes what
// is there, so that nothing waits for more. A record that is longer than the
// arena makes it grow, up to the greatest size of a record; of one beyond that
// size the first part arrives, marked as bad, and the rest is passed over.
//
// The partition of a file is a number made of its inode, its birth and its first
// line: it tells the file from another that has its name before or after it, so
// that a position is never taken for one in the wrong file.
type Source struct {
	opt   Options
	name  string // as the user gave it; "stdin" for stdin
	path  string // of a file that is no pipe
	open  func(ctx context.Context) (*input, error)
	lazy  bool              // it is a regular file that open opens anew each time
	size  int64             // of the file when it was found, -1 where it has none
	from  []stream.Position // where earlier runs ended
	meant int32             // the partition that Rest has found; 0 for none
	heirs *succession       // of a path that is followed
	read  atomic.Int64      // bytes read of the file, as stored

	in     *input
	origin *record.Origin
	framer codec.Framer // nil until the stream has begun
	header string       // of the next record, where it is another than the origin's
	carry  []byte       // the beginning of a record, behind the last whole one
	more   bool         // carry may hold whole records
	base   int64        // offset of the next byte to hand on
	line   int64        // its line number, from 1; 0 where it is unknown
	quiet  bool         // it was said that there is nothing more for now
	silent bool         // it goes on from an earlier run, and nothing was handed on yet
	err    error        // what Read returns from now on
}

// NewReader returns a source that reads r. Whatever a Read of r returns is
// handed on without waiting for more.
func NewReader(r io.Reader, name string, opt Options) *Source {
	s := newSource(name, opt)
	s.open = func(context.Context) (*input, error) { return &input{raw: r, count: &s.read}, nil }
	return s
}

const stdinName = "stdin"

// Stdin returns a source that reads f, which is not closed, under the name
// "stdin".
func Stdin(f *os.File, opt Options) *Source {
	s := newSource(stdinName, opt)
	s.opt.Follow = false
	s.open = func(context.Context) (*input, error) { return newInput(f, &s.read, true) }
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s
}

func newSource(name string, opt Options) *Source {
	return &Source{opt: opt.withDefaults(), name: name, size: -1}
}

// Size returns the size of the file in bytes as stored, and false for what has
// none or is followed.
func (s *Source) Size() (int64, bool) { return max(s.size, 0), s.size >= 0 }

// Grows reports whether another run will find more in it.
func (s *Source) Grows() bool { return s.opt.Grows }

// Progress returns how many bytes were read of the file as stored (compressed
// where it is) and how many there are, 0 where that is not known. It may be
// called at any time.
func (s *Source) Progress() (read, total int64) { return s.read.Load(), max(s.size, 0) }

// Seek has the source begin where an earlier run ended, if the file is one that
// a position is in, by whatever name it went then. Of a stream that is no file
// it passes over as many bytes: it must be the same one again.
func (s *Source) Seek(at []stream.Position) error {
	s.from = at
	return nil
}

// Peek fills b with the first records of a regular file, from where an earlier
// run ended, and leaves the file closed. Of anything else it returns an error
// that is errors.ErrUnsupported: it has to be opened to be known.
func (s *Source) Peek(b *record.Batch) error {
	if !s.lazy || s.in != nil {
		return errors.ErrUnsupported
	}
	first := newSource(s.name, s.opt)
	first.open, first.from = s.open, s.from
	arena := b.Data[:0]
	b.Data = arena[:0:min(cap(arena), chunk)]
	err := first.Read(context.Background(), b)
	if len(b.Data) <= chunk {
		b.Data = append(arena, b.Data...)
	}
	if err == nil {
		_ = first.fail(io.EOF)
	}
	s.read.Store(0)
	return err
}

// Read fills b with whole records, or with one bad one that is too long.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.err != nil {
		return s.err
	}
	if err := ctx.Err(); err != nil {
		return s.fail(context.Cause(ctx))
	}
	if s.in == nil {
		if err := s.start(ctx); err != nil {
			return s.fail(err)
		}
	}
	err := s.next(ctx, b)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // whatever a decompressor made of it
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// fail ends the source.
func (s *Source) fail(err error) error {
	if s.in != nil {
		s.in.close()
	}
	s.carry, s.err = nil, err
	return err
}
