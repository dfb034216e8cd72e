package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What is killed in a group: windows and sessions, whose groups are not the topic's
// key, and windows whose groups are, which close while records come.
var groupCommands = map[string][]string{
	"windows":  {"window", "--size", "10s", "--by", "k", "--agg", "count(),sum(v),p99(v)", "--grace", "1d"},
	"keyed":    {"window", "--size", "10s", "--by", "k", "--agg", "count(),sum(v)", "--grace", "1m", "--keyed"},
	"sessions": {"sessionize", "--key", "k", "--gap", "5s", "--agg", "sum(v)", "--grace", "1d"},
}

func TestGroupKilled(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	for name, command := range groupCommands {
		t.Run(name, func(t *testing.T) { groupKilled(t, c, command, crashes(t)/2, func(int) {}) })
	}
}

// groupKilled: three members of a group that keeps its state in Kafka are killed at
// random, while records come; before is called before each kill. Exactly once into a
// topic, the rows are in the end those of one run over a file.
func groupKilled(t *testing.T, c *client, command []string, crashes int, before func(kill int)) {
	t.Helper()
	in, out := c.topic(t, 4), c.topic(t, 2)
	file := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(file, keyedRecords(30_000), 0o600); err != nil {
		t.Fatal(err)
	}
	want := sortedLines(c.logctl(t, nil, append(slices.Clone(command), "-q", file)...))
	feed := c.start(t, nil, nil, "produce", "-q", "--to", "kafka:"+in, "--key", "k", "--rate", "8000/s", file)

	args := append(slices.Clone(command), "--from", "kafka:"+in, "--group", in, "--delivery", "exactly-once", "--to", "kafka:"+out)
	members := make([]*process, 3)
	for m := range members {
		members[m] = c.start(t, nil, nil, args...)
	}
	for k := range max(crashes, 2) {
		time.Sleep(randomMoment())
		before(k)
		m := rand.IntN(len(members))
		members[m].fell(t)
		members[m] = c.start(t, nil, nil, args...)
	}
	feed.end(t)
	time.Sleep(time.Second) // a process that has just begun does not hear an interrupt
	for _, m := range members {
		if err := m.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := m.Wait(); err != nil {
			t.Logf("a member ended with %v: %s", err, m.errs.String())
		}
	}
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	got := sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end"))
	if !slices.Equal(got, want) {
		read := sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+in, "--stop", "end"))
		t.Errorf("%d rows, want %d, of which %d are there; the input has %d records, %d of them different; the first that differs: %s",
			len(got), len(want), common(got, want), len(read), len(slices.Compact(read)), firstOther(got, want))
	}
}

// common returns how many of some sorted lines are among others.
func common(got, want []string) (n int) {
	for _, line := range want {
		if _, ok := slices.BinarySearch(got, line); ok {
			n++
		}
	}
	return n
}

// fell kills a process, or finds that it has ended with an error, as one may that
// begins in the moment when a node dies: either way it is started again.
func (p *process) fell(t *testing.T) {
	t.Helper()
	err := errors.Join(p.Process.Kill(), p.Wait())
	if p.ProcessState == nil || p.ProcessState.ExitCode() != -1 {
		t.Logf("a member ended before it was killed: %v\n%s", err, p.errs.String())
	}
}

// keyedRecords returns n records of ten keys, ten a second.
func keyedRecords(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	var text []byte
	for i := range n {
		at := time.Unix(1_700_000_000, 0).Add(time.Duration(i) * 100 * time.Millisecond).UTC()
		text = fmt.Appendf(text, `{"ts":%q,"k":"key %d","v":%d}`+"\n", at.Format(time.RFC3339Nano), rng.IntN(10)*rng.IntN(3), i)
	}
	return text
}

func firstOther(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("\n got %s\nwant %s", got[i], want[i])
		}
	}
	return "one has more"
}
