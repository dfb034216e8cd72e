package main

import (
	"context"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestMaxMemory: a run between two topics takes no more memory than it may, with its
// output as complete as without a bound (which takes 110 MiB and more).
func TestMaxMemory(t *testing.T) {
	t.Parallel()
	if raceDetector || runtime.GOOS != "linux" {
		t.Skip("the race detector takes memory of its own; other systems count it in other units")
	}
	e := embed(t)
	from, to := e.topic(t, 8), e.topic(t, 4)
	e.logctl(t, nil, "produce", "-q", "--to", "kafka:"+from, "--partitioner", "round-robin", "--generate", "app",
		"--limit", "150000")
	cmd := e.command(context.WithoutCancel(t.Context()), nil, "consume", "--from", "kafka:"+from, "--stop", "end",
		"--max-memory", "96MiB", "--to", "kafka:"+to)
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "out 150,000, bad 0") {
		t.Fatalf("%v\n%s", err, said)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if kib := used.Maxrss; kib > 96<<10 {
		t.Errorf("it took up to %d KiB", kib)
	}
}
