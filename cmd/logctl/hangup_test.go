package main

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestHangup: a terminal that is closed, which says so twice, ends a run as SIGTERM does;
// one under nohup goes on.
func TestHangup(t *testing.T) {
	t.Parallel()
	c := &client{home: t.TempDir(), addrs: []string{""}}
	for name, nohup := range map[string]bool{"terminal": false, "nohup": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, lines := io.Pipe()
			out := new(text)
			args := []string{"consume", "-q", "--from", "-"}
			p := &process{Cmd: c.command(t.Context(), nil, args...), args: args}
			if nohup {
				p.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, p.Path}, args...)
				p.Path, p.Err = exec.LookPath("sh")
			}
			p.begin(t, in, out)
			says := func(line string) {
				t.Helper()
				if _, err := io.WriteString(lines, line+"\n"); err != nil {
					t.Fatal(err)
				}
				eventually(t, line+" is written", func() bool { return strings.HasSuffix(out.String(), line+"\n") })
			}
			says("one")
			for range 2 {
				if err := p.Process.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
			}
			if nohup {
				says("two")
				_ = p.Process.Signal(syscall.SIGTERM) // the status says the rest
			}
			_ = lines.Close() // the copying of a test's input ends with it
			p.end(t)
		})
	}
}
