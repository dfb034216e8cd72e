package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A trial is one log with the runs that read it.
type trial struct {
	growing
	bin, dir string
	rows     string // the file that rows go to, behind the name of the run
	flags    []string
	bound    []string // of the memory of the runs that are killed: none, or little
}

// killed is the name of the runs that are killed.
const killed = "killed"

var commands = []string{
	"window --size 10s --by user --agg count(),sum(ms),p99(ms),distinct(n)",
	"window --size 1m --hop 20s --agg count(),avg(ms),topk(user,3)",
	"window --slide --size 5s --by user --agg count(),sum(ms),p99(ms),last(n) --grace 1h",
	"window --gap 3s --by user --agg count(),max(ms)",
	"sessionize --key user --gap 5s --agg sum(ms),p99(ms)",
}

func newTrial(bin, dir string, rnd *rand.Rand) (*trial, error) {
	return &trial{
		growing: growing{path: filepath.Join(dir, "app.log"), rnd: rnd},
		bin:     bin,
		dir:     dir,
		rows:    []string{"-rows.ndjson", "-rows.ndjson.gz"}[rnd.IntN(2)],
		flags:   strings.Fields(commands[rnd.IntN(len(commands))]),
		bound:   [][]string{nil, {"--max-memory", "4KiB"}}[rnd.IntN(2)],
	}, os.MkdirAll(dir, 0o700)
}

// run kills logctl so many times, lets it come to an end, and compares.
func (t *trial) run(kills int) error {
	if err := t.grow(100); err != nil {
		return err
	}
	if err := t.finish(killed, "app.log"); err != nil { // a log that no run has seen is not found when it is rotated
		return err
	}
	for t.kills < kills {
		if err := t.disturb(); err != nil {
			return err
		}
		if err := t.interrupt(); err != nil {
			return err
		}
	}
	if err := t.grow(1); err != nil {
		return err
	}
	if err := t.finish(killed, "app.log", "--flush"); err != nil {
		return err
	}
	files, err := t.files()
	if err != nil {
		return err
	}
	if err := t.finish("unbroken", append(files, "--flush")...); err != nil {
		return err
	}
	return t.compare()
}

// command returns a run; those of a name share checkpoint and outputs. With its
// --idle, what is late does not depend on how long the clock has waited.
func (t *trial) command(name string, args ...string) *exec.Cmd {
	flags := t.flags
	if name == killed {
		flags = slices.Concat(flags, t.bound)
	}
	cmd := exec.CommandContext(context.Background(), t.bin, slices.Concat(flags, []string{
		"-q", "--idle", "1ms", "--checkpoint", name + ".ckpt", "--to", name + t.rows,
		"--late", name + "-late.ndjson", "--dlq", name + "-dead.ndjson",
	}, args)...)
	cmd.Dir = t.dir
	return cmd
}

// finish has a run come to its end.
func (t *trial) finish(name string, args ...string) error {
	if out, err := t.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("the %s run: %w\n%s", name, err, out)
	}
	return nil
}

// disturb lets the log grow and be rotated between two runs.
func (t *trial) disturb() error {
	for range t.rnd.IntN(3) {
		if err := t.grow(t.rnd.IntN(2000)); err != nil {
			return err
		}
		if t.rnd.IntN(3) == 0 {
			if err := t.rotate(); err != nil {
				return err
			}
		}
	}
	return t.grow(t.rnd.IntN(500))
}

// interrupt starts a run and kills it: at once, when it commits, or later. Some runs
// follow the log, which then goes on to grow and may be rotated once.
func (t *trial) interrupt() error {
	args := []string{"app.log"}
	if t.rnd.IntN(3) > 0 {
		args = append(args, "-f")
	}
	cmd, out := t.command(killed, args...), new(bytes.Buffer)
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	aimed := false
	switch t.rnd.IntN(4) {
	case 0:
		t.live(ended, time.Duration(t.rnd.IntN(80))*time.Millisecond, nil)
	case 1:
		t.live(ended, time.Duration(t.rnd.IntN(1500))*time.Millisecond, nil)
	default:
		aimed = t.live(ended, 2*time.Second, t.grown())
		time.Sleep(time.Duration(t.rnd.IntN(3000)) * time.Microsecond)
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	err := <-ended
	if cmd.ProcessState.Exited() {
		if err != nil {
			return fmt.Errorf("a run: %w\n%s", err, out)
		}
		return nil
	}
	t.kills++
	if aimed {
		t.aimed++
	}
	return nil
}

// grown returns what tells that the outputs or the checkpoint have changed.
func (t *trial) grown() func() bool {
	size := func() (sum int64) {
		for _, name := range []string{t.rows, ".ckpt-wal"} {
			if info, err := os.Stat(filepath.Join(t.dir, killed+name)); err == nil {
				sum += info.Size()
			}
		}
		return sum
	}
	before := size()
	return func() bool { return size() != before }
}

// live lets the log grow for a while, until the run has ended, or until something
// has happened, which it reports.
func (t *trial) live(ended chan error, d time.Duration, happened func() bool) bool {
	end, rotate := time.Now().Add(d), t.rnd.IntN(2) == 0
	for n := 0; time.Now().Before(end); n++ {
		if len(ended) > 0 {
			return false
		}
		if happened != nil && happened() {
			return true
		}
		time.Sleep(300 * time.Microsecond)
		if n%100 != 99 {
			continue
		}
		err := t.grow(t.rnd.IntN(200))
		if err == nil && rotate && t.rnd.IntN(10) == 0 {
			rotate = false
			if err = t.rotate(); err == nil {
				err = t.grow(1) // a run that begins now looks for the file
			}
		}
		if err != nil {
			return false
		}
	}
	return false
}
