package stdio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// undo takes off an output what a write that failed has left of a record or member,
// so that what another run appends can be read. A file to which somebody else has
// written besides stays as it is.
func (f *File) undo() {
	info, err := f.file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.size || f.file.Truncate(f.whole) != nil {
		return
	}
	f.size = f.whole
}

// findEnd looks at the end of a file that was opened, and takes off what an earlier run
// has left of a compressed member. Half a line is left: it gets an end.
func (f *File) findEnd() (err error) {
	if f.size, f.ending, err = endOf(f.file); err != nil || f.size == 0 {
		return err
	}
	if ext := filepath.Ext(f.path); ext == ".gz" || ext == ".zst" {
		var end int64
		if end, err = wholeEnd(f.file.Name(), ext, f.size); err == nil && end < f.size {
			f.size = end
			f.ending, err = bytesBefore(f.file.Name(), end)
			err = errors.Join(err, f.file.Truncate(end))
		}
	}
	f.whole, f.torn = f.size, !endsLine(f.ending)
	return err
}

func endsLine(p []byte) bool { return len(p) == 0 || p[len(p)-1] == '\n' }

// writePlain writes records. Behind half a line they begin another one, where they are
// lines.
func (f *File) writePlain(p []byte) (int, error) {
	if f.torn && endsLine(p) {
		if _, err := (counted{f}).Write(newline); err != nil {
			return 0, err
		}
	}
	f.torn = false
	n, err := counted{f}.Write(p)
	if err == nil {
		f.whole = f.size
	}
	return n, err
}

// wholeEnd returns up to where a compressed output of earlier runs is whole: one that
// was killed has left a part of a member behind that, and who reads the file would
// come no further. Of a file that is not logctl's it is all.
func wholeEnd(path, ext string, size int64) (int64, error) {
	f, err := os.Open(path) // an output is open for writing only
	if errors.Is(err, os.ErrPermission) {
		return size, nil
	}
	if err != nil {
		return 0, err
	}
	var end int64
	if ext == ".gz" {
		end, err = wholeMembers(f, size)
	} else {
		end, err = wholeFrames(f, size)
	}
	return end, errors.Join(err, f.Close())
}

// gzipHead begins each member that a File writes.
var gzipHead = func() []byte {
	var b bytes.Buffer
	_ = gzip.NewWriter(&b).Close()
	return b.Bytes()[:10]
}()

// wholeMembers returns where the last whole gzip member ends. It reads on from the
// beginning of the last one of a File.
func wholeMembers(f io.ReaderAt, size int64) (int64, error) {
	at, err := lastMember(f, size)
	if err != nil || at < 0 {
		return size, err
	}
	rest := io.NewSectionReader(f, at, size-at)
	in := bufio.NewReaderSize(rest, chunk)
	whole := at
	z, err := gzip.NewReader(in)
	for ; err == nil; err = z.Reset(in) {
		z.Multistream(false)
		if _, err = io.Copy(io.Discard, z); err != nil {
			break
		}
		read, _ := rest.Seek(0, io.SeekCurrent)
		whole = at + read - int64(in.Buffered())
	}
	if _, failed := errors.AsType[*os.PathError](err); failed {
		return 0, err
	}
	return whole, nil // the member that begins there is torn
}

// lastMember returns where the last member of a File begins, -1 where there is none.
func lastMember(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, chunk+len(gzipHead)-1)
	for at := size; at > 0; {
		at = max(at-chunk, 0)
		n, err := f.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndex(buf[:n], gzipHead); i >= 0 {
			return at + int64(i), nil
		}
	}
	return -1, nil
}

// wholeFrames returns where the last whole zstd frame ends. It goes from block to block
// and looks at their headers only.
func wholeFrames(f io.ReaderAt, size int64) (whole int64, err error) {
	head := make([]byte, zstd.HeaderMaxSize)
	for whole < size {
		n, err := f.ReadAt(head, whole)
		if err != nil && err != io.EOF {
			return 0, err
		}
		var h zstd.Header
		if err := h.Decode(head[:n]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return whole, nil
			}
			return size, nil // it is no zstd file: who reads it is told
		}
		end, err := frameEnd(f, whole, &h)
		if err != nil || end > size {
			return whole, err
		}
		whole = end
	}
	return whole, nil
}

// frameEnd returns where the frame at a place ends; beyond the file where it is torn.
func frameEnd(f io.ReaderAt, at int64, h *zstd.Header) (int64, error) {
	if h.Skippable {
		return at + int64(h.HeaderSize) + int64(h.SkippableSize), nil
	}
	at += int64(h.HeaderSize)
	const beyond = 1 << 62
	for last := false; !last; {
		var block [4]byte
		if n, err := f.ReadAt(block[:3], at); n < 3 {
			if err == io.EOF {
				return beyond, nil
			}
			return 0, err
		}
		bits := binary.LittleEndian.Uint32(block[:])
		last = bits&1 != 0
		n := int64(bits >> 3)
		if bits>>1&3 == 1 { // one byte, many times
			n = 1
		}
		at += 3 + n
	}
	if h.HasCheckSum {
		at += 4
	}
	return at, nil
}
