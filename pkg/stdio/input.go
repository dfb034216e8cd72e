package stdio

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/logctl/logctl/pkg/record"
)

// errQuiet says that a followed file has no more to give for now.
var errQuiet = errors.New("nothing more for now")

// An input is an opened file, pipe or reader as a stream of bytes, with what
// is compressed decompressed. One goroutine uses it.
type input struct {
	raw   io.Reader     // where the bytes come from
	file  *os.File      // raw, where it is a file; read through its descriptor where wait is set
	info  os.FileInfo   // of file
	id    identity      // of a regular file
	start int64         // where in file the stream begins
	keep  bool          // file is not to be closed
	wait  *waiter       // for a pipe, socket or terminal: waits until there is something
	tail  *tail         // where the file is followed
	count *atomic.Int64 // bytes read of raw

	ctx   context.Context // of the fill under way, for reads below a decompressor
	head  []byte          // bytes that were looked at and are to be read again
	plain io.Reader       // the decompressed stream; nil where raw is not compressed
	stop  func()          // frees what plain holds
}

// newInput reads f: straight where it is a regular file, else when there is
// something to read, so that the reading can be broken off.
func newInput(f *os.File, count *atomic.Int64, keep bool) (*input, error) {
	in := &input{raw: f, file: f, keep: keep, count: count}
	info, err := f.Stat()
	if err == nil {
		in.info = info
		if info.Mode().IsRegular() {
			in.id = identityOf(f, info)
			in.start, err = f.Seek(0, io.SeekCurrent)
		} else {
			in.wait, err = newWaiter(f)
		}
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func (in *input) close() {
	if in.stop != nil {
		in.stop()
	}
	if in.wait != nil {
		in.wait.close()
	}
	if in.file != nil && !in.keep {
		_ = in.file.Close() // it was only read
	}
}

// goesOn reports whether the next file of its name is read behind this one.
func (in *input) goesOn() bool { return in.tail != nil || in.wait != nil && in.wait.again > 0 }

func (in *input) regular() bool { return in.info != nil && in.wait == nil }

// modified returns when the file was modified, ns since 1970.
func (in *input) modified() int64 {
	if !in.regular() {
		return record.NoTime
	}
	return in.info.ModTime().UnixNano()
}

// holds reports whether an offset may be gone to: in a regular file that is
// not shorter by now, which of a compressed one is not known.
func (in *input) holds(offset int64) bool {
	return in.regular() && offset > 0 && (in.plain != nil || offset <= in.info.Size()-in.start)
}

// generation returns a number that tells this file from others of its name also in
// later runs, made of its identity and how it begins; 0 where it is no regular file.
func (in *input) generation(begins []byte) int32 {
	if !in.regular() {
		return 0
	}
	begins = begins[:min(len(begins), 1024)]
	return max(int32(xxh3.HashSeed(begins, in.id.inode^in.id.born)>>33), 1)
}

// fill appends to b.Data what is there, up to its capacity: at least one byte,
// unless it returns an error. At the end of a followed file it returns
// errQuiet with what it has, or waits for more where that is nothing and wait
// is set.
func (in *input) fill(ctx context.Context, b *record.Batch, wait bool) error {
	in.ctx = ctx
	got := 0
	if in.tail != nil && in.tail.paused {
		in.tail.paused = false
		if in.tail.over != nil {
			return in.tail.over
		}
		if err := in.tail.check(in); err != nil {
			return err
		}
	}
	for len(b.Data) < cap(b.Data) {
		n, err := in.stream().Read(b.Data[len(b.Data):cap(b.Data)])
		b.Data = b.Data[:len(b.Data)+n]
		got += n
		switch {
		case err == io.EOF && in.tail != nil:
			in.tail.paused = true
			if got > 0 || !wait {
				return errQuiet
			}
			if err := in.tail.await(ctx, in); err != nil {
				return err
			}
		case err != nil:
			return err
		case got > 0 && !in.ready():
			return nil
		}
	}
	return nil
}

func (in *input) stream() io.Reader {
	if in.plain != nil {
		return in.plain
	}
	return in
}

// ready reports whether more can be read without waiting.
func (in *input) ready() bool {
	if in.wait != nil {
		return in.wait.ready()
	}
	return in.regular()
}

// drained reports whether a pipe had no more to give just now.
func (in *input) drained() bool { return in.wait != nil && !in.ready() }

// Read reads bytes as they are stored.
func (in *input) Read(p []byte) (int, error) {
	if len(in.head) > 0 {
		n := copy(p, in.head)
		in.head = in.head[n:]
		return n, nil
	}
	if err := in.ctx.Err(); err != nil {
		return 0, context.Cause(in.ctx)
	}
	var n int
	var err error
	if in.wait != nil {
		n, err = in.wait.read(in.ctx, p)
	} else {
		n, err = in.raw.Read(p)
	}
	if in.tail != nil && n > 0 && !in.tail.take(p[:n], in.start+in.count.Load(), in) {
		_, err := in.file.Seek(-int64(n), io.SeekCurrent)
		return 0, cmp.Or(err, io.EOF) // the next look tells why
	}
	in.count.Add(int64(n))
	return n, err
}

// goOn reads another file, which has the same bytes, from a place on.
func (in *input) goOn(file *os.File, at int64) error {
	_ = in.file.Close() // it was only read
	in.raw, in.file = file, file
	var err error
	if in.info, err = file.Stat(); err == nil {
		in.id = identityOf(file, in.info)
		_, err = file.Seek(at, io.SeekStart)
	}
	return err
}

// skipTo goes to a byte of the decompressed stream of a regular file.
func (in *input) skipTo(ctx context.Context, offset int64) error {
	if in.plain == nil {
		in.count.Store(offset)
		if in.tail != nil {
			in.tail.seen.begin(in.start + offset)
		}
		_, err := in.file.Seek(in.start+offset, io.SeekStart)
		return err
	}
	if err := in.rewind(ctx); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, in.plain, offset)
	return err
}

// rewind begins the stream of a regular file anew.
func (in *input) rewind(ctx context.Context) error {
	if _, err := in.file.Seek(in.start, io.SeekStart); err != nil {
		return err
	}
	if in.stop != nil {
		in.stop()
	}
	in.plain, in.stop = nil, nil
	in.count.Store(0)
	return in.sniff(ctx)
}
