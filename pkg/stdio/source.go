// Package stdio is the door to files, pipes, stdin and stdout: sources that
// read them in blocks, straight into the arenas of batches, and sinks that
// write them in large pieces.
//
// Compression of input is detected from the first bytes, that of output follows from
// the name of the file.
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

// A Source reads one file, stdin or another io.Reader. It has one partition. The file
// is open from the first Read until one returns an error, io.EOF included.
//
// A regular file fills the arena of each batch. From a pipe a batch takes what is
// there, without waiting for more. The arena grows for a long record, up to the maximum
// size of a record; of a longer one only the first part arrives, marked as bad, and the
// rest is skipped.
//
// The partition number of a file is made of its inode, its creation time and its first
// line. It distinguishes files that have the same name one after the other, so that a
// position is never used for the wrong file.
type Source struct {
	opt      *common
	name     string // as the user gave it: a path, or "stdin" for stdin
	kind     kind
	meant    bool                                      // Rest has found the file: it is found.id
	resumes  bool                                      // it may be among opt.from
	copied   *stream.Position                          // where an earlier run ended in the file that it is a copy of
	size     int64                                     // of the file when it was found, -1 where it has none
	open     func(ctx context.Context) (*input, error) // nil for a path
	heirs    *succession                               // of a path that is followed
	found    glance
	read     atomic.Int64 // bytes read of the file, as stored
	*reading              // nil unless it is being read
	err      error        // what Read returns from now on
}

// A kind is what is at the path of a source.
type kind uint8

const (
	noFile    kind = iota // a pipe, a device, or what is no path
	followed              // a regular file that is followed, or that may yet come
	plainFile             // a regular file that is opened anew each time
)

// A reading is what a source has of its stream while that is open.
type reading struct {
	in     *input // nil between two files of one name
	origin *record.Origin
	framer codec.Framer // nil until the stream has begun
	header string       // of the next record, where it is another than the origin's
	carry  []byte       // the beginning of a record, behind the last whole one
	more   bool         // carry may hold whole records
	base   int64        // offset of the next byte to hand on
	line   int64        // its line number, from 1; 0 where it is unknown
	quiet  bool         // it was said that there is nothing more for now
	silent bool         // it goes on from an earlier run, and nothing was handed on yet
}

// NewReader returns a source that reads r. Bytes that a Read of r returns are passed on
// without waiting for more.
func NewReader(r io.Reader, name string, opt Options) *Source {
	s := newSource(name, newCommon(opt))
	s.open = func(context.Context) (*input, error) { return &input{raw: r, count: &s.read}, nil }
	return s
}

const stdinName = "stdin"

// Stdin returns a source that reads f, which is not closed, under the name
// "stdin".
func Stdin(f *os.File, opt Options) *Source {
	opt.Follow = false
	widen(f)
	s := newSource(stdinName, newCommon(opt))
	s.open = func(context.Context) (*input, error) { return newInput(f, &s.read, true) }
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s
}

func newSource(name string, opt *common) *Source { return &Source{opt: opt, name: name, size: -1} }

// Grows reports whether a later run may find more in the file.
func (s *Source) Grows() bool { return s.opt.Grows }

// Progress returns how many bytes of the file, as stored, have been read and how many
// there are (0 if that is not known). It may be called at any time.
func (s *Source) Progress() (read, total int64) { return s.read.Load(), max(s.size, 0) }

// Seek makes the source begin where an earlier run ended, if one of the positions is in
// this file, whatever its name was then. In a stream that is not a file it skips as
// many bytes; it must be the same stream again.
func (s *Source) Seek(at []stream.Position) error {
	s.opt.seek(at)
	s.resumes = true
	return nil
}

// Peek fills b with the first records of a regular file, from where an earlier run
// ended, and leaves the file closed. For anything else it returns
// errors.ErrUnsupported.
func (s *Source) Peek(b *record.Batch) error {
	if s.kind != plainFile || s.reading != nil {
		return errors.ErrUnsupported
	}
	first := Source{
		opt: s.opt, name: s.name, kind: s.kind, meant: s.meant, resumes: s.resumes, copied: s.copied, found: s.found,
	}
	arena := b.Data[:0]
	b.Data = arena[:0:min(cap(arena), chunk)]
	err := first.Read(context.Background(), b)
	if len(b.Data) <= chunk {
		b.Data = append(arena, b.Data...)
	}
	if err == nil {
		_ = first.fail(io.EOF)
	}
	if !s.meant {
		s.found = first.found
	}
	return err
}

// Await opens a file that is followed and, where it has given all that it had, waits
// until it has more or is followed by another one.
func (s *Source) Await(ctx context.Context) {
	switch {
	case s.err != nil || s.heirs == nil:
	case s.reading == nil || s.in == nil:
		if err := s.start(ctx); err != nil {
			_ = s.fail(err) // as Read will say
		}
	case s.in.tail != nil && s.quiet && !s.more:
		s.in.tail.over = s.in.tail.await(ctx, s.in)
	}
}

// Read fills b with complete records, or with one bad record that is too long.
func (s *Source) Read(ctx context.Context, b *record.Batch) error {
	if s.err != nil {
		return s.err
	}
	if err := ctx.Err(); err != nil {
		return s.fail(context.Cause(ctx))
	}
	if s.reading == nil || s.in == nil {
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
	if s.reading != nil && s.in != nil {
		s.in.close()
	}
	s.reading, s.err = nil, err
	return err
}
