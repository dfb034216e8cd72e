package main

import (
	"strings"
	"testing"
	"time"
)

// TestReplayKilled: a replay is killed at random moments and begun again, until
// nothing is left. Every letter is back in its topic once, in the order of its
// key.
func TestReplayKilled(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dead := e.topic(t, 3), e.topic(t, 2)
	kills := crashes(t) / 2
	n := 3000 + 2250*kills // more than they have the time for
	e.logctl(t, strings.NewReader(string(numbers(0, n))), "produce", "--to", "kafka:"+topic, "--key", "str(n % 10)")
	e.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end", "--dlq", "kafka:"+dead, "--group", "g",
		"--exec", `sed -u 's/.*/{"ack":"fail","error":"down"}/'`)
	args := []string{"dlq", "replay", "--from", "kafka:" + dead, "--rate", "1500/s"}
	for range kills {
		p := e.start(t, nil, nil, args...)
		time.Sleep(500*time.Millisecond + randomMoment())
		p.killed(t)
	}
	first := e.logctl(t, nil, "dlq", "replay", "--from", "kafka:"+dead, "--dry-run")
	e.logctl(t, nil, "dlq", "replay", "--from", "kafka:"+dead)
	back := e.logctl(t, nil, "consume", "-q", "--from", "kafka:"+topic, "--stop", "end", "--where",
		`has(n)`, "--template", `%h %v\n`)
	seen := new(tally)
	last := map[int]int{}
	for line := range strings.Lines(back) {
		value, ok := strings.CutPrefix(line, "logctl-replayed=1 ")
		if !ok {
			continue
		}
		seen.count(t, []byte(value))
		m := number2(t, value)
		if before, ok := last[m%10]; ok && m < before {
			t.Errorf("%d came back behind %d", m, before)
		}
		last[m%10] = m
	}
	missing, again := seen.sum(n)
	t.Logf("%d letters were left by the killed ones", strings.Count(first, "\n"))
	if missing > 0 || again > 0 {
		t.Errorf("of %d letters %d did not come back, %d came twice", n, missing, again)
	}
}

// TestReplayStopsWhenLettersComeBack: what is replayed fails again after a while:
// the breaker stops the replay, and what was not sent waits for the next one.
func TestReplayStopsWhenLettersComeBack(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dead := e.topic(t, 1), e.topic(t, 1)
	const n = 2000
	e.logctl(t, strings.NewReader(string(numbers(0, n))), "produce", "--to", "kafka:"+topic)
	consume := func(script string, more ...string) []string {
		return append([]string{
			"consume", "--from", "kafka:" + topic, "--group", "g", "--dlq", "kafka:" + dead, "--exec", "sed -u '" + script + "'",
		}, more...)
	}
	e.logctl(t, nil, consume(`s/.*/{"ack":"fail","error":"down"}/`, "--stop", "end")...)
	p := e.start(t, nil, nil, consume(`501,$ s/.*/{"ack":"fail","error":"down again"}/`)...) // the first 500 are fine
	e.haveMembers(t, "g", 1)
	r := e.run(t, nil, nil, "dlq", "replay", "--from", "kafka:"+dead, "--rate", "150/s", "--breaker", "50")
	p.interrupt(t)
	if r.status != 1 || !strings.Contains(r.errs, "replayed letters come back: ") {
		t.Errorf("status %d: %s", r.status, r.errs)
	}
	left := strings.Count(e.logctl(t, nil, "dlq", "ls", "--from", "kafka:"+dead, "--limit", "0"), "\n")
	if left < 1 || left >= n {
		t.Errorf("%d letters wait", left)
	}
	stats := e.logctl(t, nil, "dlq", "stats", "--from", "kafka:"+dead)
	if !strings.Contains(stats, "replayed letters") {
		t.Errorf("nothing is said of those that came back: %s", stats)
	}
}

// TestAutoOutlivesAnOutage: a replay that goes on and on says that the cluster is
// gone, and replays what has died since when it is back.
func TestAutoOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, dead := e.topic(t, 1), e.topic(t, 1)
	die := func(lo, hi int) {
		e.logctl(t, strings.NewReader(string(numbers(lo, hi))), "produce", "--to", "kafka:"+topic)
		e.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end", "--group", "g", "--dlq", "kafka:"+dead,
			"--retry", "0", "--exec", `sed -u 's/.*/{"ack":"retry","error":"busy"}/'`)
	}
	die(0, 10)
	p := e.start(t, nil, nil, "dlq", "replay", "--from", "kafka:"+dead, "--auto", "transient", "--every", "200ms")
	said := func(what string) func() bool {
		return func() bool { return strings.Contains(p.errs.String(), what) }
	}
	eventually(t, "the first are replayed", said("10 of 10 letters replayed"))
	e.broker.crash(t)
	eventually(t, "it says that the cluster is gone", said("; the next attempt is in 200ms"))
	e.restart(t)
	die(10, 20)
	eventually(t, "what has died since is replayed", func() bool {
		return e.logctl(t, nil, "dlq", "ls", "--from", "kafka:"+dead) == ""
	})
	p.interrupt(t)
}

// number2 returns the number of a line.
func number2(t *testing.T, line string) (n int) {
	t.Helper()
	m := numbered.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("no number in %q", line)
	}
	for _, c := range m[1] {
		n = 10*n + int(c-'0')
	}
	return n
}
