package spool

import (
	"encoding/binary"
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

// Next fills the empty batch b with the records of the next Write that has not
// been read; b.Next is what Ack takes when all of them are dealt with. It
// returns io.EOF where there are none.
func (s *Spool) Next(b *record.Batch) error {
	c := &s.read
	for {
		if c.next >= s.next {
			return io.EOF
		}
		at, err := s.seek()
		if err != nil {
			return s.failure("reading", err)
		}
		body, err := readFrame(c.file, c.off, at.size, c.buf)
		c.buf = body
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

// seek has the file open that holds the next frame.
func (s *Spool) seek() (segment, error) {
	c := &s.read
	at := 0
	for at+1 < len(s.segments) && s.segments[at+1].first <= c.next {
		at++
	}
	seg := s.segments[at]
	if c.file != nil && c.first == seg.first {
		return seg, nil
	}
	if err := c.close(); err != nil {
		return seg, err
	}
	f, err := os.Open(s.path(seg.first))
	if err != nil {
		return seg, err
	}
	c.file, c.first, c.off = f, seg.first, int64(len(magic))
	var start [len(magic)]byte
	if _, err := f.ReadAt(start[:], 0); err != nil || start != magic {
		return seg, damage(f.Name(), 0, errors.Join(errNoSpool, err))
	}
	return seg, nil
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

// Rewind has Next begin again with what was not acknowledged.
func (s *Spool) Rewind() error {
	err := s.read.close()
	s.read.next = s.acked
	return err
}

// Ack says that every record with a number below next is dealt with. Files that
// hold nothing else are removed. After a loss of power, not after a kill -9,
// what was acknowledged last may be read again.
func (s *Spool) Ack(next int64) error {
	if next <= s.acked {
		return nil
	}
	if next > s.read.next {
		return s.failure("acknowledging to", fmt.Errorf("record %d was not read", next-1))
	}
	if err := s.savePosition(next); err != nil {
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

// The position stands in a file of two slots, which are written in turn, each
// with a number that rises and a checksum: one of them is whole at any moment.
const slotSize = 20

// savePosition writes the position into the slot that is not the current one.
func (s *Spool) savePosition(next int64) error {
	var slot [slotSize]byte
	binary.LittleEndian.PutUint64(slot[:], uint64(next))
	binary.LittleEndian.PutUint64(slot[8:], uint64(s.slot))
	binary.LittleEndian.PutUint32(slot[16:], crc32.Checksum(slot[:16], castagnoli))
	if _, err := s.pos.WriteAt(slot[:], int64(s.slot%2)*slotSize); err != nil {
		return err
	}
	s.slot++
	return nil
}

// loadPosition reads the later one of the slots that are whole.
func loadPosition(text []byte) (next int64, slot int) {
	for ; len(text) >= slotSize; text = text[slotSize:] {
		if crc32.Checksum(text[:16], castagnoli) != binary.LittleEndian.Uint32(text[16:]) {
			continue
		}
		if n := int(binary.LittleEndian.Uint64(text[8:])) + 1; n > slot {
			next, slot = int64(binary.LittleEndian.Uint64(text)), n
		}
	}
	return next, slot
}
