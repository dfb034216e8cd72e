package spool

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/logctl/logctl/pkg/fault"
)

// errSum says that bytes are not those that were written.
var errSum = errors.New("the checksum is wrong")

var errNoSpool = errors.New("it is no file of a spool")

// damage says where a file cannot be read.
func damage(path string, off int64, err error) error {
	return fault.Hint(fmt.Errorf("%q is damaged at byte %d: %w", filepath.Base(path), off, err),
		fmt.Sprintf("what comes before is whole; truncate -s %d %s goes on without the rest of that file", off, path))
}

// recover finds out what the directory holds, and what of it is missing.
func (s *Spool) recover() error {
	taken, flushed, err := s.openMarks()
	if err != nil {
		return err
	}
	s.acked = taken
	if err := s.findSegments(); err != nil {
		return err
	}
	s.next = s.acked
	if n := len(s.segments); n > 0 {
		end, err := s.recoverLast(&s.segments[n-1])
		if err != nil {
			return err
		}
		s.next = max(end, s.acked)
	}
	for _, seg := range s.segments {
		s.bytes.Add(seg.size)
	}
	if err := s.free(); err != nil {
		return err
	}
	s.read.next = s.acked
	if len(s.segments) > 0 && s.segments[0].first > s.acked {
		s.read.next = s.segments[0].first
	}
	s.records.Store(s.next - s.read.next)
	s.miss(s.read.next - s.acked)
	if flushed > s.next {
		s.miss(flushed - s.next)
		err = s.flushed.save(s.pos, s.next)
	}
	return err
}

// miss counts records that were written and are not there any more.
func (s *Spool) miss(n int64) {
	s.lost.Add(n)
	if n > 0 && s.cfg.Lost != nil {
		s.cfg.Lost(n)
	}
}

// findSegments lists the files of records in order.
func (s *Spool) findSegments() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		first, err := strconv.ParseInt(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, segment{first, info.Size()})
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return nil
}

// recoverLast reads the last segment, cuts off what its writer left unfinished,
// and returns the number behind its last record.
func (s *Spool) recoverLast(seg *segment) (end int64, err error) {
	f, err := os.OpenFile(s.path(seg.first), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	whole, end, err := scan(f, *seg)
	if err == nil && whole == 0 {
		whole = int64(len(magic))
		_, err = f.WriteAt(magic[:], 0)
	}
	if err == nil && whole < seg.size {
		err = f.Truncate(whole)
	}
	seg.size = whole
	return end, errors.Join(err, f.Close())
}

// scan reads the frames of a segment. It returns how much of it is whole,
// nothing where not even the beginning is, and the number behind the last
// record of that. What follows must be a beginning of what might have been
// written, or the zeros that a loss of power leaves.
func scan(f *os.File, seg segment) (whole, end int64, err error) {
	end = seg.first
	start := make([]byte, min(seg.size, int64(len(magic))))
	if _, err := f.ReadAt(start, 0); err != nil && err != io.EOF {
		return 0, end, err
	}
	if !bytes.Equal(start, magic[:len(start)]) {
		if zeros, err := onlyZeros(f, 0); err != nil || zeros {
			return 0, end, err
		}
		return 0, end, damage(f.Name(), 0, errNoSpool)
	}
	if len(start) < len(magic) {
		return 0, end, nil
	}
	var buf []byte
	for whole = int64(len(magic)); ; {
		buf, err = readFrame(f, whole, seg.size, buf)
		if err != nil {
			return whole, end, torn(f, whole, err)
		}
		first, n, err := readCount(buf)
		if err == nil && first != end {
			err = fmt.Errorf("it holds record %d where %d was wanted", first, end)
		}
		if err != nil {
			return whole, end, damage(f.Name(), whole, err)
		}
		end = first + n
		whole += headerSize + int64(len(buf))
	}
}

// torn returns nil where what begins at off was left unfinished, else why the
// frame there cannot be read.
func torn(f *os.File, off int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	zeros, zerr := onlyZeros(f, off)
	if zerr == nil && zeros {
		return nil
	}
	return damage(f.Name(), off, errors.Join(err, zerr))
}

// onlyZeros reports whether a file holds only zeros from off on.
func onlyZeros(f *os.File, off int64) (bool, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.ReadAt(buf, off)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		off += int64(n)
	}
}
