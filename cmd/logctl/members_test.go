package main

import (
	"bytes"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"
)

// arrivals are the records that the members of a group print, and when: whose each
// partition is, and for how long it was silent at most.
type arrivals struct {
	mu      sync.Mutex
	seen    tally
	owner   map[string]int // of partitions: the member that has printed last
	last    map[string]time.Time
	silence map[string]time.Duration
}

func newArrivals() *arrivals {
	return &arrivals{owner: map[string]int{}, last: map[string]time.Time{}, silence: map[string]time.Duration{}}
}

// printed is where one member prints: partition and value, a line each.
type printed struct {
	t      *testing.T
	all    *arrivals
	member int
	rest   []byte
}

func (p *printed) Write(text []byte) (int, error) {
	p.rest = append(p.rest, text...)
	end := bytes.LastIndexByte(p.rest, '\n') + 1
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	now := time.Now()
	for line := range bytes.Lines(p.rest[:end]) {
		part, value, _ := bytes.Cut(line, []byte(" "))
		p.all.note(string(part), p.member, now)
		p.all.seen.count(p.t, value)
	}
	p.rest = append(p.rest[:0], p.rest[end:]...)
	return len(text), nil
}

func (a *arrivals) note(part string, member int, now time.Time) {
	if before, ok := a.last[part]; ok {
		a.silence[part] = max(a.silence[part], now.Sub(before))
	}
	a.owner[part], a.last[part] = member, now
}

// begin begins to measure anew, and returns whose the partitions are and the longest
// silence so far.
func (a *arrivals) begin() (owners map[string]int, longest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for part, d := range a.silence {
		longest = max(longest, d)
		delete(a.silence, part)
	}
	return maps.Clone(a.owner), longest
}

// shares reports whether so many members have printed last of some partition, of
// all partitions.
func (a *arrivals) shares(members, partitions int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	have := map[int]bool{}
	for _, m := range a.owner {
		have[m] = true
	}
	return len(have) == members && len(a.owner) == partitions
}

// kept returns the longest silence of the partitions whose member is still the same.
func (a *arrivals) kept(owners map[string]int) (longest time.Duration, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for part, m := range owners {
		if a.owner[part] == m {
			n++
			longest = max(longest, a.silence[part], time.Since(a.last[part]))
		}
	}
	return longest, n
}

// join starts another member of a group, named as the topic is.
func (a *arrivals) join(t *testing.T, c *client, topic string, member int) *process {
	t.Helper()
	return c.start(t, nil, &printed{t: t, all: a, member: member}, "consume", "--from", "kafka:"+topic, "--group", topic,
		"--instance-id", "member-"+strconv.Itoa(member), "--template", `%p %v\n`)
}

// start has so many members share the partitions of a topic.
func (a *arrivals) start(t *testing.T, c *client, topic string, n, partitions int) (members []*process) {
	t.Helper()
	for m := range n {
		members = append(members, a.join(t, c, topic, m))
	}
	eventually(t, "all share the partitions", func() bool { return a.shares(n, partitions) })
	return members
}

// complete ends the feed and waits until all its records were printed.
func (a *arrivals) complete(t *testing.T, f *feed) {
	t.Helper()
	n := f.end(t)
	eventually(t, "all records are read", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		missing, _ := a.seen.sum(n)
		return missing == 0
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	_, again := a.seen.sum(n)
	t.Logf("%d records, %d came again", n, again)
}

// TestMemberKilled: one of three members is killed and does not come back. The others
// go on with what is theirs, take over what was its, and no record is lost.
func TestMemberKilled(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, seen := e.topic(t, 6), newArrivals()
	f := e.feed(t, topic, 1000)
	members := seen.start(t, &e.client, topic, 3, 6)
	owners, _ := seen.begin()
	members[2].crash(t)
	killed := time.Now()
	eventually(t, "two share the partitions", func() bool { return seen.shares(2, 6) })
	idle, n := seen.kept(owners)
	t.Logf("its partitions are the others' after %v; the %d of these were silent for %v at most",
		time.Since(killed).Round(time.Millisecond), n, idle.Round(time.Millisecond))
	if idle > 20*time.Second {
		t.Errorf("the others were idle for %v", idle)
	}
	seen.complete(t, f)
	members[0].interrupt(t)
	members[1].interrupt(t)
}

// TestMembersComeAndGo: three members become four, and three again. The partitions
// that stay where they are go on.
func TestMembersComeAndGo(t *testing.T) {
	t.Parallel()
	e := embed(t)
	topic, seen := e.topic(t, 12), newArrivals()
	f := e.feed(t, topic, 2000)
	members := seen.start(t, &e.client, topic, 3, 12)
	seen.begin()
	time.Sleep(time.Second) // how long partitions are silent when nothing changes
	owners, usual := seen.begin()
	unmoved := func(what string) {
		t.Helper()
		paused, n := seen.kept(owners)
		t.Logf("%s: %d partitions stayed, and paused for %v at most; %v without a change", what, n,
			paused.Round(time.Millisecond), usual.Round(time.Millisecond))
		if n < 6 || paused > 20*time.Second+usual { // less than one second on a machine with nothing else to do
			t.Errorf("%s: %d partitions stayed, and paused for up to %v", what, n, paused)
		}
		owners, _ = seen.begin()
	}
	members = append(members, seen.join(t, &e.client, topic, 3))
	eventually(t, "four share the partitions", func() bool { return seen.shares(4, 12) })
	unmoved("one came")
	members[3].interrupt(t)
	eventually(t, "three share them again", func() bool { return seen.shares(3, 12) })
	unmoved("one went")
	seen.complete(t, f)
	for _, m := range members[:3] {
		m.interrupt(t)
	}
}
