package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSilentBroker: the broker holds its connections and answers nothing. What is in
// flight when --timeout is over goes to the dead letters, and so does what comes later;
// the status says so, and replay sends them when the broker answers again.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dead := e.topic(t, 2), filepath.Join(t.TempDir(), "dead.ndjson")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := e.start(t, r, nil, "produce", "--to", "kafka:"+topic, "--timeout", "4s", "--dlq", dead, "--report",
		"--listen", "127.0.0.1:0")
	url := listensAt(t, p)
	_ = r.Close() // the process has its own
	read := func() *tally {
		all := new(tally)
		all.count(t, []byte(e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end")))
		return all
	}
	for n, stop := 0, false; n < 300; n += 100 {
		if _, err := w.Write(numbers(n, n+100)); err != nil {
			t.Fatal(err)
		}
		if !stop {
			eventually(t, "the first are there", func() bool { return len(read().seen) == 100 })
			eventually(t, "and acknowledged", func() bool {
				_, metrics := get(t, url+"/metrics")
				return strings.Contains(metrics, fmt.Sprintf("produce_records_total{output=%q,topic=%[1]q} 100\n", topic))
			})
			stop = true
			if err := e.broker.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			continue
		}
		eventually(t, "they are dead letters", func() bool {
			text, _ := os.ReadFile(dead)
			return strings.Count(string(text), "\n") == n
		})
	}
	_ = w.Close()
	err = p.Wait()
	if err := e.broker.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	said := p.errs.String()
	if p.ProcessState.ExitCode() != 1 || !strings.Contains(said, fmt.Sprintf("200 records were not acknowledged; they are in %s\n", dead)) ||
		!strings.Contains(said, "bad 200") || !strings.Contains(said, "acked 100, failed 200") {
		t.Errorf("it ended with %v:\n%s", err, said)
	}
	text, _ := os.ReadFile(dead)
	if n := strings.Count(string(text), "not acknowledged within 4s"); n != 200 {
		t.Errorf("%d dead letters say why they are there:\n%.500s", n, text)
	}
	e.logctl(t, nil, "dlq", "replay", "--from", dead, "--to", "kafka:"+topic)
	if missing, _ := read().sum(300); missing > 0 {
		t.Errorf("%d records are missing", missing)
	}
}
