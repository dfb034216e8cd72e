package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// inGroups makes trials of groups over one cluster.
func inGroups(bin, dir string, seed uint64, most limits) error {
	c, err := startCluster(dir)
	if err == nil {
		err = trials(dir, seed, most, func(dir string, rnd *rand.Rand, kills int) (tally, error) {
			t, err := newGroupTrial(bin, dir, c, rnd)
			if err == nil {
				err = t.run(kills)
			}
			t.nodes, c.kills = c.kills, 0
			return t.tally, err
		})
	}
	return errors.Join(err, c.stop())
}

// A groupTrial is a group that reads a topic and writes exactly once: three instances
// another topic, or one a table of SQLite.
type groupTrial struct {
	tally
	cluster   *cluster
	rnd       *rand.Rand
	bin, dir  string
	in, out   string // topics
	table     string // where the rows go instead of to out; "" for out
	flags     []string
	instances []*instance
}

// groupCommands group by the topic's key, or by another one so that records are taken
// to the partition of their group.
var groupCommands = []string{
	"window --size 10s --by k --agg count(),sum(v),p99(v) --keyed",
	"window --size 10s --by k --agg count(),sum(v),distinct(v)",
	"window --size 1m --hop 20s --by k --agg count(),avg(v)",
	"sessionize --key k --gap 5s --agg sum(v)",
}

func newGroupTrial(bin, dir string, c *cluster, rnd *rand.Rand) (*groupTrial, error) {
	name := "crash-" + filepath.Base(dir)
	t := &groupTrial{
		cluster: c, rnd: rnd, bin: bin, dir: dir, in: name + "-in", out: name + "-out", instances: make([]*instance, 3),
		flags: append(strings.Fields(groupCommands[rnd.IntN(len(groupCommands))]), "--grace", "1d"),
	}
	if rnd.IntN(3) == 0 {
		t.table, t.instances = "sqlite:"+filepath.Join(dir, "rows.db")+"#rows", t.instances[:1]
	}
	return t, os.MkdirAll(dir, 0o700)
}

// perKill is how many records there are for each kill: about a second's worth.
const perKill = 4000

// run kills instances, and now and then a node, while records come, and compares what
// a reader of committed rows finds with the rows of one run over all records.
func (t *groupTrial) run(kills int) error {
	if err := t.write(kills * perKill); err != nil {
		return err
	}
	for _, topic := range []string{t.in, t.out} {
		if _, err := t.logctl("topic", "create", topic, "--partitions", "4"); err != nil {
			return err
		}
	}
	rate := fmt.Sprint(perKill, "/s")
	feed, err := t.start("produce", "-q", "--to", "kafka:"+t.in, "--key", "k", "--rate", rate,
		"--timeout", "10m", t.file())
	if err != nil {
		return err
	}
	defer feed.stop()
	for i := range t.instances {
		if t.instances[i], err = t.start(t.member()...); err != nil {
			return err
		}
		defer func() { t.instances[i].stop() }()
	}
	for t.kills < kills {
		time.Sleep(time.Duration(t.rnd.IntN(2000)) * time.Millisecond)
		if err := cmp.Or(t.cluster.disturb(t.rnd), t.kill(t.rnd.IntN(len(t.instances)))); err != nil {
			return err
		}
	}
	if err := cmp.Or(t.cluster.mend(), feed.wait()); err != nil {
		return err
	}
	return cmp.Or(t.end(), t.compare())
}

// write makes the records.
func (t *groupTrial) write(n int) error {
	var text []byte
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at = at.Add(time.Duration(t.rnd.IntN(200)) * time.Millisecond)
		stamp, key := at.Format(time.RFC3339Nano), t.rnd.IntN(5)*t.rnd.IntN(5)
		text = fmt.Appendf(text, "{\"ts\":%q,\"k\":\"key %d\",\"v\":%d}\n", stamp, key, i)
	}
	t.lines = n
	return os.WriteFile(t.file(), text, 0o600)
}

func (t *groupTrial) file() string { return filepath.Join(t.dir, "in.ndjson") }

// member returns the command line of an instance.
func (t *groupTrial) member() []string {
	return slices.Concat(t.flags, []string{
		"--from", "kafka:" + t.in, "--group", t.in, "--delivery", "exactly-once", "--to", cmp.Or(t.table, "kafka:"+t.out),
	})
}

// kill kills an instance and starts it again. One that begins in the moment when a
// node dies may have ended by itself.
func (t *groupTrial) kill(i int) error {
	t.instances[i].stop()
	_ = t.instances[i].wait()
	if !t.instances[i].cmd.ProcessState.Exited() {
		t.kills++
	}
	var err error
	t.instances[i], err = t.start(t.member()...)
	return err
}

// end interrupts the instances, and has another one read what is left.
func (t *groupTrial) end() error {
	time.Sleep(time.Second) // a process that has just begun does not hear an interrupt
	var failed error
	for _, i := range t.instances {
		failed = errors.Join(failed, i.cmd.Process.Signal(os.Interrupt))
	}
	for _, i := range t.instances {
		failed = errors.Join(failed, i.wait())
	}
	if failed != nil {
		return failed
	}
	_, err := t.logctl(append(t.member(), "--stop", "end")...)
	if err != nil { // the node that was started last may not answer yet
		_, err = t.logctl(append(t.member(), "--stop", "end")...)
	}
	return err
}

func (t *groupTrial) compare() error {
	written := []string{"--from", "kafka:" + t.out, "--stop", "end"}
	if t.table != "" {
		written = []string{t.table}
	}
	got, err := t.logctl(append([]string{"consume", "-q"}, written...)...)
	if err != nil {
		return err
	}
	want, err := t.logctl(slices.Concat(t.flags, []string{"-q", t.file()})...)
	if err != nil {
		return err
	}
	rows, wanted := sortedLines(got), sortedLines(want)
	if t.rows = len(wanted); !slices.Equal(rows, wanted) || t.rows == 0 {
		err := errors.Join(os.WriteFile(filepath.Join(t.dir, "got"), got, 0o600),
			os.WriteFile(filepath.Join(t.dir, "want"), want, 0o600))
		return errors.Join(fmt.Errorf("%q: %d rows, want %d, or others", t.member(), len(rows), len(wanted)), err)
	}
	return nil
}

func sortedLines(text []byte) []string { return slices.Sorted(strings.Lines(string(text))) }

// logctl runs a command line to its end and returns what it writes.
func (t *groupTrial) logctl(args ...string) ([]byte, error) {
	cmd, errs := t.command(args...), new(bytes.Buffer)
	cmd.Stderr = errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("logctl %q: %w\n%s", args, err, errs)
	}
	return out, err
}

func (t *groupTrial) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), t.bin, args...)
	cmd.Env = append(os.Environ(), "LOGCTL_BROKERS="+t.cluster.brokers, "XDG_STATE_HOME="+filepath.Join(t.dir, "state"))
	return cmd
}

// An instance is a command line that runs.
type instance struct {
	cmd   *exec.Cmd
	errs  bytes.Buffer
	ended chan error // once
}

func (t *groupTrial) start(args ...string) (*instance, error) {
	i := &instance{cmd: t.command(args...), ended: make(chan error, 1)}
	i.cmd.Stderr = &i.errs
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { i.ended <- i.cmd.Wait() }()
	return i, nil
}

// stop kills it, where it has not ended.
func (i *instance) stop() { _ = i.cmd.Process.Kill() }

// wait waits until it ends, which it must do well.
func (i *instance) wait() error {
	if err := <-i.ended; err != nil {
		return fmt.Errorf("logctl %q: %w\n%s", i.cmd.Args[1:], err, i.errs.String())
	}
	return nil
}
