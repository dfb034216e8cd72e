package broker

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
)

// full is a listener of a process that may not open more files for a while.
type full struct {
	net.Listener
	fails int
}

func (f *full) Accept() (net.Conn, error) {
	if f.fails--; f.fails >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	if f.fails == -1 {
		return nil, nil
	}
	return nil, net.ErrClosed
}

// TestNobodyIsLetIn: that clients cannot be let in is said once, with what to do, and so is
// that they can be again.
func TestNobodyIsLetIn(t *testing.T) {
	var said strings.Builder
	l := &listener{
		Listener: &full{fails: 3}, addr: "here:1", guards: func(net.Conn) *guard { return new(guard) },
		log: slog.New(slog.NewTextHandler(&said, nil)),
	}
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	if strings.Count(said.String(), "ulimit -n") != 1 || strings.Count(said.String(), "let in again") != 1 {
		t.Errorf("it says %q", said.String())
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed, it returns %v", err)
	}
}
