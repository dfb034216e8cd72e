package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A pulse is the output of a process, and the longest time in which nothing came.
type pulse struct {
	text
	mu      sync.Mutex
	last    time.Time
	silence time.Duration
}

func (p *pulse) Write(b []byte) (int, error) {
	p.mu.Lock()
	if now := time.Now(); p.last.IsZero() {
		p.last = now
	} else {
		p.silence, p.last = max(p.silence, now.Sub(p.last)), now
	}
	p.mu.Unlock()
	return p.text.Write(b)
}

func (p *pulse) silent() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silence
}

// TestKilledWithClasses: of two members that read classes of records one is killed
// at random moments, again and again, while records of both classes keep coming.
// None is lost, and the other member goes on reading meanwhile: it does not wait for the
// session of the dead one, which is longer than even a slow machine takes.
func TestKilledWithClasses(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	critical, low := c.topic(t, 2), c.topic(t, 4)
	const session = time.Minute
	args := []string{
		"consume", "--from", "kafka:" + critical + "," + low, "--priority", "strict", "--promote", low + "=1s",
		"--group", low, "--session-timeout", session.String(), "--template", `%t %v\n`,
	}
	kept := new(pulse)
	outs := []fmt.Stringer{kept}
	stays := c.start(t, nil, kept, args...)
	again := func() *process {
		out := new(text) // its last line may be torn
		outs = append(outs, out)
		return c.start(t, nil, out, args...)
	}
	feeds := map[string]*feed{critical: c.feed(t, critical, 100), low: c.feed(t, low, 2_000)}
	for range max(crashes(t)/2, 2) {
		p := again()
		time.Sleep(time.Second + randomMoment())
		p.crash(t)
	}
	last := again() // what was the dead one's is its own at once
	for topic, f := range feeds {
		n := f.end(t)
		eventually(t, "all of "+topic+" were read", func() bool {
			seen := new(tally)
			for _, out := range outs {
				for line := range strings.Lines(out.String()) {
					if strings.HasPrefix(line, topic) {
						seen.count(t, []byte(line))
					}
				}
			}
			missing, _ := seen.sum(n)
			return missing == 0
		})
	}
	last.interrupt(t)
	stays.interrupt(t)
	t.Logf("the member that stayed read nothing for up to %v", kept.silent())
	if kept.silent() > session/2 {
		t.Errorf("the member that stayed read nothing for %v", kept.silent())
	}
}

func TestKilledWithClassesBetweenTopics(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	classesIntoTopic(t, c, max(crashes(t)/2, 3))
}

// classesIntoTopic: see classesKilled.
func classesIntoTopic(t *testing.T, c *client, crashes int) {
	t.Helper()
	to := c.topic(t, 3)
	classesKilled(t, c, crashes, "kafka:"+to, func(class string) string {
		return c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+to, "--stop", "end",
			"--where", "class == '"+class+"'", "--select", "n")
	})
}

func TestKilledWithClassesIntoTable(t *testing.T) {
	t.Parallel()
	c, db := &embed(t).client, filepath.Join(t.TempDir(), "db")
	classesKilled(t, c, max(crashes(t)/4, 2), "sqlite:"+db, func(class string) string {
		return c.run(t, nil, nil, "consume", "-q", "--from", "sqlite:"+db, // there may be no table yet
			"--where", "class == '"+class+"'", "--select", "n").out
	})
}

// classesKilled: classes of records are read and written to one place, exactly once,
// by a member that stays and one that comes and goes: every third time as it is asked
// to, else killed. What read returns of each class has every record, once.
func classesKilled(t *testing.T, c *client, crashes int, to string, read func(class string) string) {
	t.Helper()
	critical, low := c.topic(t, 2), c.topic(t, 4)
	feeds := map[string]*feed{critical: c.feed(t, critical, 100), low: c.feed(t, low, 5_000)}
	args := []string{
		"consume", "--from", "kafka:" + critical + "," + low, "--priority", "strict", "--group", low,
		"--set", "class=_topic", "--delivery", "exactly-once", "--to", to,
	}
	committed := func(class string) *tally {
		got := new(tally)
		got.count(t, []byte(read(class)))
		return got
	}
	stays := c.start(t, nil, nil, args...)
	for i := range crashes {
		p := c.start(t, nil, nil, args...)
		before := len(committed(critical).seen)
		eventually(t, "what is critical is committed", func() bool { return len(committed(critical).seen) > before })
		time.Sleep(randomMoment() / 2)
		if i%3 == 2 {
			p.leave(t)
		} else {
			p.crash(t)
		}
	}
	sent := map[string]int{}
	for topic, f := range feeds {
		sent[topic] = f.end(t)
	}
	stays.interrupt(t)
	c.start(t, nil, nil, append(args, "--stop", "end")...).end(t)
	t.Logf("the member that stayed said:\n%s", stays.errs.String())
	for topic, n := range sent {
		missing, again := 0, 0
		// What is behind a transaction that a killed member has left open is seen when
		// its time is over, at the latest.
		eventually(t, fmt.Sprintf("%d records of a class are seen", n), func() bool {
			missing, again = committed(topic).sum(n)
			return missing == 0
		})
		if again > 0 {
			t.Errorf("of %d records of a class %d are there twice", n, again)
		}
	}
}

// leave interrupts a process, which may still wait for a table that another one has
// locked: it says so and gives up.
func (p *process) leave(t *testing.T) {
	t.Helper()
	err := errors.Join(p.Process.Signal(syscall.SIGINT), p.Wait())
	if err != nil && !strings.Contains(p.errs.String(), "database is locked") {
		t.Fatalf("logctl %q: %v\n%s", p.args, err, p.errs.String())
	}
}
