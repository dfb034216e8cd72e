// Package spool keeps records in a directory until they can be sent. It is a bounded,
// ordered queue that survives a kill -9 at any moment.
//
// The directory holds segments (files of frames with checksums, named after the number
// of their first record) and the position up to which records have been acknowledged.
// Numbers are never used again in a directory.
package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// Defaults of Config.
const (
	DefaultMaxBytes     = 1 << 30
	DefaultSegmentBytes = 8 << 20
)

// ErrFull says that a spool has reached its limit, and that nothing was written. There
// is room again when records have been acknowledged.
var ErrFull = errors.New("the spool is full")

// Config has the limits of a spool. The zero value of a field is its default.
type Config struct {
	MaxBytes     int64 // of all segments together, by default 1 GiB
	SegmentBytes int64 // of a file, by default 8 MiB or a quarter of MaxBytes; space is freed by whole files

	// Lost is told of records that were written, and flushed, and are not there any
	// more: a file was cut off or removed. It may be nil.
	Lost func(n int64)
}

// A Spool is an open spool. It is for one goroutine, except Len, Bytes and Lost.
//
// Write appends records, Next reads them, and Ack says how far they have been processed
// and frees their space. Records that were not acknowledged are read again after Open.
// They survive a kill -9 when Write has returned, and a power failure when Flush has.
type Spool struct {
	dir  string
	cfg  Config
	lock *os.File

	segments []segment // the last one is written to
	tail     *os.File  // of the last segment; nil before the first write to it
	next     int64     // number of the next record to be written
	frame    []byte
	fresh    bool  // the directory has files that are not on the disk
	failed   error // what made it unusable

	read    cursor
	gaps    []gap // behind acked, that were passed
	acked   int64
	pos     *os.File
	taken   mark // acked
	flushed mark // next, as of the last Flush

	records, bytes, lost atomic.Int64
}

// A segment is a file of records from number first on.
type segment struct {
	first int64
	size  int64 // of the file, up to its last whole frame
}

// Open opens the spool in dir, and creates the directory if it is missing. A record
// that a killed writer left unfinished is cut off; its Write had not returned. Files
// that were cut off or removed are reported to cfg.Lost. Any other damage is an error.
func Open(dir string, cfg Config) (*Spool, error) {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.SegmentBytes <= 0 {
		cfg.SegmentBytes = min(DefaultSegmentBytes, cfg.MaxBytes/4)
	}
	s := &Spool{dir: dir, cfg: cfg}
	if err := s.acquire(); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(s.failure("opening", err), s.Close())
	}
	return s, nil
}

// acquire makes the directory and takes its lock, which the kernel gives back
// when the process dies.
func (s *Spool) acquire() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s.failure("opening", err)
	}
	var err error
	if s.lock, err = os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return s.failure("opening", err)
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fault.Hint(errors.New("another process is using it"), "give each process a spool of its own")
		}
		return errors.Join(s.failure("opening", err), s.lock.Close())
	}
	return nil
}

func (s *Spool) failure(doing string, err error) error {
	return fault.Hint(fmt.Errorf("%s spool %q: %w", doing, s.dir, err), fault.HintOf(err))
}

// Len returns how many records have not been acknowledged.
func (s *Spool) Len() int64 { return s.records.Load() }

// Bytes returns the size of all segments.
func (s *Spool) Bytes() int64 { return s.bytes.Load() }

// Lost returns how many records were written and are missing.
func (s *Spool) Lost() int64 { return s.lost.Load() }

// Write appends the live rows, all of them or, if it fails, none. It returns ErrFull
// when the limit is reached. After that, or when the disk is full, the spool is intact
// and Write may be called again.
func (s *Spool) Write(rows record.Rows) error {
	if s.failed != nil {
		return s.failed
	}
	var n int64
	s.frame, n = appendFrame(s.frame[:0], s.next, rows)
	if n == 0 {
		return nil
	}
	if err := s.fits(int64(len(s.frame))); err != nil {
		return err
	}
	if err := s.append(s.frame); err != nil {
		return s.failure("writing to", err)
	}
	s.next += n
	s.records.Store(s.next - s.acked)
	return nil
}

// fits returns why n more bytes are too many. What would be too much for an
// empty spool is no use waiting with.
func (s *Spool) fits(n int64) error {
	most := s.cfg.MaxBytes
	switch {
	case int64(len(magic))+n > most:
		return fault.Hint(fmt.Errorf("writing to spool %q: records of %s are more than it may hold (%s)", s.dir,
			human.Bytes(n), human.Bytes(most)), "raise --spool-bytes")
	case s.Bytes()+int64(len(magic))+n > most:
		return fault.Hint(fmt.Errorf("writing to spool %q: %w: it holds %s records in %s", s.dir, ErrFull,
			human.Count(s.Len()), human.Bytes(s.Bytes())), "raise --spool-bytes")
	}
	return nil
}

// append writes a frame behind the last one, into a new segment where that has
// become too large. What was written of a frame that did not fit is cut off.
func (s *Spool) append(frame []byte) error {
	if len(s.segments) == 0 || s.segments[len(s.segments)-1].size > s.cfg.SegmentBytes {
		if err := s.addSegment(); err != nil {
			return err
		}
	}
	if err := s.openTail(); err != nil {
		return err
	}
	last := &s.segments[len(s.segments)-1]
	if _, err := s.tail.WriteAt(frame, last.size); err != nil {
		if cut := s.tail.Truncate(last.size); cut != nil {
			s.failed = s.failure("writing to", errors.Join(err, cut))
		}
		return err
	}
	last.size += int64(len(frame))
	s.bytes.Add(int64(len(frame)))
	return nil
}

// addSegment begins a file.
func (s *Spool) addSegment() error {
	if s.tail != nil {
		if err := errors.Join(s.tail.Sync(), s.closeTail()); err != nil {
			return err
		}
	}
	path := s.path(s.next)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(magic[:], 0); err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	s.tail = f
	s.segments = append(s.segments, segment{s.next, int64(len(magic))})
	s.bytes.Add(int64(len(magic)))
	s.fresh = true
	return nil
}

func (s *Spool) openTail() error {
	if s.tail != nil {
		return nil
	}
	var err error
	s.tail, err = os.OpenFile(s.path(s.segments[len(s.segments)-1].first), os.O_RDWR, 0)
	return err
}

func (s *Spool) closeTail() error {
	if s.tail == nil {
		return nil
	}
	err := s.tail.Close()
	s.tail = nil
	return err
}

// Flush returns when everything that was written is on the disk. After it has failed
// nobody knows what is there, and the spool accepts nothing more.
func (s *Spool) Flush(context.Context) error {
	if s.failed != nil || s.tail == nil {
		return s.failed
	}
	err := s.tail.Sync()
	if err == nil && s.fresh {
		err = s.syncDir()
	}
	if err == nil {
		err = s.flushed.save(s.pos, s.next)
	}
	if err != nil {
		s.failed = s.failure("syncing", err)
	}
	s.fresh = false
	return s.failed
}

// Close closes the files. It does not flush.
func (s *Spool) Close() error {
	errs := []error{s.closeTail(), s.read.close()}
	for _, f := range []*os.File{s.pos, s.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	s.pos, s.lock = nil, nil
	return errors.Join(errs...)
}

// path returns the file of the segment whose first record has number first.
func (s *Spool) path(first int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%020d%s", first, suffix))
}

const suffix = ".spool"

func (s *Spool) syncDir() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
