package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What gives the same rows whatever its input comes from and however many share
// it. Records are those of equalRecords, no more than grace out of order.
var equalCommands = map[string][]string{
	"windows":  {"window", "--size", "10s", "--by", "k", "--agg", "count(),sum(v),p99(v),distinct(u)"},
	"keyed":    {"window", "--size", "10s", "--by", "k", "--agg", "count(),min(v),max(v)", "--keyed"},
	"all":      {"window", "--size", "10s", "--agg", "count(),sum(v)"},
	"hopping":  {"window", "--size", "20s", "--hop", "5s", "--by", "k", "--agg", "count(),avg(v)"},
	"gaps":     {"window", "--gap", "3s", "--by", "u", "--agg", "count(),sum(v)"},
	"sessions": {"sessionize", "--key", "u", "--gap", "3s", "--agg", "sum(v),first(v),last(k)"},
	"events":   {"sessionize", "--key", "u", "--gap", "3s", "--events"},
}

const equalGrace = 5 * time.Second

// TestBatchEqualsStream: the final rows over a file are those over a pipe, and those
// of one and of three members of a group over 1, 4 and 12 partitions.
func TestBatchEqualsStream(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	text := equalRecords(3000)
	file := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	widths, crowds := []int{1, 4, 12}, []int{1, 3}
	if raceDetector { // a process takes long to begin
		widths, crowds = []int{4}, []int{3}
	}
	inputs := map[int]string{}
	for _, partitions := range widths {
		inputs[partitions] = c.topic(t, partitions)
		c.logctl(t, bytes.NewReader(text), "produce", "-q", "--to", "kafka:"+inputs[partitions], "--key", "k")
	}
	for name, command := range equalCommands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command = append(slices.Clone(command), "-q", "--grace", equalGrace.String(), "--strict")
			want := sortedLines(c.logctl(t, nil, append(command, file)...))
			if got := sortedLines(c.logctl(t, bytes.NewReader(text), command...)); !slices.Equal(got, want) {
				t.Errorf("over a pipe: %d rows, want %d: %s", len(got), len(want), firstOther(got, want))
			}
			for partitions, in := range inputs {
				for _, members := range crowds {
					got := c.shared(t, append(command, "--from", "kafka:"+in), members)
					if !slices.Equal(got, want) {
						t.Errorf("%d members over %d partitions: %d rows, want %d: %s", members, partitions, len(got), len(want),
							firstOther(got, want))
					}
				}
			}
		})
	}
}

// shared runs a command as so many members of a group, to the end of its input,
// and returns the rows of all.
func (c *client) shared(t *testing.T, command []string, members int) []string {
	t.Helper()
	out := c.topic(t, 2)
	args := append(slices.Clone(command), "--group", out, "--stop", "end", "--to", "kafka:"+out)
	running := make([]*process, members)
	for i := range running {
		running[i] = c.start(t, nil, nil, args...)
	}
	for _, p := range running {
		p.end(t)
	}
	return sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end"))
}

// equalRecords returns n records, some thirty a second, of a few keys and of users
// who come in bursts. Their order is that of their times but for less than grace.
func equalRecords(n int) []byte {
	rng := rand.New(rand.NewPCG(7, 7))
	type line struct {
		at   time.Duration
		text string
	}
	lines := make([]line, n)
	for i := range lines {
		at := time.Duration(i) * 33 * time.Millisecond
		stamp := time.Unix(1_700_000_000, 0).Add(at).UTC().Format(time.RFC3339Nano)
		user := i/100*7 + rng.IntN(10)
		lines[i] = line{
			at + time.Duration(rng.Int64N(int64(equalGrace))),
			fmt.Sprintf(`{"ts":%q,"k":"key %d","u":"user %d","v":%d}`, stamp, rng.IntN(10)*rng.IntN(3), user%60, i),
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return int(a.at - b.at) })
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l.text + "\n")
	}
	return []byte(text.String())
}

// TestMoreMembersThanPartitions: those that are given nothing end too, when the
// work of the others is done.
func TestMoreMembersThanPartitions(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	text := equalRecords(1000)
	in := c.topic(t, 2)
	c.logctl(t, bytes.NewReader(text), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
	for _, name := range []string{"windows", "keyed"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := append(slices.Clone(equalCommands[name]), "-q", "--grace", equalGrace.String())
			want := sortedLines(c.logctl(t, bytes.NewReader(text), command...))
			for _, once := range []string{"at-least-once", "exactly-once"} {
				got := c.shared(t, append(command, "--from", "kafka:"+in, "--delivery", once), 5)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d rows, want %d: %s", once, len(got), len(want), firstOther(got, want))
				}
			}
		})
	}
}

// TestEndsOfEarlierRuns: a finite run that was killed may leave the ends of its
// input unread in the internal topic. They do not end the next run.
func TestEndsOfEarlierRuns(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	text := equalRecords(1000)
	half := bytes.LastIndexByte(text[:len(text)/2], '\n') + 1
	in, out := c.topic(t, 3), c.topic(t, 1)
	run := func(input []byte, more ...string) []string {
		c.logctl(t, bytes.NewReader(input), "produce", "-q", "--to", "kafka:"+in)
		args := append(slices.Clone(equalCommands["windows"]), "-q", "--from", "kafka:"+in, "--group", in, "--stop", "end")
		return sortedLines(c.logctl(t, nil, append(args, more...)...))
	}
	run(text[:half], "--to", "kafka:"+out)
	c.logctl(t, nil, "group", "reset", in+"-shuffle", "--to", "beginning") // as if none of it were read
	want := sortedLines(c.logctl(t, bytes.NewReader(text), append(slices.Clone(equalCommands["windows"]), "-q")...))
	if got := run(text[half:], "--reset"); !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d: %s", len(got), len(want), firstOther(got, want))
	}
}

// TestShuffledForOtherFields: what waits in the internal topic has only the fields
// that the run wanted which wrote it. Another does not take the others for missing.
func TestShuffledForOtherFields(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	in, out := c.topic(t, 3), c.topic(t, 1)
	c.logctl(t, bytes.NewReader(equalRecords(100)), "produce", "-q", "--to", "kafka:"+in)
	args := []string{
		"window", "-q", "--by", "k", "--from", "kafka:" + in, "--group", in, "--stop", "end", "--to", "kafka:" + out, "--agg",
	}
	c.logctl(t, nil, append(args, "sum(v)")...)
	c.logctl(t, nil, "group", "reset", in+"-shuffle", "--to", "beginning") // as if none of it were read
	other := c.start(t, nil, nil, append(args, "distinct(u)", "--reset")...)
	if err := other.Wait(); err == nil || !strings.Contains(other.errs.String(), "wanted other fields") {
		t.Errorf("it ends with %v: %s", err, other.errs.String())
	}
}
