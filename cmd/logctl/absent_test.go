package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestBrokerAbsent: a command says that nobody answers, and where: within five seconds, or
// some more on a machine that is busy with something else.
func TestBrokerAbsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for addr, hint := range map[string]string{
		"127.0.0.1:1":     "logctl broker",
		l.Addr().String(): "answer", // or when a slow machine gives up before it knows that
	} {
		c := &client{addrs: []string{addr}, home: t.TempDir()}
		for _, args := range [][]string{
			{"produce", "--to", "kafka:t"},
			{"consume", "--from", "kafka:t"},
			{"consume", "--from", "kafka:t", "--group", "g"},
			{"window", "--size", "1m", "--from", "kafka:t"},
			{"topic", "ls"},
		} {
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				r := c.run(t, strings.NewReader("one\n"), nil, args...)
				refused(t, r, addr, hint)
				if r.took > 30*time.Second {
					t.Errorf("it took %v to say so", r.took)
				}
			})
		}
	}
}

// refused checks that a command fails, that it says why, and that it keeps the
// password to itself.
func refused(t *testing.T, r result, want ...string) {
	t.Helper()
	if r.status != 1 {
		t.Errorf("status %d, want 1", r.status)
	}
	for _, w := range want {
		if !strings.Contains(r.errs, w) {
			t.Errorf("it does not say %q: %s", w, r.errs)
		}
	}
	if strings.Contains(r.out+r.errs, "gue55") {
		t.Errorf("it tells the password: %s", r.errs)
	}
	t.Logf("after %v: %s", r.took.Round(10*time.Millisecond), r.errs)
}
