// Package stdio is the door to files, pipes, stdin and stdout: sources that
// read them in blocks, straight into the arenas of batches, and sinks that
// write them in large pieces.
//
// What is compressed is found by its first bytes on the way in, and follows
// from the name of the file on the way out.
package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A Format says where the records of a stream begin and end: a *codec.Decoder.
type Format interface {
	// Begin looks at the first bytes of a stream, sets the format and the
	// header line of its origin, and returns how many of the bytes are no
	// records.
	Begin(sample []byte, o *record.Origin) (skip int)
	// Enough reports whether the first bytes, which hold a line, are enough for
	// Begin, or whether more should be waited for while there is more.
	Enough(sample []byte) bool
	// Framer returns what finds the ends of records for an origin that Begin
	// has seen. Each ends with a line, at the first or a later newline.
	Framer(o *record.Origin) codec.Framer
}

// Options say how files and pipes are read. The zero value of a field other
// than Format is its default.
type Options struct {
	Format    Format
	MaxRecord int           // longer records are bad; by default codec.DefaultMaxRecord
	Follow    bool          // wait for more at the end of a file, and for the next one of its name
	Grows     bool          // another run will read on: what is not whole at the end is left to it
	Uncounted bool          // lines have no numbers: a run that goes on where another ended does not know them
	Poll      time.Duration // how often Follow looks for more, by default 200 ms
	Now       func() int64  // the wall clock, ns since 1970; by default the machine's
	Note      func(string)  // takes what a person should know: that a file was rotated or cut short
}

func (o Options) withDefaults() Options {
	if o.MaxRecord == 0 {
		o.MaxRecord = codec.DefaultMaxRecord
	}
	if o.Poll == 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = func() int64 { return time.Now().UnixNano() }
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return o
}

// sampleSize is how many of a stream's first bytes are shown to its Format.
// It does not depend on the size of a batch, so that the answer does not.
const sampleSize = 32 << 10

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
	opt  Options
	name string // as the user gave it; "stdin" for stdin
	path string // of a file that is no pipe
	open func(ctx context.Context) (*input, error)
	lazy bool              // it is a regular file that open opens anew each time
	size int64             // of the file when it was found, -1 where it has none
	from []stream.Position // where earlier runs ended
	read atomic.Int64      // bytes read of the file, as stored

	in     *input
	origin *record.Origin
	framer codec.Framer // nil until the stream has begun
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

// ended returns where an earlier run ended in the stream that has been opened;
// false where none has read it.
func (s *Source) ended() (next int64, ok bool) {
	for _, p := range s.from {
		switch {
		case p.Partition != s.origin.Partition || p.Next <= next:
		case p.Partition == 0 && p.Source == s.name, p.Partition != 0 && s.in.holds(p.Next):
			next, ok = p.Next, true
		}
	}
	return next, ok
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

// start opens the file.
func (s *Source) start(ctx context.Context) error {
	in, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.in = in
	s.origin = &record.Origin{Source: s.name, Modified: in.modified()}
	s.framer, s.base, s.line, s.quiet = nil, 0, 1, false
	if s.opt.Uncounted {
		s.line = 0
	}
	return s.place(s.in.sniff(ctx))
}

// next reads until b holds a record.
func (s *Source) next(ctx context.Context, b *record.Batch) error {
	b.Data = append(b.Data[:0], s.carry...)
	s.carry = s.carry[:0]
	seen := 0
	for {
		s.makeRoom(b)
		var err error
		if !s.more {
			err = s.in.fill(ctx, b, s.quiet)
		}
		s.more = false
		if s.framer == nil {
			seen = 0
			if resumed, err := s.begin(ctx, b, err); err != nil {
				return s.place(err)
			} else if resumed {
				continue
			}
		}
		n := s.whole(b, seen, err)
		seen = len(b.Data)
		switch {
		case n > 0:
			s.deliver(b, n)
			b.AtEnd = err != nil || s.in.drained()
			s.quiet = b.AtEnd
			s.end(err)
			return nil
		case s.framer != nil && len(b.Data) >= s.limit():
			return s.tooLong(ctx, b)
		case err == io.EOF && s.silent: // that it is the same partition is known now
			s.deliver(b, 0)
			b.AtEnd = true
			s.end(err)
			return nil
		case err == errQuiet && !s.quiet:
			s.deliver(b, 0)
			b.AtEnd, s.quiet = true, true
			return nil
		case err == io.EOF && s.in.tail != nil:
			s.end(err)
			if err := s.start(ctx); err != nil {
				return err
			}
		case err != nil && err != errQuiet:
			return s.place(err)
		}
	}
}

// whole returns how many bytes of b are whole records, the first seen bytes
// being known not to end one.
func (s *Source) whole(b *record.Batch, seen int, err error) int {
	switch {
	case s.framer == nil:
		return 0
	case err == io.EOF && !s.leaves():
		return len(b.Data)
	case bytes.IndexByte(b.Data[seen:], '\n') < 0:
		return 0
	}
	return s.framer.Cut(b.Data)
}

// leaves reports whether what is not whole at the end of the stream is left to
// the next run.
func (s *Source) leaves() bool { return s.opt.Grows && s.in.plain == nil && s.in.tail == nil }

// end ends the source behind the batch that is being delivered. What is
// followed goes on with the next file of its name.
func (s *Source) end(err error) {
	switch {
	case err == nil || err == errQuiet:
	case err == io.EOF && s.in.tail != nil:
		s.in.close()
		s.in = nil
	default:
		_ = s.fail(s.place(err))
	}
}

// place adds to an error of reading where it happened.
func (s *Source) place(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("reading %q: %w, at byte %d", s.name, reason(err), s.read.Load())
}

// limit is the length at which a record without an end is too long.
func (s *Source) limit() int { return s.opt.MaxRecord + 1 }

// makeRoom grows a full arena.
func (s *Source) makeRoom(b *record.Batch) {
	if len(b.Data) < cap(b.Data) {
		return
	}
	n := min(2*cap(b.Data), s.limit()+chunk)
	b.Data = append(make([]byte, 0, max(n, len(b.Data)+chunk)), b.Data...)
}

// begin shows the format the first bytes, once they hold a line or all that
// there is. Where an earlier run ended further on it goes there, and reports it.
func (s *Source) begin(ctx context.Context, b *record.Batch, err error) (resumed bool, _ error) {
	line := bytes.IndexByte(b.Data, '\n')
	whole := line >= 0 || len(b.Data) >= s.limit() || err != nil && err != errQuiet
	if !whole || len(b.Data) == 0 {
		return false, nil
	}
	more := len(b.Data) < min(sampleSize, s.limit()) && (err == nil || err == errQuiet)
	if more && !s.opt.Format.Enough(b.Data) {
		return false, nil
	}
	sample := b.Data
	if line < sampleSize && len(sample) > sampleSize {
		sample = sample[:sampleSize]
	}
	origin := *s.origin // which may have been handed on by a file that was empty
	s.origin = &origin
	s.origin.Partition = s.in.generation(sample)
	skip := s.opt.Format.Begin(sample, s.origin)
	s.framer = s.opt.Format.Framer(s.origin)
	next, ok := s.ended()
	s.from = nil // no position is in the next file of the name
	if ok {
		return true, s.resume(ctx, b, next)
	}
	s.advance(b.Data[:skip])
	b.Data = b.Data[:copy(b.Data, b.Data[skip:])]
	return false, nil
}

// resume goes to where an earlier run ended, and throws away what was read
// before.
func (s *Source) resume(ctx context.Context, b *record.Batch, next int64) error {
	s.base, s.line, s.silent = next, 0, true
	if s.in.regular() {
		b.Data = b.Data[:0]
		return s.in.skipTo(ctx, next)
	}
	got := min(next, int64(len(b.Data)))
	b.Data = b.Data[:copy(b.Data, b.Data[got:])]
	s.more = len(b.Data) > 0
	skipped, err := io.CopyN(io.Discard, s.in.stream(), next-got)
	if err == io.EOF {
		return fault.Hint(fmt.Errorf("it ends at byte %d, and an earlier run has read it to byte %d", got+skipped, next),
			"give it the same stream again, from its beginning")
	}
	return err
}

// deliver makes b a batch of its first n bytes and keeps the rest for the next
// one.
func (s *Source) deliver(b *record.Batch, n int) {
	s.carry = append(s.carry[:0], b.Data[n:]...)
	b.Data = b.Data[:n]
	s.silent = false
	s.describe(b)
	s.advance(b.Data)
	b.Next = s.base
}

// describe says of b where it comes from.
func (s *Source) describe(b *record.Batch) {
	b.Origin, b.Base, b.Line, b.Next, b.Arrived = s.origin, s.base, s.line, s.base, s.opt.Now()
}

// advance counts bytes that are dealt with.
func (s *Source) advance(data []byte) {
	s.base += int64(len(data))
	if s.line > 0 {
		s.line += int64(bytes.Count(data, newline))
	}
}

var newline = []byte{'\n'}

// tooLong delivers the first part of a record that is too long, and passes
// over the rest: all up to the first newline behind it.
func (s *Source) tooLong(ctx context.Context, b *record.Batch) error {
	keep := s.opt.MaxRecord
	s.describe(b)
	s.advance(b.Data[:keep])
	var err error
	for {
		rest := b.Data[keep:]
		end := bytes.IndexByte(rest, '\n')
		if end >= 0 || err == io.EOF {
			if end < 0 && s.leaves() {
				return io.EOF
			}
			if end < 0 {
				end = len(rest)
			}
			end = min(end+1, len(rest))
			s.advance(rest[:end])
			s.carry = append(s.carry[:0], rest[end:]...)
			break
		}
		if err != nil && err != errQuiet {
			return s.place(err)
		}
		s.advance(rest)
		b.Data = slices.Grow(b.Data[:keep], chunk)
		err = s.in.fill(ctx, b, true)
	}
	b.Data, b.Next, s.quiet, s.more = b.Data[:keep], s.base, false, len(s.carry) > 0
	rec := b.AddSpan(record.Span{Len: uint32(keep)})
	rec.Line, rec.Flags = b.Line, record.Truncated
	b.SetBad(0, codec.TooLong(keep))
	return nil // an end or error shows again when the next record is read
}
