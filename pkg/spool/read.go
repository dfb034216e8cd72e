package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/logctl/logctl/pkg/record"
)

// A cursor is where reading goes on.
type cursor struct {
	file   *os.File // of the segment with number first, or nil
	first  int64
	off    int64 // in the file
	next   int64 // number of the next record to read; the frame at off may begin before it
	origin *record.Origin
	buf    []byte
}

func (c *cursor) close() error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file = nil
	return err
}

// Next fills the empty batch b with the records of the next Write that has not been
// read. Pass b.Next to Ack when all of them have been processed. Next returns io.EOF if
// there are none.
func (s *Spool) Next(b *record.Batch) error {
	c := &s.read
	for {
		if c.next >= s.next {
			return io.EOF
		}
		at, end, err := s.seek()
		if err != nil {
			return s.failure("reading", err)
		}
		body, err := readFrame(c.file, c.off, at.size, c.buf)
		c.buf = body
		if err == io.ErrUnexpectedEOF {
			if err := s.pass(end); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return s.failure("reading", damage(c.file.Name(), c.off, err))
		}
		c.off += headerSize + int64(len(body))
		first, n, err := readCount(body)
		if err == nil && first+n <= c.next {
			continue // it was acknowledged before this run
		}
		if err == nil {
			err = readBody(body, b, c.next, c.origin)
		}
		if err != nil {
			return s.failure("reading", damage(c.file.Name(), c.off, err))
		}
		c.next, c.origin = b.Next, b.Origin
		return nil
	}
}

// A gap is of records that are missing in the midst of what is there.
type gap struct{ from, to int64 }

// pass goes on behind a file that ends before its last record, the one before end.
func (s *Spool) pass(end int64) error {
	from := s.read.next
	s.miss(end - from)
	s.read.next, s.gaps = end, append(s.gaps, gap{from, end})
	if s.acked < from {
		return nil
	}
	return s.take(from)
}

// seek has the file open that holds the next frame, and returns the number behind
// its last record.
func (s *Spool) seek() (seg segment, end int64, _ error) {
	c := &s.read
	at := 0
	for at+1 < len(s.segments) && s.segments[at+1].first <= c.next {
		at++
	}
	seg, end = s.segments[at], s.next
	if at+1 < len(s.segments) {
		end = s.segments[at+1].first
	}
	if c.file != nil && c.first == seg.first {
		return seg, end, nil
	}
	if err := c.close(); err != nil {
		return seg, end, err
	}
	f, err := os.Open(s.path(seg.first))
	if err != nil {
		return seg, end, err
	}
	c.file, c.first, c.off = f, seg.first, int64(len(magic))
	var start [len(magic)]byte
	if _, err := f.ReadAt(start[:], 0); err != io.EOF && (err != nil || start != magic) {
		return seg, end, damage(f.Name(), 0, errors.Join(errNoSpool, err))
	}
	return seg, end, nil
}

// readFrame reads the body of the frame at off of a file of a size into buf.
// io.ErrUnexpectedEOF says that the file ends before the frame does.
func readFrame(f io.ReaderAt, off, size int64, buf []byte) ([]byte, error) {
	var header [headerSize]byte
	if off+headerSize > size {
		return buf, io.ErrUnexpectedEOF
	}
	if _, err := f.ReadAt(header[:], off); err != nil {
		return buf, err
	}
	n, sum, ok := readHeader(header[:])
	if !ok {
		return buf, errSum
	}
	if off+headerSize+n > size {
		return buf, io.ErrUnexpectedEOF
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := f.ReadAt(buf, off+headerSize); err != nil {
		return buf, err
	}
	if crc32.Checksum(buf, castagnoli) != sum {
		return buf, errSum
	}
	return buf, nil
}

// Ack says that all records with a number below next have been processed. Files that
// hold no others are removed. After a power failure, but not after a kill -9, the last
// records that were acknowledged may be read again.
func (s *Spool) Ack(next int64) error {
	if next <= s.acked {
		return nil
	}
	if next > s.read.next {
		return s.failure("acknowledging to", fmt.Errorf("record %d was not read", next-1))
	}
	return s.take(next)
}

// take moves the position, over what is missing behind it.
func (s *Spool) take(next int64) error {
	for len(s.gaps) > 0 && s.gaps[0].from <= next {
		next = max(next, s.gaps[0].to)
		s.gaps = s.gaps[1:]
	}
	if err := s.taken.save(s.pos, next); err != nil {
		return s.failure("acknowledging to", err)
	}
	s.acked = next
	s.records.Store(s.next - next)
	return s.free()
}

// free removes the segments whose records are all acknowledged.
func (s *Spool) free() error {
	for len(s.segments) > 0 {
		end := s.next
		if len(s.segments) > 1 {
			end = s.segments[1].first
		}
		if end > s.acked {
			break
		}
		if err := s.remove(s.segments[0]); err != nil {
			return s.failure("removing a part of", err)
		}
		s.segments = s.segments[1:]
	}
	return nil
}

func (s *Spool) remove(seg segment) error {
	if s.read.first == seg.first {
		if err := s.read.close(); err != nil {
			return err
		}
	}
	if len(s.segments) == 1 {
		if err := s.closeTail(); err != nil {
			return err
		}
	}
	s.bytes.Add(-seg.size)
	return os.Remove(s.path(seg.first))
}
