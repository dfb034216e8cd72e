package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
)

// TestGroupStopped: a member that is stopped for longer than its session, as a machine
// that sleeps, goes on from what is committed. The rows are those of one run over a file:
// exactly once each of them once, else some of them twice.
func TestGroupStopped(t *testing.T) {
	t.Parallel()
	c, _ := impatient(t)
	groupStopped(t, c)
}

func groupStopped(t *testing.T, c *client) {
	t.Helper()
	for delivery, command := range stoppedCommands {
		t.Run(delivery, func(t *testing.T) {
			t.Parallel()
			g := c.compared(t, command, delivery)
			g.feed(t, c)
			c.grows(t, g.out, 0)
			g.members[0].stop(t)
			c.haveMembers(t, g.in, 1)
			g.members[0].goOn(t)
			c.haveMembers(t, g.in, 2)
			g.compare(t, c)
		})
	}
}

// TestGroupFencedByTime: the cluster has aborted the transaction of a member that was
// stopped for longer than one may take. It begins again.
func TestGroupFencedByTime(t *testing.T) {
	t.Parallel()
	c, cluster := impatient(t)
	g := c.compared(t, stoppedCommands["exactly-once"], "exactly-once")
	var fenced atomic.Int32
	cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req, _ := r.(*kmsg.ProduceRequest)
		if cluster.KeepControl(); req.TransactionID == nil || fenced.Load() == 3 {
			return nil, nil, false
		}
		fenced.Add(1)
		resp, _ := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.Topics {
			answer := kmsg.ProduceResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, part := range topic.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = part.Partition, kerr.InvalidProducerEpoch.Code
				answer.Partitions = append(answer.Partitions, one)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	g.feed(t, c)
	g.compare(t, c)
	if n := fenced.Load(); n != 3 {
		t.Errorf("only %d requests were refused", n)
	}
}

// stoppedCommands have what members do that are stopped; exactly once by way of the topic
// that takes records to the partition of their group.
var stoppedCommands = map[string][]string{
	"at-least-once": groupCommands["keyed"],
	"exactly-once":  groupCommands["keyed"][:len(groupCommands["keyed"])-1],
}

// impatient starts a cluster whose members may have short sessions.
func impatient(t *testing.T) (*client, *kfake.Cluster) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(t.TempDir()), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return &client{home: t.TempDir(), addrs: cluster.ListenAddrs()}, cluster
}

// A compared is a group of two whose rows are compared with those of one run over a file.
type compared struct {
	delivery, file, in, out string
	args, want              []string
	members                 []*process
	fed                     *process
}

func (c *client) compared(t *testing.T, command []string, delivery string) *compared {
	t.Helper()
	g := &compared{delivery: delivery, in: c.topic(t, 4), out: c.topic(t, 2), file: filepath.Join(t.TempDir(), "in.ndjson")}
	if err := os.WriteFile(g.file, keyedRecords(6_000), 0o600); err != nil {
		t.Fatal(err)
	}
	g.want = sortedLines(c.logctl(t, nil, append(slices.Clone(command), "-q", g.file)...))
	g.args = append(slices.Clone(command), "--from", "kafka:"+g.in, "--group", g.in, "--delivery", delivery,
		"--to", "kafka:"+g.out, "--session-timeout", "2s")
	return g
}

// feed starts the members, and what feeds them.
func (g *compared) feed(t *testing.T, c *client) {
	t.Helper()
	for range 2 {
		g.members = append(g.members, c.start(t, nil, nil, g.args...))
	}
	c.haveMembers(t, g.in, 2)
	g.fed = c.start(t, nil, nil, "produce", "-q", "--to", "kafka:"+g.in, "--key", "k", "--rate", "1500/s", g.file)
}

// compare ends all of them, well, and compares the rows.
func (g *compared) compare(t *testing.T, c *client) {
	t.Helper()
	g.fed.end(t)
	for _, m := range g.members {
		m.interrupt(t)
	}
	c.start(t, nil, nil, append(g.args, "--stop", "end")...).end(t)
	got := sortedLines(c.logctl(t, nil, "consume", "-q", "--from", "kafka:"+g.out, "--stop", "end"))
	if g.delivery != "exactly-once" {
		atLeast(t, got, g.want)
		return
	}
	if !slices.Equal(got, g.want) {
		t.Errorf("%d rows, want %d; the first that differs: %s", len(got), len(g.want), firstOther(got, g.want))
	}
}

// atLeast compares the counts of rows: each window has been given as many records, or
// some of them twice.
func atLeast(t *testing.T, got, want []string) {
	t.Helper()
	counts := countsOf(t, got)
	for of, n := range countsOf(t, want) {
		if counts[of] < n {
			t.Errorf("of %v %d records were counted, want %d", of, counts[of], n)
		}
	}
}

// countsOf returns the greatest count of each window and key.
func countsOf(t *testing.T, rows []string) map[[2]string]int {
	t.Helper()
	counts := map[[2]string]int{}
	for _, text := range rows {
		var row struct {
			Start string `json:"window_start"`
			Key   string `json:"k"`
			Count int    `json:"count"`
		}
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		of := [2]string{row.Start, row.Key}
		counts[of] = max(counts[of], row.Count)
	}
	return counts
}

// TestGroupTaken: while a member is stopped, another process takes its name. When it
// goes on it ends and says so, and the other one stays.
func TestGroupTaken(t *testing.T) {
	t.Parallel()
	c := &embed(t).client
	for _, balancer := range []string{"cooperative-sticky", "kip848"} {
		t.Run(balancer, func(t *testing.T) {
			t.Parallel()
			in, out := c.topic(t, 2), c.topic(t, 2)
			args := append(slices.Clone(groupCommands["keyed"]), "--from", "kafka:"+in, "--group", in, "--delivery", "exactly-once",
				"--to", "kafka:"+out, "--instance-id", "one", "--balancer", balancer)
			ship := func(lo, hi int) {
				lines := bytes.SplitAfter(keyedRecords(hi), []byte("\n"))
				c.logctl(t, bytes.NewReader(bytes.Join(lines[lo:], nil)), "produce", "-q", "--to", "kafka:"+in, "--key", "k")
			}
			first := c.start(t, nil, nil, args...)
			ship(0, 2000)
			before := c.grows(t, out, 0)
			first.stop(t)
			second := c.start(t, nil, nil, args...)
			ship(2000, 4000)
			c.grows(t, out, before+100) // those of the first half were fewer
			first.goOn(t)
			first.fails(t, "uses this instance id", "--instance-id")
			second.interrupt(t)
		})
	}
}

// admin asks the cluster from within the test: a process for each question costs more.
func (c *client) admin(t *testing.T) *kafka.Admin {
	t.Helper()
	a, err := kafka.OpenAdmin(t.Context(), kafka.Config{Brokers: strings.Split(c.addrs[0], ",")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// haveMembers waits until a group has so many members, each with partitions.
func (c *client) haveMembers(t *testing.T, group string, n int) {
	t.Helper()
	a := c.admin(t)
	eventually(t, "there are so many members", func() bool {
		g, err := a.DescribeGroup(t.Context(), group)
		return err == nil && len(g.Members) == n &&
			!slices.ContainsFunc(g.Members, func(m kafka.Member) bool { return m.Partitions() == 0 })
	})
}

// grows waits until a topic has more records than so many, and returns how many.
func (c *client) grows(t *testing.T, topic string, than int64) (n int64) {
	t.Helper()
	a := c.admin(t)
	eventually(t, "records come", func() bool {
		var err error
		if n, err = a.CountSince(t.Context(), topic, time.UnixMilli(0)); err != nil {
			t.Fatal(err)
		}
		return n > than
	})
	return n
}

// stop stops a process as a machine does that sleeps; goOn has it go on.
func (p *process) stop(t *testing.T) { p.signal(t, syscall.SIGSTOP) }

func (p *process) goOn(t *testing.T) { p.signal(t, syscall.SIGCONT) }

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
