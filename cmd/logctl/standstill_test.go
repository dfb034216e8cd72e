package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// Who reads stdout may stand still, as a pager does: an interrupted run waits for it no
// longer than --drain, and says so.
func TestReaderThatStandsStill(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := &client{home: t.TempDir(), addrs: []string{"127.0.0.1:1"}}
	line := strings.NewReader(strings.Repeat("x", 900_000) + "\n") // written at once, and more than a pipe takes
	p := c.start(t, line, w, "consume", "--from", "-", "--drain", "1ms")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait() // its status is looked at
	want := `in the time that --drain allows: writing to "stdout": its reader takes nothing`
	if status := p.ProcessState.ExitCode(); status != 1 || !strings.Contains(p.errs.String(), want) {
		t.Errorf("status %d, said\n%s", status, p.errs.String())
	}
}
