package main

import (
	"cmp"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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
	args := []string{"sessionize", "--key", "service", "--gap", "20s", "--grace", "24h"}
	want := objects(t, command(t, lines, append(args, "-q")...))

	in, feed := io.Pipe()
	p := c.start(t, in, nil, append(args, "--emit", "update", "--every", "1ms", "--to", to, "--listen", "127.0.0.1:0")...)
	url, written := listensAt(t, p), regexp.MustCompile(`(?m)^logctl_records_out_total (\S+)$`)
	for some := range slices.Chunk(slices.Collect(strings.Lines(lines)), 2000) {
		_, before := get(t, url+"/metrics")
		if _, err := io.WriteString(feed, strings.Join(some, "")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "updates are written", func() bool {
			_, now := get(t, url+"/metrics")
			return !slices.Equal(written.FindStringSubmatch(now), written.FindStringSubmatch(before))
		})
	}
	_ = feed.Close() // of a pipe in memory
	p.end(t)
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
