//go:build kafka

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests of the files apache*_test.go run command lines, each a process of
// its own, against a real Apache Kafka that scripts/kafka/cluster.sh starts:
//
//	go test -tags kafka -run Apache ./cmd/logctl
//
// TEST_KAFKA names the brokers of a running cluster for those tests that need
// nothing but a cluster. TEST_CRASHES says how often a process is killed to
// prove that it survives.

// TestApache needs one cluster of three nodes for all of its parts.
func TestApache(t *testing.T) {
	a := startApache(t, 3, "")
	t.Run("Identity", func(t *testing.T) { testIdentity(t, a) })
	t.Run("Window", func(t *testing.T) { testWindow(t, a) })
	t.Run("Groups", func(t *testing.T) { testGroups(t, a) })
	t.Run("Scale", func(t *testing.T) { testScale(t, a) })
	t.Run("Pipe", func(t *testing.T) { testPipeKilled(t, a) })
	t.Run("Route", func(t *testing.T) { routeKilled(t, &a.client, number(t, "TEST_CRASHES", 10)) })
	t.Run("Share", func(t *testing.T) { shareKilled(t, &a.client, number(t, "TEST_CRASHES", 10)) })
	t.Run("AtMostOnce", func(t *testing.T) { mostOnceKilled(t, &a.client, 6) })
	t.Run("Topics", func(t *testing.T) { topicKilled(t, &a.client, 6) })
	t.Run("Classes", func(t *testing.T) { classesIntoTopic(t, &a.client, number(t, "TEST_CRASHES", 6)) })
	t.Run("Transaction", func(t *testing.T) { txnKilled(t, &a.client, 6) })
	t.Run("Outbox", func(t *testing.T) { outboxKilled(t, &a.client, number(t, "TEST_CRASHES", 10)) })
	t.Run("Stopped", func(t *testing.T) { groupStopped(t, &a.client) })
	t.Run("GroupState", func(t *testing.T) { testGroupState(t, a) })
	t.Run("ExactlyOnce", func(t *testing.T) { testExactlyOnce(t, a) })
	t.Run("Health", func(t *testing.T) { testHealth(t, a) })
	t.Run("NodesKilled", func(t *testing.T) { testNodesKilled(t, a) })
	t.Run("Outage", func(t *testing.T) { testOutage(t, a) })
}

// An apache is a cluster, and a client of it whose addresses are those of its
// listeners: plaintext and, where asked for, SASL_PLAINTEXT, SSL.
type apache struct {
	client
	dir string // of the cluster; "" for the one of TEST_KAFKA
}

const clusterScript = "../../scripts/kafka/cluster.sh"

// startApache returns a cluster that lives as long as the test. With auth it
// has listeners with SASL and TLS.
func startApache(t *testing.T, nodes int, auth string) *apache {
	t.Helper()
	a := &apache{client: client{home: t.TempDir()}}
	if brokers := os.Getenv("TEST_KAFKA"); brokers != "" && auth == "" {
		a.addrs = []string{brokers}
		return a
	}
	began := time.Now()
	a.dir = t.TempDir()
	t.Cleanup(func() {
		if err := a.script("stop", a.dir); err != nil {
			t.Error(err)
		}
	})
	out, err := exec.CommandContext(t.Context(), clusterScript, "start", strconv.Itoa(nodes), a.dir, auth).Output()
	if err != nil {
		t.Fatalf("starting Apache Kafka: %v", err)
	}
	a.addrs = strings.Fields(string(out))
	t.Logf("%d nodes up in %v", nodes, time.Since(began).Round(100*time.Millisecond))
	return a
}

// script runs the script of the cluster, also while a test is being cleaned up.
func (a *apache) script(args ...string) error {
	out, err := exec.CommandContext(context.Background(), clusterScript, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cluster.sh %v: %w\n%s", args, err, out)
	}
	return nil
}

func (a *apache) kill(t *testing.T, node int) {
	t.Helper()
	if err := a.script("kill", a.dir, strconv.Itoa(node)); err != nil {
		t.Error(err)
	}
}

// restart starts killed nodes again and returns when they answer.
func (a *apache) restart(t *testing.T, nodes ...int) {
	t.Helper()
	var up sync.WaitGroup
	for _, n := range nodes {
		up.Go(func() {
			if err := a.script("restart", a.dir, strconv.Itoa(n)); err != nil {
				t.Error(err)
			}
		})
	}
	up.Wait()
}

// mine skips a test that kills nodes where they are not ours.
func (a *apache) mine(t *testing.T) {
	t.Helper()
	if a.dir == "" {
		t.Skip("the nodes of TEST_KAFKA are not ours to kill")
	}
}
