package exec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/retry"
)

// tryAgain is the exit status that asks for another attempt: EX_TEMPFAIL of
// sysexits.h.
const tryAgain = 75

// one has a process handle one record.
func (w *worker) one() error {
	w.gather(time.Now().UnixNano())
	if err := w.clean(); err != nil {
		return err
	}
	list, _ := w.answeredBy(1)
	if len(list) == 0 {
		w.pause(probeEvery) // another one tries whether things work again
		return nil
	}
	e := list[0]
	b, row := e.source()
	o := outcome{w: w}
	out, err := w.runOn(b, row)
	if w.s.failure() != nil {
		return w.s.failure()
	}
	if err != nil {
		if err := o.add(e, answer{err: err}, nil); err != nil {
			return err
		}
		return o.settle(true)
	}
	for len(out) > 0 && !e.lot.left.Load() {
		line, rest, _ := bytes.Cut(out, []byte("\n"))
		if err := o.write(&e, line); err != nil {
			return err
		}
		out = rest
	}
	if err := o.add(e, answer{}, nil); err != nil {
		return err
	}
	return o.settle(true)
}

// runOn runs the command on a record and returns what it writes.
func (w *worker) runOn(b *record.Batch, row int) ([]byte, *retry.Error) {
	cmd := shell(w.s.opt.Command)
	cmd.Stdin = bytes.NewReader(w.input(b, row))
	out := &bounded{most: w.s.opt.MaxLine}
	cmd.Stdout, cmd.Stderr = out, w.s.stderr
	cmd.Env = append(os.Environ(), environment(b, row)...)
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return nil, &retry.Error{Kind: retry.Transient, Class: retry.Crash, Message: err.Error()}
	}
	ended, late := make(chan struct{}), make(chan bool, 1)
	go func() {
		timer := time.NewTimer(w.s.opt.Timeout)
		defer timer.Stop()
		c := child{cmd: cmd}
		select {
		case <-ended:
			late <- false
			return
		case <-w.s.ctx.Done():
			late <- false
		case <-timer.C:
			late <- true
		}
		c.kill()
	}()
	err := cmd.Wait()
	close(ended)
	if errors.Is(err, exec.ErrWaitDelay) { // what it has left behind holds its output
		(&child{cmd: cmd}).kill()
	}
	return out.data, verdict(err, <-late, out, w.s.opt.Timeout)
}

// input returns what a process reads of a record.
func (w *worker) input(b *record.Batch, row int) []byte {
	if w.encoder != nil {
		line, _ := w.appendLine(nil, b, row)
		return line
	}
	return append(bytes.Clone(b.Value(row)), '\n')
}

// environment tells a process where its record comes from.
func environment(b *record.Batch, row int) []string {
	rec := &b.Recs[row]
	env := []string{"LOGCTL_OFFSET=" + strconv.FormatInt(rec.Offset, 10)}
	if rec.Flags&record.HasKey != 0 && bytes.IndexByte(b.Bytes(rec.Key), 0) < 0 {
		env = append(env, "LOGCTL_KEY="+string(b.Bytes(rec.Key)))
	}
	if o := b.Origin; o != nil {
		env = append(env, "LOGCTL_SOURCE="+o.Source, "LOGCTL_PARTITION="+strconv.Itoa(int(o.Partition)))
	}
	return env
}

// verdict says what the end of a process means; nil for success.
func verdict(err error, late bool, out *bounded, within time.Duration) *retry.Error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case late:
		return &retry.Error{
			Kind: retry.Ambiguous, Class: retry.Timeout, Message: fmt.Sprintf("the handler did not end within %v", within),
		}
	case out.over:
		return &retry.Error{
			Kind: retry.Permanent, Class: retry.Refused, Message: fmt.Sprintf("the handler wrote more than %d bytes", out.most),
		}
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil
	case !ok:
		return &retry.Error{Kind: retry.Transient, Class: retry.Crash, Message: err.Error()}
	case exit.ExitCode() == tryAgain:
		return &retry.Error{Kind: retry.Transient, Class: retry.Asked, Message: exit.String()}
	case exit.ExitCode() < 0:
		return &retry.Error{Kind: retry.Ambiguous, Class: retry.Crash, Message: "the handler ended: " + exit.String()}
	}
	return &retry.Error{Kind: retry.Permanent, Class: retry.Refused, Message: exit.String()}
}

// bounded keeps what is written to it, up to a limit.
type bounded struct {
	data []byte
	most int
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.data)+len(p) > b.most {
		b.over = true
		return len(p), nil
	}
	b.data = append(b.data, p...)
	return len(p), nil
}
