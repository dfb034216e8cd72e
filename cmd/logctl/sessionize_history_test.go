package main

import (
	"cmp"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestSessionHistory: sessions written into a table while they change, those that
// became part of others taken back, are in the end those of a run that writes each
// when it is closed.
func TestSessionHistory(t *testing.T) {
	t.Parallel()
	c := &client{home: t.TempDir(), addrs: []string{"none:1"}}
	to := "sqlite:" + filepath.Join(t.TempDir(), "db") + "#sessions"
	sessionHistory(t, c, to, func() string { return c.logctl(t, nil, "consume", to) })
}

// sessionHistory compares the table to, whose rows read returns as NDJSON.
func sessionHistory(t *testing.T, c *client, to string, read func() string) {
	t.Helper()
	lines := command(t, "", "produce", "-q", "--to", "-", "--generate", "http", "--limit", "8000", "--seed", "3",
		"--event-step", "1s", "--disorder-share", "0.4", "--late-share", "0.1")
	args := []string{"sessionize", "-q", "--key", "service", "--gap", "20s", "--grace", "24h"}
	want := objects(t, command(t, lines, args...))

	in, feed := io.Pipe()
	go func() {
		for rest := strings.SplitAfter(lines, "\n"); len(rest) > 0; {
			n := min(len(rest), 2000)
			_, _ = io.WriteString(feed, strings.Join(rest[:n], "")) // a run that has ended reads no more
			rest = rest[n:]
			time.Sleep(400 * time.Millisecond) // for updates to be written
		}
		_ = feed.Close()
	}()
	c.logctl(t, in, append(args, "--emit", "update", "--every", "1ms", "--to", to)...)
	retracted := 0
	var got []map[string]any
	for _, row := range objects(t, read()) {
		if row["op"] == "retract" {
			retracted++
			continue
		}
		delete(row, "op")
		delete(row, "final")
		got = append(got, row)
	}
	t.Logf("%d sessions, %d retracted", len(got), retracted)
	for _, rows := range [][]map[string]any{got, want} {
		slices.SortFunc(rows, func(a, b map[string]any) int {
			return cmp.Compare(a["session_id"].(string), b["session_id"].(string))
		})
	}
	if d := gocmp.Diff(want, got); d != "" || retracted == 0 {
		t.Errorf("%d were retracted; -closed +updated\n%.3000s", retracted, d)
	}
}
