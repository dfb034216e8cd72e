package stdio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// sprawls reports whether records may end within a line.
func (s *Source) sprawls() bool {
	_, ok := s.framer.(codec.Sprawler)
	return ok
}

// exceeds reports whether the first record of data, which is not whole, is too long.
func (s *Source) exceeds(data []byte) bool {
	f, ok := s.framer.(codec.Sprawler)
	if !ok {
		return len(data) >= s.limit()
	}
	lead := f.Lead(data)
	if len(data)-lead < s.limit() {
		return false
	}
	n, _ := f.Rest(data, lead)(data[lead:])
	return n >= s.limit()
}

// tooLong delivers the first part of a record that is too long, and passes over the
// rest: where records end with lines, all up to the first newline behind that part.
func (s *Source) tooLong(ctx context.Context, b *record.Batch) error {
	keep := s.opt.MaxRecord
	lead, rest := 0, lineRest(keep)
	if f, ok := s.framer.(codec.Sprawler); ok {
		lead = f.Lead(b.Data)
		rest = f.Rest(b.Data, lead)
	}
	s.describe(b)
	line := b.Line + min(b.Line, 1)*int64(bytes.Count(b.Data[:lead], newline))
	s.advance(b.Data[:lead])
	n, ended := rest(b.Data[lead:])
	s.advance(b.Data[lead : lead+n])
	s.carry = append(s.carry[:0], b.Data[lead+n:]...)
	b.Data = b.Data[:lead+keep]
	if !ended && !s.opt.Strict {
		if err := s.passRest(ctx, b, rest); err != nil {
			return err
		}
	}
	b.Next, s.quiet, s.more = s.base, false, len(s.carry) > 0
	rec := b.AddSpan(record.Span{Off: uint32(lead), Len: uint32(keep)})
	rec.Line, rec.Flags = line, record.Truncated
	b.SetBad(0, codec.TooLong(keep))
	return nil // an end or error shows again when the next record is read
}

// passRest reads to the end of a record, behind b.Data and what is in carry. There may be
// none: that is said, and ends the reading of a device, as /dev/zero, which has no end either.
func (s *Source) passRest(ctx context.Context, b *record.Batch, rest codec.Rest) error {
	keep, begin, said := len(b.Data), b.Base, false
	for {
		if !said && s.base-begin > endless {
			said = true
			if s.in.info != nil && s.in.info.Mode()&os.ModeCharDevice != 0 {
				return fmt.Errorf("%s: the record at byte %d has no end within %s", s.name, begin, human.Bytes(endless))
			}
			s.opt.Note(fmt.Sprintf("%s: the record at byte %d has no end within %s; it is bad, and passed over to its end",
				s.name, begin, human.Bytes(endless)))
		}
		b.Data = append(slices.Grow(b.Data[:keep], len(s.carry)+chunk), s.carry...)
		s.carry = s.carry[:0]
		err := s.in.fill(ctx, b, true)
		n, ended := rest(b.Data[keep:])
		if err == io.EOF && !ended {
			if s.leaves() {
				return io.EOF
			}
			n, ended = len(b.Data)-keep, true
		}
		s.advance(b.Data[keep : keep+n])
		if ended {
			s.carry = append(s.carry, b.Data[keep+n:]...)
			b.Data = b.Data[:keep]
			return nil
		}
		if err != nil && err != errQuiet && err != io.EOF {
			return s.place(err)
		}
		s.carry = append(s.carry, b.Data[keep+n:]...)
	}
}

// endless is the length from which a record may be taken for one without an end.
const endless = 64_000_000

// lineRest finds the end of a record that ends with a line, of which so many bytes hold
// none.
func lineRest(keep int) codec.Rest {
	return func(piece []byte) (n int, ended bool) {
		from := min(keep, len(piece))
		keep = 0
		if end := bytes.IndexByte(piece[from:], '\n'); end >= 0 {
			return from + end + 1, true
		}
		return len(piece), false
	}
}
