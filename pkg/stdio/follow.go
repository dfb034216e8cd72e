package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A tail knows when a file that is followed has come to its end: when it was
// replaced by another of its name, or cut.
type tail struct {
	path     string
	poll     time.Duration
	note     func(string)
	replaced bool // another file has its name; this one may still be written to
}

// await waits until the file has more to give, and returns io.EOF when it will
// have none. A file that was replaced is given one more interval, for a writer
// that has not noticed yet.
func (t *tail) await(ctx context.Context, in *input) error {
	at, err := in.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	for {
		info, err := in.file.Stat()
		if err != nil {
			return err
		}
		switch size := info.Size(); {
		case size > at:
			return nil
		case size < at:
			t.note(fmt.Sprintf("%s was cut to %d bytes: reading it from its beginning", t.path, size))
			return io.EOF
		case t.replaced:
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
		if t.replaced = err == nil && !os.SameFile(now, in.info); !t.replaced {
			continue
		}
		if err := sleep(ctx, t.poll); err != nil {
			return err
		}
	}
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
