package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// FileOptions say how a file is written. Zero values are defaults.
type FileOptions struct {
	Encoder     func() codec.Encoder // makes the encoder of each file; nil: records as they stand, a line each
	RotateSize  int64                // begin a new file before one gets longer; 0 for never
	RotateEvery time.Duration        // begin a new file when the clock passes a multiple of it (in UTC); 0 for never
	Durable     bool                 // Flush returns only when the bytes are on disk
	Now         func() int64         // the wall clock, ns since 1970; by default the machine's
}

// A File is a sink that appends to a file, compressed if its name ends in .gz or .zst.
// It is for one goroutine.
//
// With rotation, the names have the time at which a file was begun (UTC) and a number:
// app.ndjson.gz becomes app-20261124T120000Z-0001.ndjson.gz,
// app-20261124T130000Z-0002.ndjson.gz and so on. Existing files are not appended to
// then.
//
// Each Flush ends a gzip member or zstd frame, so that the file is valid up to there
// whatever happens later. If a run was killed or the disk was full, the next run copes
// with what is incomplete at the end. A file that is moved away is left, and another begun.
type File struct {
	opt     FileOptions
	path    string // as the user gave it
	number  int    // of rotated files
	file    *os.File
	size    int64      // of file
	whole   int64      // up to where it is of whole records, or members
	torn    bool       // an earlier run has left half a line at the end
	ending  []byte     // its last bytes
	dirty   bool       // it has bytes that may not be on disk
	written bool       // it was given records since the last Flush
	moved   bool       // one was moved away, see leaveMoved
	period  int64      // in which file was begun
	w       *Writer    // nil where no file is open
	z       compressor // nil where the file is not compressed
	started bool       // z has been given something since it was begun
}

// A compressor can end a member and begin the next one.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// Create opens a file for appending. Errors are found here, before any record is read.
func Create(path string, opt FileOptions) (*File, error) {
	if ext := filepath.Ext(path); slices.Contains([]string{".bz2", ".xz", ".lz4", ".zip"}, ext) {
		return nil, fault.Usagef(".gz and .zst are", "output %q: %s is not written", path, ext)
	}
	if opt.Now == nil {
		opt.Now = func() int64 { return time.Now().UnixNano() }
	}
	f := &File{opt: opt, path: path}
	if err := f.begin(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) rotates() bool { return f.opt.RotateSize > 0 || f.opt.RotateEvery > 0 }

// begin opens the (next) file.
func (f *File) begin() error {
	now := f.opt.Now()
	if f.opt.RotateEvery > 0 {
		f.period = now / int64(f.opt.RotateEvery)
	}
	file, err := f.openNext(now)
	if err != nil {
		return f.unopened(err)
	}
	f.file, f.started = file, false
	err = f.alone()
	if err == nil {
		err = f.findEnd()
	}
	if err != nil {
		_ = f.file.Close() // it was only looked at
		return fmt.Errorf("output %q: %w", f.path, fault.Reason(err))
	}
	var enc codec.Encoder
	if f.opt.Encoder != nil {
		enc = f.opt.Encoder()
	}
	switch filepath.Ext(f.path) {
	case ".gz":
		f.z = gzip.NewWriter(counted{f})
	case ".zst":
		f.z, err = zstd.NewWriter(counted{f}, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	}
	if err != nil {
		return err
	}
	f.w = NewWriter(storer{f}, file.Name(), enc)
	return nil
}

// alone makes sure that nobody else writes a compressed file: members would be mixed. Where
// the system knows no locks, nobody can tell.
func (f *File) alone() error {
	if ext := filepath.Ext(f.path); ext != ".gz" && ext != ".zst" {
		return nil
	}
	if err := unix.Flock(int(f.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	return fault.Hint(errors.New("another output writes it"), "each needs a compressed file of its own")
}

// unopened says why the file cannot be opened.
func (f *File) unopened(err error) error {
	why := fmt.Errorf("output %q: %w", f.path, fault.Reason(err))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Hint(why, "mkdir -p "+filepath.Dir(f.path))
	case errors.Is(err, unix.EMFILE):
		return fault.Hint(why, allowMore()+": all outputs are open together")
	default:
		return why
	}
}

func (f *File) openNext(now int64) (*os.File, error) {
	if !f.rotates() {
		return os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	}
	for {
		f.number++
		name := rotatedName(f.path, time.Unix(0, now), f.number)
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

// rotatedName puts a time and a number before the endings of a path.
func rotatedName(path string, at time.Time, number int) string {
	stem, ends := path, ""
	if ext := filepath.Ext(stem); ext == ".gz" || ext == ".zst" {
		stem, ends = strings.TrimSuffix(stem, ext), ext
	}
	if ext := filepath.Ext(stem); ext != filepath.Base(stem) {
		stem, ends = strings.TrimSuffix(stem, ext), ext+ends
	}
	return fmt.Sprintf("%s-%s-%04d%s", stem, at.UTC().Format("20060102T150405Z"), number, ends)
}

// A storer takes what a file's Writer writes; a counted what goes to disk.
type (
	storer  struct{ *File }
	counted struct{ *File }
)

func (f storer) Write(p []byte) (int, error) {
	if f.z == nil {
		return f.writePlain(p)
	}
	f.started = true
	return f.z.Write(p)
}

func (f counted) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.size += int64(n)
	if err != nil {
		f.undo()
		return n, err
	}
	f.ending = append(f.ending, p[max(0, n-endSize):n]...)
	f.ending = f.ending[:copy(f.ending, f.ending[max(0, len(f.ending)-endSize):])]
	f.dirty = true
	return n, err
}

// Write writes rows, and begins new files between them when that is due.
func (f *File) Write(rows record.Rows) error {
	if f.w != nil && !f.written {
		if err := f.leaveMoved(); err != nil {
			return err
		}
	}
	f.written = true
	for rows.Lo < rows.Hi {
		if f.due(int64(rows.Recs[rows.Lo].Value.Len) + 1) {
			if err := f.finish(); err != nil {
				return err
			}
		}
		if f.w == nil {
			if err := f.begin(); err != nil {
				return err
			}
		}
		part := f.part(rows)
		if err := f.w.Write(part); err != nil {
			return err
		}
		rows.Lo = part.Hi
	}
	return nil
}

// due reports whether the file is to be ended before so many bytes more.
func (f *File) due(more int64) bool {
	if f.w == nil {
		return false
	}
	if size := f.size + f.held(); f.opt.RotateSize > 0 && size > 0 && size+more > f.opt.RotateSize {
		return true
	}
	return f.opt.RotateEvery > 0 && f.opt.Now()/int64(f.opt.RotateEvery) != f.period
}

// held returns how many bytes are known to come to the file.
func (f *File) held() int64 {
	if f.z != nil {
		return 0
	}
	return int64(len(f.w.buf))
}

// part returns those of rows that may go to the file before its size has to be
// looked at again: at least one.
func (f *File) part(rows record.Rows) record.Rows {
	if f.opt.RotateSize == 0 {
		return rows
	}
	left := min(f.opt.RotateSize-f.size-f.held(), writeSize)
	for at := rows.Lo; at < rows.Hi; at++ {
		if left -= int64(rows.Recs[at].Value.Len) + 1; left < 0 {
			rows.Hi = max(at, rows.Lo+1)
			break
		}
	}
	return rows
}

// Push writes buffered records, so that readers see them, unless the file is
// compressed.
func (f *File) Push() error {
	if f.w == nil || f.z != nil {
		return nil
	}
	return f.w.Push()
}

// Flush writes buffered records to the file and, if Durable is set, syncs it.
func (f *File) Flush(context.Context) error {
	if f.w == nil {
		return nil
	}
	if f.due(0) {
		return f.finish()
	}
	if err := f.settle(); err != nil {
		return err
	}
	err := f.leaveMoved()
	f.written = false
	return err
}

// settle writes all to the file and ends a compressed member.
func (f *File) settle() error {
	if err := f.w.Push(); err != nil {
		return err
	}
	if f.z != nil && f.started {
		if err := f.z.Close(); err != nil {
			return f.failed(err)
		}
		f.z.Reset(counted{f})
		f.started, f.whole = false, f.size
	}
	if f.opt.Durable && f.dirty {
		f.dirty = false
		return f.failed(f.file.Sync())
	}
	return nil
}

// finish ends the file.
func (f *File) finish() error {
	err := f.w.Close()
	if err == nil {
		err = f.settle()
	}
	if closed := f.failed(f.file.Close()); err == nil {
		err = closed // after another failure it is no news
	}
	f.w, f.z, f.file = nil, nil, nil
	return err
}

func (f *File) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing to %q: %w", f.file.Name(), fault.Reason(err))
}

// Close writes buffered records and closes the file.
func (f *File) Close() error {
	if f.w == nil {
		return nil
	}
	return f.finish()
}
