package main

import (
	"strings"
	"testing"
)

// TestMaxMemory: a run between two topics takes no more memory than it may, with its
// output as complete as without a bound (which takes 110 MiB and more).
func TestMaxMemory(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("the race detector takes memory of its own")
	}
	e := embed(t)
	from, to := e.topic(t, 8), e.topic(t, 4)
	e.logctl(t, nil, "produce", "-q", "--to", "kafka:"+from, "--partitioner", "round-robin", "--generate", "app",
		"--limit", "150000")
	p := e.start(t, nil, nil, "consume", "--from", "kafka:"+from, "--max-memory", "96MiB", "--to", "kafka:"+to)
	e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+to, "--limit", "150000", "--to", "null:")
	if most := highWater(t, p.Process.Pid); most > 96<<20 {
		t.Errorf("it took up to %d bytes", most)
	}
	p.interrupt(t)
	if said := p.errs.String(); !strings.Contains(said, "out 150,000, bad 0") {
		t.Error(said)
	}
}
