package stdio

import (
	"context"
	"io"
	"os"

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
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
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
		if ok, err := w.poll(-1); ok || err != nil {
			return err
		}
	}
}

// ready reports whether a read would not wait.
func (w *waiter) ready() bool {
	ok, err := w.poll(0)
	return ok && err == nil
}

func (w *waiter) poll(timeout int) (bool, error) {
	fds := [2]unix.PollFd{
		{Fd: int32(w.fd), Events: unix.POLLIN},
		{Fd: int32(w.wake.Fd()), Events: unix.POLLIN},
	}
	if _, err := unix.Poll(fds[:], timeout); err != nil && err != unix.EINTR {
		return false, os.NewSyscallError("poll", err)
	}
	return fds[0].Revents != 0, nil
}
