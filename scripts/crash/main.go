// Crash proves that a run with --checkpoint survives kill -9: it has logctl read
// a log that grows and is rotated, kills it at random moments, starts it again, and
// in the end compares what was written with what one run over everything writes,
// byte for byte.
//
//	go run ./scripts/crash -for 1h
//
// With -kafka it is three instances of a group that are killed, or one that writes to
// SQLite, and nodes of an Apache Kafka of three that is started for it: --delivery
// exactly-once, rows compared with those of one run over a file. It runs in the root of
// the repository.
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
	kafka := flag.Bool("kafka", false, "kill instances of a group, and nodes of an Apache Kafka")
	flag.Parse()
	if err := run(*bin, *seed, limits{*kills, *duration}, *kafka); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// limits say when to end.
type limits struct {
	kills    int
	duration time.Duration
}

// run makes trials one after the other, in a directory that stays where one fails.
func run(bin string, seed uint64, most limits, kafka bool) error {
	dir, err := os.MkdirTemp("", "logctl-crash-")
	if err != nil {
		return err
	}
	if bin == "" {
		bin, err = build(dir)
	} else {
		bin, err = filepath.Abs(bin) // runs have directories of their own
	}
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n", seed)
	if kafka {
		err = inGroups(bin, dir, seed, most)
	} else {
		err = trials(dir, seed, most, func(dir string, rnd *rand.Rand, kills int) (tally, error) {
			t, err := newTrial(bin, dir, rnd)
			if err == nil {
				err = t.run(kills)
			}
			return t.tally, err
		})
	}
	if err != nil {
		return fmt.Errorf("seed %d, files in %s: %w", seed, dir, err)
	}
	return os.RemoveAll(dir)
}

// trials makes trials until there were enough.
func trials(dir string, seed uint64, most limits, trial func(string, *rand.Rand, int) (tally, error)) error {
	total, end := tally{}, time.Now().Add(most.duration)
	for n := uint64(0); total.kills < most.kills && time.Now().Before(end); n++ {
		dir, rnd := filepath.Join(dir, fmt.Sprint(n)), rand.New(rand.NewPCG(seed, n))
		t, err := trial(dir, rnd, min(most.kills-total.kills, 5+rnd.IntN(30)))
		if err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
		total.add(t)
		fmt.Println(total)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// build builds logctl.
func build(dir string) (string, error) {
	bin := filepath.Join(dir, "logctl")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", bin, "github.com/logctl/logctl/cmd/logctl")
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
}

// A tally counts what was done.
type tally struct{ kills, aimed, nodes, rotations, lines, rows int }

// String says what was done.
func (t tally) String() string {
	return fmt.Sprintf("%d kills, %d of them while something was committed, %d of nodes; %d rotations; "+
		"%d lines read, %d rows equal", t.kills, t.aimed, t.nodes, t.rotations, t.lines, t.rows)
}

func (t *tally) add(o tally) {
	t.nodes += o.nodes
	t.kills += o.kills
	t.aimed += o.aimed
	t.rotations += o.rotations
	t.lines += o.lines
	t.rows += o.rows
}
