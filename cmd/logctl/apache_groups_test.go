//go:build kafka

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/kafka"
)

// A groupMember is a consume of a group that appends what it reads to a file, and
// tells of its partitions.
type groupMember struct {
	*process
	url string // of its metrics
}

func (a *apache) member(t *testing.T, out string, args ...string) *groupMember {
	t.Helper()
	args = append([]string{"consume", "--listen", "127.0.0.1:0"}, args...)
	m := &groupMember{process: a.start(t, nil, appendTo(t, out), args...)}
	eventually(t, "it listens", func() bool {
		_, after, ok := strings.Cut(m.errs.String(), "listening on ")
		m.url, _, _ = strings.Cut(after, "\n")
		return ok
	})
	return m
}

var partitionLabel = regexp.MustCompile(`(?m)^logctl_kafka_lag_records\{partition="(\d+)"`)

// owned returns the partitions that are the member's, by its metrics.
func (m *groupMember) owned(t *testing.T) (parts []int) {
	t.Helper()
	_, body := get(t, m.url+"/metrics")
	for _, label := range partitionLabel.FindAllStringSubmatch(body, -1) {
		n, _ := strconv.Atoi(label[1])
		parts = append(parts, n)
	}
	slices.Sort(parts)
	return parts
}

// testGroups: for every balancer, a member that is killed and started again
// takes its partitions back, and no record is lost.
func testGroups(t *testing.T, a *apache) {
	for _, balancer := range kafka.Balancers {
		t.Run(balancer, func(t *testing.T) {
			t.Parallel()
			topic, dir := a.topic(t, 6), t.TempDir()
			one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
			f := a.feed(t, topic, 1000)
			args := []string{"--from", "kafka:" + topic, "--group", topic, "--balancer", balancer}
			killed, other := a.member(t, one, args...), a.member(t, two, args...)
			eventually(t, "each has three partitions", func() bool {
				return len(killed.owned(t)) == 3 && len(other.owned(t)) == 3
			})
			had := killed.owned(t)
			read := tallyFiles(t, one, two)
			killed.crash(t)
			began := time.Now()
			killed = a.member(t, one, args...)
			eventually(t, "it has its partitions back", func() bool { return slices.Equal(killed.owned(t), had) })
			t.Logf("%s: partitions %v are back after %v, %d records had been read", balancer, had,
				time.Since(began).Round(time.Millisecond), len(read.seen))
			n := f.end(t)
			awaitAll(t, n, one, two)
			killed.interrupt(t)
			other.interrupt(t)
		})
	}
}

// awaitAll waits until files hold all of n records, and says how many came
// again.
func awaitAll(t *testing.T, n int, paths ...string) {
	t.Helper()
	missing, again := 0, 0
	defer func() { t.Logf("of %d records %d are missing, %d came again", n, missing, again) }()
	eventually(t, "all records are read", func() bool {
		missing, again = tallyFiles(t, paths...).sum(n)
		return missing == 0
	})
}

// testScale: one member becomes three and one again while 200,000 records are
// read; none is lost.
func testScale(t *testing.T, a *apache) {
	const total = 200_000
	topic, dir := a.topic(t, 6), t.TempDir()
	var outs []string
	var members []*groupMember
	add := func() {
		outs = append(outs, filepath.Join(dir, strconv.Itoa(len(outs))))
		members = append(members, a.member(t, outs[len(outs)-1], "--from", "kafka:"+topic, "--group", topic))
	}
	f := a.feed(t, topic, 40_000)
	add()
	eventually(t, "the first has all", func() bool { return len(members[0].owned(t)) == 6 })
	add()
	add()
	eventually(t, "each has two", func() bool {
		return !slices.ContainsFunc(members, func(m *groupMember) bool { return len(m.owned(t)) != 2 })
	})
	eventually(t, "each has read some", func() bool {
		return !slices.ContainsFunc(outs, func(out string) bool { return len(tallyFiles(t, out).seen) == 0 })
	})
	read := tallyFiles(t, outs...)
	members[1].interrupt(t)
	members[2].interrupt(t)
	eventually(t, "the first has all again", func() bool { return len(members[0].owned(t)) == 6 })
	eventually(t, "all records are sent", func() bool { return f.sent.Load() >= total })
	n := f.end(t)
	awaitAll(t, n, outs...)
	members[0].interrupt(t)
	for _, out := range outs {
		info, err := os.Stat(out)
		if err != nil || info.Size() == 0 {
			t.Errorf("a member has read nothing: %v", err)
		}
	}
	t.Logf("three shared the partitions after %d records", len(read.seen))
}
