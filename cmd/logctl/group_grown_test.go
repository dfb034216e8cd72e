package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// What a group says of a topic that was given partitions.
const (
	grewNow    = "had 2 partitions when this run began, and now has 4"
	grewBefore = "over 2 partitions, and now there are 4"
)

// TestGroupGrown: where keys are in other partitions than their state, a group stops,
// and does not begin again but anew.
func TestGroupGrown(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	for name, topics := range map[string][]string{
		"keyed":    {"", "-state"},                 // the input, and then as if its state had as many
		"windows":  {"-shuffle", "-shuffle-state"}, // the internal topic
		"sessions": {"-shuffle", "-shuffle-state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := c.topic(t, 2)
			args := append(slices.Clone(groupCommands[name]), "--from", "kafka:"+in, "--group", in, "--to", "null:")
			c.logctl(t, bytes.NewReader(keyedRecords(500)), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
			c.logctl(t, nil, append(args, "--stop", "end")...)
			members := []*process{c.start(t, nil, nil, args...), c.start(t, nil, nil, args...)}
			c.shareOut(t, in, members)
			c.logctl(t, nil, "topic", "alter", in+topics[0], "--partitions", "4")
			for _, m := range members {
				m.fails(t, grewNow, "--reset")
			}
			for _, topic := range topics { // altered one after the other
				if topic != topics[0] {
					c.logctl(t, nil, "topic", "alter", in+topic, "--partitions", "4")
				}
				c.start(t, nil, nil, append(args, "--stop", "end")...).fails(t, grewBefore, "--reset")
			}
			c.logctl(t, nil, append(args, "--stop", "end", "--reset")...)
			c.logctl(t, nil, append(args, "--stop", "end")...)
		})
	}
}

// TestGroupGrownTable: so it is with a state that is kept beside the rows.
func TestGroupGrownTable(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	in, db := c.topic(t, 2), "sqlite:"+t.TempDir()+"/rows.db#rows"
	args := append(slices.Clone(groupCommands["keyed"]), "--from", "kafka:"+in, "--group", in, "--to", db,
		"--delivery", "exactly-once", "--stop", "end")
	c.logctl(t, bytes.NewReader(keyedRecords(500)), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
	c.logctl(t, nil, args...)
	c.logctl(t, nil, "topic", "alter", in, "--partitions", "4")
	c.start(t, nil, nil, args...).fails(t, grewBefore, "--reset")
	c.logctl(t, nil, append(args, "--reset")...)
}

// TestGroupGrownShuffled: where records are taken to the partition of their group, the
// input may be given partitions. Members stop, and started again give the rows of all.
func TestGroupGrownShuffled(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	text := keyedRecords(4000)
	half := bytes.LastIndexByte(text[:len(text)/2], '\n') + 1
	for _, name := range []string{"windows", "sessions"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, out := c.topic(t, 2), c.topic(t, 2)
			command := groupCommands[name]
			want := sortedLines(c.logctl(t, bytes.NewReader(text), append(slices.Clone(command), "-q")...))
			args := append(slices.Clone(command), "--from", "kafka:"+in, "--group", in, "--delivery", "exactly-once", "--to", "kafka:"+out)
			members := []*process{c.start(t, nil, nil, args...), c.start(t, nil, nil, args...)}
			c.logctl(t, bytes.NewReader(text[:half]), "produce", "-q", "--to", "kafka:"+in)
			c.shareOut(t, in, members)
			c.logctl(t, nil, "topic", "alter", in, "--partitions", "4")
			for _, m := range members {
				m.fails(t, grewNow, "started again")
			}
			c.logctl(t, bytes.NewReader(text[half:]), "produce", "-q", "--to", "kafka:"+in)
			c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
			got := sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+out, "--stop", "end"))
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, want %d; the first that differs: %s", len(got), len(want), firstOther(got, want))
			}
		})
	}
}

// shareOut waits until each of the members has a partition of each group that they
// are in.
func (c *client) shareOut(t *testing.T, name string, members []*process) {
	t.Helper()
	groups := []string{name}
	if strings.Contains(c.logctl(t, nil, "topic", "ls"), name+"-shuffle") {
		groups = append(groups, name+"-shuffle")
	}
	for _, group := range groups {
		eventually(t, "all are at work", func() bool {
			r := c.run(t, nil, nil, "group", "describe", group)
			return strings.Count(r.out, `"partitions":1`) == len(members)
		})
	}
}

// fails waits for the end of a process, which must say what it failed of.
func (p *process) fails(t *testing.T, said ...string) {
	t.Helper()
	_ = p.Wait() // the status says it
	if p.ProcessState.ExitCode() != 1 {
		t.Errorf("logctl %q ended with %d, want 1: %s", p.args, p.ProcessState.ExitCode(), p.errs.String())
	}
	for _, s := range said {
		if !strings.Contains(p.errs.String(), s) {
			t.Errorf("logctl %q: want %q in\n%s", p.args, s, p.errs.String())
		}
	}
}
