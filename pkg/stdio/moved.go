package stdio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// leaveMoved ends a file that is no longer there under its name, so that the next record
// begins another one: what was moved away has all that was written to it. It is an error
// where somebody removed what was written since the last Flush.
func (f *File) leaveMoved() error {
	own, err := f.file.Stat()
	if err != nil || !own.Mode().IsRegular() {
		return f.failed(err)
	}
	there, err := os.Stat(f.file.Name())
	if err == nil && os.SameFile(own, there) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if f.written && removed(own) {
		return fmt.Errorf("output %q was removed while it was written to", f.file.Name())
	}
	f.moved = true
	return f.finish()
}

// removed reports whether a file has no name any more.
func removed(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink == 0
}
