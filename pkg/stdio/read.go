package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

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
		if next := s.renew(b.Data[:n]); next < n {
			s.deliver(b, next)
			s.more = true // an end or error shows again
			return nil
		}
		switch {
		case n > 0:
			s.deliver(b, n)
			b.AtEnd = err != nil || s.in.drained()
			s.quiet = b.AtEnd
			s.end(err)
			return nil
		case s.framer != nil && s.exceeds(b.Data):
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
		case err == io.EOF && s.in.goesOn():
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
	case (err == io.EOF || errors.Is(err, errBehind)) && !s.leaves():
		return len(b.Data)
	case bytes.IndexByte(b.Data[seen:], '\n') < 0 && !s.sprawls():
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
	case err == io.EOF && s.in.goesOn():
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
	if fault.HintOf(err) != "" { // about the input, not about a place in it
		return fmt.Errorf("reading %q: %w", s.name, err)
	}
	return fmt.Errorf("reading %q: %w, at byte %d", s.name, fault.Reason(err), s.read.Load())
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
	b.Origin, b.Header, b.Base, b.Line, b.Next, b.Arrived = s.origin, s.header, s.base, s.line, s.base, s.opt.Now()
}

// advance counts bytes that are dealt with.
func (s *Source) advance(data []byte) {
	s.base += int64(len(data))
	if s.line > 0 {
		s.line += int64(bytes.Count(data, newline))
	}
}

var newline = []byte{'\n'}
