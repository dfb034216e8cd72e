package stdio

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A waiter reads a pipe, socket or terminal such that the reading can be
// broken off at any time: it polls the descriptor together with a pipe of its
// own, into which the end of the context writes. The descriptor stays as it
// is: making stdin non-blocking would make it so for the shell, too.
type waiter struct {
	file *os.File // what fd belongs to
	fd   int
	wake *os.File // read end of the pipe
	poke *os.File // write end
	ctx  context.Context
	stop func() bool // takes the end of ctx off the pipe

	// Of a named pipe that is followed: the end of its writer is not its end.
	again  time.Duration // how often to look for the next writer; 0 where the pipe is not followed
	packed bool          // what is read is no text
	torn   bool          // the last line has no end
}

func newWaiter(f *os.File) (*waiter, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &waiter{file: f}
	// Unlike Fd, this leaves the mode of the descriptor alone.
	if err := conn.Control(func(fd uintptr) { w.fd = int(fd) }); err != nil {
		return nil, err
	}
	w.wake, w.poke, err = os.Pipe()
	return w, err
}

func (w *waiter) close() {
	if w.stop != nil {
		w.stop()
	}
	_, _ = w.wake.Close(), w.poke.Close() // nothing is lost with them
}

// read reads what is there, waiting until there is something.
func (w *waiter) read(ctx context.Context, p []byte) (int, error) {
	for {
		if err := w.await(ctx); err != nil {
			return 0, err
		}
		n, err := unix.Read(w.fd, p)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return 0, &os.PathError{Op: "read", Path: w.file.Name(), Err: err}
		case n == 0 && w.again == 0:
			return 0, io.EOF
		case n == 0 && w.torn && !w.packed: // not to be gone on with by the next one
			w.torn = false
			return copy(p, newline), nil
		case n == 0:
			if err := w.nextWriter(ctx); err != nil {
				return 0, err
			}
		default:
			w.torn = p[n-1] != '\n'
			return n, nil
		}
	}
}

// nextWriter waits a moment, for another one to open the pipe. It returns io.EOF where
// the pipe was replaced.
func (w *waiter) nextWriter(ctx context.Context) error {
	if err := sleep(ctx, w.again); err != nil {
		return err
	}
	was, err := w.file.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(w.file.Name()); err == nil && !os.SameFile(now, was) {
		return io.EOF
	}
	return nil
}

// await waits until there is something to read, an end, or ctx is done.
func (w *waiter) await(ctx context.Context) error {
	if ctx != w.ctx {
		if w.stop != nil {
			w.stop()
		}
		w.ctx = ctx
		w.stop = context.AfterFunc(ctx, func() { _, _ = w.poke.Write([]byte{0}) })
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if events, err := w.poll(-1); events != 0 || err != nil {
			return err
		}
	}
}

// ready reports whether a read would not wait.
func (w *waiter) ready() bool {
	events, err := w.poll(0)
	if w.again > 0 {
		events &= unix.POLLIN // a pipe without a writer only says that
	}
	return events != 0 && err == nil
}

// poll returns what can be done with the pipe.
func (w *waiter) poll(timeout int) (int16, error) {
	fds := [2]unix.PollFd{
		{Fd: int32(w.fd), Events: unix.POLLIN},
		{Fd: int32(w.wake.Fd()), Events: unix.POLLIN},
	}
	if _, err := unix.Poll(fds[:], timeout); err != nil && err != unix.EINTR {
		return 0, os.NewSyscallError("poll", err)
	}
	return fds[0].Revents, nil
}
