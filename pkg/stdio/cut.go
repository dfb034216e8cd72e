package stdio

import (
	"errors"
	"fmt"
	"os"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/fault"
)

// endSize is how many of a file's last bytes are remembered, to know it again.
const endSize = 256

// endOf returns the size of a regular file and its last bytes, as far as it may be
// read; of another none.
func endOf(f *os.File) (int64, []byte, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, nil, err
	}
	end, _ := bytesBefore(f.Name(), info.Size())
	return info.Size(), end, nil
}

// bytesBefore returns the last bytes of a file before byte n.
func bytesBefore(path string, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	f, err := os.Open(path) // an output is open for writing only
	if err != nil {
		return nil, err
	}
	end := make([]byte, min(n, endSize))
	_, err = f.ReadAt(end, n-int64(len(end)))
	return end, errors.Join(err, f.Close())
}

// Mark returns the length of the file after a Flush, and a checksum of its end, for
// CutBack. Of a file that was moved away they would be of no use.
func (f *File) Mark() (length int64, check uint64, err error) {
	if f.moved {
		return 0, 0, fmt.Errorf("output %q was moved or removed while it was written to", f.path)
	}
	return f.size, xxh3.Hash(f.ending), nil
}

// CutBack truncates a file that Create has opened to the length that it had at Mark. If
// the file is shorter, or is another file, it is left as it is, and an error is
// returned. Files that are rotated cannot be cut back.
func (f *File) CutBack(length int64, check uint64) error {
	info, err := f.file.Stat()
	switch {
	case err != nil:
		return f.cutting(err)
	case f.rotates():
		return f.cutting(errors.New("it is rotated"))
	case !info.Mode().IsRegular():
		return f.cutting(errors.New("it is no regular file"))
	case info.Size() < length:
		return f.cutting(fmt.Errorf("it has %d bytes, and %d were written", info.Size(), length))
	}
	end, err := bytesBefore(f.path, length)
	if err == nil && xxh3.Hash(end) != check {
		err = fmt.Errorf("the bytes before byte %d are not those that were written", length)
	}
	if err != nil {
		return f.cutting(err)
	}
	f.size, f.whole, f.ending, f.torn = length, length, end, !endsLine(end)
	return f.cutting(f.file.Truncate(length))
}

func (f *File) cutting(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cutting %q back: %w", f.path, fault.Reason(err))
}
