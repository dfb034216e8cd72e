//go:build kafka

package main

import (
	"strings"
	"testing"
	"time"
)

// testHealth: of three brokers one is stopped, and the cluster is DEGRADED because of
// that one, also when its controller counts it out; then all are, and it is CRITICAL
// at once; and it is HEALTHY when they are back.
func testHealth(t *testing.T, a *apache) {
	a.mine(t)
	a.logctl(t, nil, "topic", "create", "health", "--partitions", "6", "--replication", "3")
	health := func() result {
		return a.run(t, nil, nil, "cluster", "health", "--expect-brokers", "3", "-o", "table")
	}
	healthy := func() bool { r := health(); return r.status == 0 && strings.HasPrefix(r.out, "HEALTHY") }
	eventually(t, "it is healthy", healthy)

	fail, mend := a.outage(t, 2)
	fail()
	killed := time.Now()
	eventually(t, "its partitions are led by others", func() bool { // in some ten seconds the broker is counted out
		r := health()
		if r.status != 1 || !strings.Contains(r.out, "broker 2 at 127.0.0.1:") {
			t.Fatalf("%v after a broker was stopped: status %d\n%s", time.Since(killed), r.status, r.out)
		}
		return strings.HasPrefix(r.out, "DEGRADED")
	})
	t.Logf("DEGRADED %v after a broker was stopped", time.Since(killed).Round(100*time.Millisecond))
	if r := health(); !strings.Contains(r.out, "partitions lack a copy") {
		t.Errorf("without one of three brokers no partition lacks a copy: %s", r.out)
	}
	mend()
	eventually(t, "it is healthy again", healthy)

	fail, mend = a.outage(t, 1, 2, 3)
	fail()
	r := health()
	if r.status != 1 || !strings.HasPrefix(r.out, "CRITICAL") || r.took > 30*time.Second {
		t.Errorf("without brokers, after %v: status %d\n%s", r.took, r.status, r.out)
	}
	mend()
	eventually(t, "it is healthy after all", healthy)
}
