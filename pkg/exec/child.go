package exec

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/logctl/logctl/pkg/limit"
)

// A child is a running handler, the leader of a process group: a signal that
// interrupts logctl does not reach it, so that it can finish what it has.
type child struct {
	cmd      *exec.Cmd
	stdin    *os.File
	stdout   *os.File
	waiting  sync.WaitGroup // for stderr
	closing  sync.Once
	exited   chan struct{}
	timedOut atomic.Bool
	broke    string // what it did that it must not
}

// start starts a command whose stderr goes to complain.
func start(command string, complain *complaints) (*child, error) {
	c := &child{cmd: shell(command), exited: make(chan struct{})}
	inR, inW, err := pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := pipe()
	if err != nil {
		closeAll(inR, inW)
		return nil, err
	}
	c.cmd.Stdin, c.cmd.Stdout = inR, outW
	c.stdin, c.stdout = inW, outR
	errs, err := c.cmd.StderrPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	closeAll(inR, outW)
	if err != nil {
		closeAll(inW, outR)
		return nil, err
	}
	c.waiting.Go(func() { complain.copy(errs) })
	return c, nil
}

// shell returns a command in a process group of its own.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", command) //nolint:gosec,noctx // the user's own command; it outlives interrupts
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// closeInput lets the handler see the end of its input.
func (c *child) closeInput() { c.closing.Do(func() { _ = c.stdin.Close() }) }

// kill ends the handler and what it has started.
func (c *child) kill() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// killAfter kills the handler unless it ends by itself within d.
func (c *child) killAfter(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.kill()
	}
}

// end waits for the handler, which has closed its output or has to.
func (c *child) end() {
	c.closeInput()
	_ = c.stdout.Close()
	killing := time.AfterFunc(grace, c.kill)
	c.waiting.Wait()
	_ = c.cmd.Wait()
	killing.Stop()
	close(c.exited)
}

// fault notes what the handler did that it must not.
func (c *child) fault(what string) { c.broke = what }

// how says how the handler ended.
func (c *child) how() string {
	switch {
	case c.timedOut.Load():
		return "the handler was ended for its silence"
	case c.broke != "":
		return "the handler was ended: " + c.broke
	}
	return "the handler ended (" + c.cmd.ProcessState.String() + ")"
}

// notFound reports whether the shell did not find the command, or could not run
// it.
func (c *child) notFound() bool {
	code := c.cmd.ProcessState.ExitCode()
	return code == 126 || code == 127
}

// complaints pass on what handlers say on stderr, so many lines of it a second
// at most.
type complaints struct {
	mu     sync.Mutex
	to     io.Writer
	bucket limit.Bucket
	hidden int64
}

// perSecond is how many lines of stderr are passed on.
const perSecond = "20/s"

func newComplaints(to io.Writer) *complaints {
	c := &complaints{to: to}
	c.bucket.Schedule, _ = limit.ParseSchedule(perSecond)
	return c
}

// longLine is how much of a line of stderr is passed on.
const longLine = 8 << 10

// copy passes on the lines of r until it ends.
func (c *complaints) copy(r io.Reader) {
	buf := make([]byte, 0, longLine)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for {
			i := bytes.IndexByte(buf, '\n')
			if i < 0 && (len(buf) == cap(buf) || err != nil && len(buf) > 0) {
				i = len(buf)
			}
			if i < 0 {
				break
			}
			_, _ = c.Write(buf[:i])
			buf = buf[:copy(buf, buf[min(i+1, len(buf)):])]
		}
		if err != nil {
			return
		}
	}
}

// Write passes on one line, or several, unless there are too many.
func (c *complaints) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.bucket.TakeWithin(time.Now().UnixNano(), 1, 0); !ok {
		c.hidden++
		return len(line), nil
	}
	if c.hidden > 0 {
		fmt.Fprintf(c.to, "logctl: %d lines of the handlers' stderr are not shown\n", c.hidden)
		c.hidden = 0
	}
	fmt.Fprintf(c.to, "%s\n", bytes.TrimSuffix(line, []byte("\n")))
	return len(line), nil
}
