package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// atWork starts a run whose handler holds a record until the gate is written to.
func atWork(t *testing.T) (p *process, out *text, gate *os.File) {
	t.Helper()
	dir := t.TempDir()
	path, begun := filepath.Join(dir, "gate"), filepath.Join(dir, "begun")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	gate, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	in, lines, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // with the gate ends a handler that is left
		for _, f := range []*os.File{gate, in, lines} {
			_ = f.Close()
		}
	})
	c := &client{home: t.TempDir(), addrs: []string{""}}
	out = new(text)
	p = c.start(t, in, out, "consume", "-q", "--from", "-", "--exec",
		`sh -c 'read line; touch "$1"; read go <"$0"; echo "$line"' `+path+" "+begun)
	if _, err := lines.WriteString("{\"n\":1}\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the handler has the record", func() bool { _, err := os.Stat(begun); return err == nil })
	return p, out, gate
}

// A wrapper that passes a signal on to the process and to its group, as timeout(1) does,
// means one stop: what is in flight is finished.
func TestTwoSignalsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	p, out, gate := atWork(t)
	p.stop(t)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it is not stopped: %v, %v", status, err)
	}
	p.signal(t, syscall.SIGINT)
	p.signal(t, syscall.SIGTERM) // both are there when it goes on
	p.goOn(t)
	if _, err := gate.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	p.end(t)
	if got := out.String(); got != "{\"n\":1}\n" {
		t.Errorf("it wrote %q", got)
	}
}

// Whoever does not want to wait for what is in flight says so again.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p, out, _ := atWork(t)
	p.signal(t, syscall.SIGINT)
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(20 * time.Millisecond):
			_ = p.Process.Signal(syscall.SIGINT) // it may have ended just now
		}
	}
	if p.ProcessState.ExitCode() != 1 || out.String() != "" {
		t.Errorf("status %d, it wrote %q", p.ProcessState.ExitCode(), out.String())
	}
}
