package stdio

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// sampleSize is how many of a stream's first bytes are shown to its Format.
// It does not depend on the size of a batch, so that the answer does not.
const sampleSize = 32 << 10

// ended returns where an earlier run ended in the stream that has been opened; false
// where none has read it.
func (s *Source) ended() (at stream.Position, ok bool) {
	switch {
	case !s.resumes:
		return at, false
	case s.copied != nil:
		return *s.copied, true
	}
	for _, p := range s.opt.endsIn(s.origin.Partition) {
		if p.Next > at.Next && s.owns(p) {
			at, ok = p, true
		}
	}
	return at, ok
}

// owns reports whether a position, which is in a partition of the same number, is in
// the stream. Of very many files, two may have the same number.
func (s *Source) owns(p stream.Position) bool {
	switch {
	case p.Partition == 0:
		return p.Source == s.name
	case !s.in.holds(p.Next):
		return false
	case p.Source == s.name:
		return true
	default:
		there := identify(p.Source, s.opt.once())
		return there.partition != p.Partition || there.id == s.in.id
	}
}

// start opens the file.
func (s *Source) start(ctx context.Context) error {
	var in *input
	var err error
	if s.open != nil {
		in, err = s.open(ctx)
	} else {
		in, err = s.openFile(ctx, s.name)
	}
	if err == nil && s.meant && s.found.id != in.id {
		in, err = s.goBack(ctx, in)
	}
	if err != nil {
		return err
	}
	s.meant, s.found.id, s.found.partition = false, in.id, 0
	s.reading = &reading{in: in, origin: &record.Origin{Source: s.name, Modified: in.modified()}, line: 1}
	if s.opt.Uncounted {
		s.line = 0
	}
	return s.place(s.in.sniff(ctx))
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
	begins := s.beginning(sample)
	origin.Format, origin.Header = begins.format, begins.header
	s.framer = s.opt.Format.Framer(s.origin)
	origin.Partition = s.in.generation(s.first(sample))
	origin.Begins = s.fingerprint(sample, begins.skip)
	s.found.partition, s.found.first = origin.Partition, origin.Begins
	at, ok := s.ended()
	s.resumes = false // no position is in the next file of the name
	if ok {
		if at.Source != s.name {
			origin.Was = at.Source
		}
		return true, s.resume(ctx, b, at.Next)
	}
	s.advance(b.Data[:begins.skip])
	b.Data = b.Data[:copy(b.Data, b.Data[begins.skip:])]
	return false, nil
}

// first returns what does not change any more of a file that has a record: its first
// line or, where records may end within a line, all up to the end of the first record.
func (s *Source) first(sample []byte) []byte {
	line, _, _ := bytes.Cut(sample, newline)
	if !s.sprawls() {
		return line
	}
	b := record.Batch{Data: sample}
	s.framer.Frame(&b)
	if len(b.Recs) == 0 {
		return line
	}
	return sample[:b.Recs[0].Value.End()]
}

// fingerprint returns the checksum of a file's first record, with the header before it: a
// copy of the file has the same. It is 0 where there is none yet.
func (s *Source) fingerprint(sample []byte, skip int) uint64 {
	first := s.first(sample[skip:])
	if !s.in.regular() || len(first) == 0 || len(first) == len(sample)-skip {
		return 0
	}
	return max(xxh3.Hash(sample[:skip+len(first)]), 1)
}

// resume goes to where an earlier run ended, and throws away what was read
// before.
func (s *Source) resume(ctx context.Context, b *record.Batch, next int64) error {
	s.base, s.line, s.silent = next, 0, true
	got := min(next, int64(len(b.Data)))
	_, renews := s.framer.(codec.Renewer)
	passed := got
	if renews || !s.in.regular() {
		n, err := s.passOver(b.Data[:got], next-got)
		if passed += n; err != nil && err != io.EOF {
			return err
		}
	}
	if s.in.regular() {
		b.Data = b.Data[:0]
		return s.in.skipTo(ctx, next)
	}
	b.Data = b.Data[:copy(b.Data, b.Data[got:])]
	s.more = len(b.Data) > 0
	if passed < next {
		return fault.Hint(fmt.Errorf("it ends at byte %d, and an earlier run has read it to byte %d", passed, next),
			"give it the same stream again, from its beginning")
	}
	return nil
}
