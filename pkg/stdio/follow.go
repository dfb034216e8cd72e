package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A tail knows when a file that is followed has come to its end: when it was
// replaced by another of its name, or cut, be it that it was written anew
// beyond the place that was reached before anybody looked.
type tail struct {
	path     string
	heirs    *succession
	poll     time.Duration
	note     func(string)
	patience int   // how long, in intervals, the next file waits for this one to be silent
	paused   bool  // there was nothing more to read: look whether it is the same file before reading on
	looked   bool  // it was the same file just now; it may have been written anew before it is read
	over     error // what await has found, and is not told yet
	checked  sight
	seen     seen
}

// A file that was replaced must have been silent for so many intervals before the next
// one is read: its writer may go on with it for a while, but not when that one was
// replaced before it was opened.
const (
	patience  = 5
	hastiness = 1
)

// await waits until the file has more to give, and returns io.EOF when it will
// have none: it was replaced and is silent, and the new one has been begun.
func (t *tail) await(ctx context.Context, in *input) error {
	at, err := in.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	for silent := 0; ; silent++ {
		if err := t.check(in); err != nil {
			return err
		}
		if t.overtaken(in) {
			return io.EOF
		}
		info, err := in.file.Stat()
		if err != nil {
			return err
		}
		switch size := info.Size(); {
		case size > at:
			return nil
		case silent > t.patience:
			t.note(t.path + " was replaced: reading the new file")
			return io.EOF
		}
		if err := sleep(ctx, t.poll); err != nil {
			return err
		}
		now, err := os.Stat(t.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if own := err == nil && os.SameFile(now, in.info); own || !(err == nil && now.Size() > 0 || t.heirs.overtaken()) {
			silent = 0 // nobody has begun the next file
		}
	}
}

// check returns io.EOF where the file no longer has what was read of it.
func (t *tail) check(in *input) error {
	info, err := in.file.Stat()
	if err != nil {
		return err
	}
	now := sight{info, time.Now()}
	switch size := info.Size(); {
	case size < t.seen.end:
		return t.cut(in, fmt.Sprintf("was cut to %d bytes", size))
	case t.checked.stands(info):
	case !t.seen.stands(in.file):
		return t.cut(in, "was cut and written anew")
	default:
		t.checked = now
	}
	t.looked = true
	return nil
}

// cut goes on in the copy that was made of the file before it was cut. It returns io.EOF
// where there is none, or nothing in it that was not read.
func (t *tail) cut(in *input, how string) error {
	if file := t.heirs.copyOf(&t.seen); file != nil {
		t.note(fmt.Sprintf("%s %s: reading its copy %s to the end first", t.path, how, file.Name()))
		t.patience = hastiness
		return in.goOn(file, t.seen.end)
	}
	t.note(fmt.Sprintf("%s %s: reading it from its beginning", t.path, how))
	return io.EOF
}

// overtaken reports whether the file was copied and cut before anything was read of it:
// it still has its name, and there is a file that came meanwhile.
func (t *tail) overtaken(in *input) bool {
	if t.seen.end > t.seen.start || in.info == nil {
		return false
	}
	now, err := os.Stat(t.path)
	return err == nil && os.SameFile(now, in.info) && t.heirs.overtaken()
}

// take takes in bytes that were read at a place, and reports whether they follow
// what was read before: between the last look and the reading, the file may have
// been written anew.
func (t *tail) take(p []byte, at int64, in *input) bool {
	if t.looked {
		t.looked = false
		if !t.seen.stands(in.file) {
			return false
		}
	}
	if t.overtaken(in) {
		return false
	}
	t.seen.add(p, at)
	return true
}

// A seen remembers the first bytes that were read of a file without a gap, and
// the last: what is compared with the file to know whether it still is what it
// was.
type seen struct {
	start, end  int64 // the places in the file between which was read
	first, last []byte
	again       []byte // what is there now; kept for its memory
}

// seenSize is how many bytes are kept of the beginning, and of the end.
const seenSize = 512

// add takes in what was read at a place. A gap begins anew.
func (s *seen) add(p []byte, at int64) {
	if at != s.end {
		s.begin(at)
	}
	s.end += int64(len(p))
	s.first = append(s.first, p[:min(len(p), seenSize-len(s.first))]...)
	p = p[max(len(p)-seenSize, 0):]
	if over := len(s.last) + len(p) - seenSize; over > 0 {
		s.last = s.last[:copy(s.last, s.last[over:])]
	}
	s.last = append(s.last, p...)
}

// begin forgets what was read: reading goes on at another place.
func (s *seen) begin(at int64) {
	s.start, s.end, s.first, s.last = at, at, s.first[:0], s.last[:0]
}

// stands reports whether the file has what was read.
func (s *seen) stands(file io.ReaderAt) bool {
	return s.has(file, s.first, s.start) && s.has(file, s.last, s.end-int64(len(s.last)))
}

func (s *seen) has(file io.ReaderAt, want []byte, at int64) bool {
	s.again = append(s.again[:0], want...)
	n, _ := file.ReadAt(s.again, at) // less than wanted is as good as other bytes
	return n == len(want) && bytes.Equal(s.again, want)
}

// sleep waits for d, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
