// Crash proves that a run with --checkpoint survives kill -9: it has logctl read
// a log that grows and is rotated, kills it at random moments, starts it again, and
// in the end compares what was written with what one run over everything writes,
// byte for byte.
//
//	go run ./scripts/crash -for 1h
//
// It says what it has done every few seconds, and ends with status 1 at the first
// difference, whose files it keeps.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	duration := flag.Duration("for", time.Minute, "how long to go on")
	kills := flag.Int("kills", 1<<30, "end after so many kills")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments and logs")
	bin := flag.String("logctl", "", "the program; by default it is built")
	flag.Parse()
	if err := run(*bin, *seed, *kills, *duration); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(bin string, seed uint64, kills int, duration time.Duration) error {
	dir, err := os.MkdirTemp("", "logctl-crash-")
	if err != nil {
		return err
	}
	if bin == "" {
		if bin, err = build(dir); err != nil {
			return err
		}
	}
	fmt.Printf("seed %d\n", seed)
	end := time.Now().Add(duration)
	total := tally{}
	for n := uint64(0); total.kills < kills && time.Now().Before(end); n++ {
		t, err := newTrial(bin, filepath.Join(dir, fmt.Sprint(n)), rand.New(rand.NewPCG(seed, n)))
		if err == nil {
			err = t.run(min(kills-total.kills, 5+t.rnd.IntN(30)))
		}
		if err != nil {
			return fmt.Errorf("seed %d, trial %d, files in %s: %w", seed, n, dir, err)
		}
		total.add(t.tally)
		fmt.Printf("%d kills, %d of them while something was committed, %d rotations; %d lines read, %d rows equal\n",
			total.kills, total.aimed, total.rotations, total.lines, total.rows)
		if err := os.RemoveAll(t.dir); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

// build builds logctl.
func build(dir string) (string, error) {
	bin := filepath.Join(dir, "logctl")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", bin, "github.com/logctl/logctl/cmd/logctl")
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
}

// A tally counts what was done.
type tally struct{ kills, aimed, rotations, lines, rows int }

func (t *tally) add(o tally) {
	t.kills += o.kills
	t.aimed += o.aimed
	t.rotations += o.rotations
	t.lines += o.lines
	t.rows += o.rows
}
