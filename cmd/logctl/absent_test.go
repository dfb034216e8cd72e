package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestBrokerAbsent: a command says within five seconds that nobody answers, and
// where.
func TestBrokerAbsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for addr, hint := range map[string]string{
		"127.0.0.1:1":     "logctl broker",
		l.Addr().String(): "takes connections and does not answer",
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
				if r.took > 5*time.Second+slack {
					t.Errorf("it took %v to say so", r.took)
				}
			})
		}
	}
}

// slack is for a machine that is busy with something else.
const slack = 2 * time.Second

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
