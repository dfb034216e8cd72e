//go:build kafka

package main

import (
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// testPipeKilled: see pipeKilled.
func testPipeKilled(t *testing.T, a *apache) { pipeKilled(t, &a.client, 10) }

// testExactlyOnce: see tableKilled. A node is down for a third of the time.
func testExactlyOnce(t *testing.T, a *apache) {
	crashes := number(t, "TEST_CRASHES", 15)
	fail, mend := a.outage(t, 1+rand.IntN(3))
	tableKilled(t, &a.client, crashes, func(i int) {
		switch i {
		case crashes / 3:
			fail()
		case 2 * crashes / 3:
			go mend()
		case crashes - 1:
			mend()
		}
	})
}

// testGroupState: see groupKilled. A node is down for a third of the time.
func testGroupState(t *testing.T, a *apache) {
	crashes := number(t, "TEST_CRASHES", 15) / 3
	for name, command := range groupCommands {
		t.Run(name, func(t *testing.T) {
			fail, mend := a.outage(t, 1+rand.IntN(3))
			groupKilled(t, &a.client, command, crashes, func(kill int) {
				switch kill {
				case crashes / 3:
					fail()
				case 2 * crashes / 3:
					mend()
				}
			})
		})
	}
}

// outage returns how to kill nodes that are ours, and how to start them again,
// which happens at the end of the test at the latest.
func (a *apache) outage(t *testing.T, nodes ...int) (fail, mend func()) {
	t.Helper()
	if a.dir == "" {
		return func() {}, func() {}
	}
	down := false
	mend = sync.OnceFunc(func() {
		if down {
			a.restart(t, nodes...)
		}
	})
	t.Cleanup(mend)
	return func() {
		down = true
		for _, node := range nodes {
			a.kill(t, node)
		}
	}, mend
}

// testNodesKilled: two of three nodes are killed in turn while records are
// produced. What produce says was acknowledged is what a reader finds, once.
func testNodesKilled(t *testing.T, a *apache) {
	a.mine(t)
	topic := a.topic(t, 6)
	f := a.feed(t, topic, 20_000)
	for _, node := range []int{2, 3} {
		fail, mend := a.outage(t, node)
		time.Sleep(time.Second)
		fail()
		time.Sleep(2 * time.Second)
		mend()
	}
	n := f.end(t)
	got := new(tally)
	got.count(t, []byte(a.logctl(t, nil, "consume", "--from", "kafka:"+topic, "--stop", "end")))
	missing, again := got.sum(n)
	t.Logf("%d records acknowledged and read, %d missing, %d twice", n, missing, again)
	if missing > 0 || again > 0 || len(got.seen) != n {
		t.Errorf("%d records acknowledged, %d read, %d missing, %d twice", n, len(got.seen), missing, again)
	}
}

// testOutage: all nodes are down for a while in the middle of everything;
// producer and consumer go on by themselves.
func testOutage(t *testing.T, a *apache) {
	a.mine(t)
	topic := a.topic(t, 6)
	path := filepath.Join(t.TempDir(), "read")
	f := a.feed(t, topic, 5_000)
	m := a.member(t, path, "--from", "kafka:"+topic, "--group", topic)
	eventually(t, "it reads", func() bool { return len(tallyFiles(t, path).seen) > 0 })
	fail, mend := a.outage(t, 1, 2, 3)
	fail()
	before := len(tallyFiles(t, path).seen)
	time.Sleep(3 * time.Second)
	began := time.Now()
	mend() // two would not do: a partition waits for its last leader
	up := time.Since(began)
	eventually(t, "it reads on", func() bool { return len(tallyFiles(t, path).seen) > before })
	t.Logf("the nodes listen %v after their start, reading goes on after %v", up.Round(100*time.Millisecond),
		time.Since(began).Round(100*time.Millisecond))
	awaitAll(t, f.end(t), path)
	m.interrupt(t)
}
