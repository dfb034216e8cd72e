package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestGroupCopyKilled: a member without a copy of the state on its machine reads it
// from the changelog, commits, is killed and goes on with the copy that it has made
// by then; and so on. The rows are those of one run over a file.
func TestGroupCopyKilled(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	for name, command := range map[string][]string{
		"windows":  {"window", "--size", "10s", "--by", "k", "--agg", "count(),sum(v)", "--grace", "1s", "--keyed"},
		"sessions": {"sessionize", "--key", "k", "--gap", "2s", "--agg", "sum(v)", "--grace", "1s"},
	} {
		t.Run(name, func(t *testing.T) { groupCopyKilled(t, c, command, crashes(t)) })
	}
}

// groupCopyKilled: see TestGroupCopyKilled. Windows and sessions end all the while, so
// that entries of the state go as well as come: what is gone must not come back.
func groupCopyKilled(t *testing.T, c *client, command []string, crashes int) {
	t.Helper()
	in, out := c.topic(t, 1), c.topic(t, 1)
	text := keyedRecords(600 * (crashes + 1))
	want := sortedLines(c.logctl(t, bytes.NewReader(text), append(slices.Clone(command), "-q", "--strict")...))
	args := append(slices.Clone(command), "--from", "kafka:"+in, "--group", in, "--delivery", "exactly-once", "--to", "kafka:"+out)
	state := filepath.Join(c.home, "state", "logctl")
	for i, part := range parts(text, crashes+1) {
		if i == crashes {
			c.logctl(t, bytes.NewReader(part), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
			break
		}
		if i%2 == 0 {
			removeCopies(t, state)
		}
		p := c.start(t, nil, nil, args...)
		c.logctl(t, bytes.NewReader(part), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
		eventually(t, "it has committed all", func() bool {
			return c.run(t, nil, nil, "group", "lag", in, "--max-lag", "0").status == 0
		})
		if i%3 == 2 {
			time.Sleep(randomMoment())
		}
		p.crash(t)
	}
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	got := sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end"))
	if !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d; the first that differs: %s", len(got), len(want), firstOther(got, want))
	}
}

// parts cuts text into n parts of whole lines.
func parts(text []byte, n int) [][]byte {
	lines := slices.Collect(bytes.Lines(text))
	var cut [][]byte
	for some := range slices.Chunk(lines, (len(lines)+n-1)/n) {
		cut = append(cut, bytes.Join(some, nil))
	}
	return cut
}

// removeCopies removes the copies of state under a directory, and nothing else.
func removeCopies(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), "state.db") {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}
