package kafka_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// members are readers of topics a and b, whose positions go into the transactions of
// one Txn, with what is written to out.
type members struct {
	a, b *kafka.Source
	txn  *kafka.Txn
	sink *kafka.TxnSink
}

// openMembers opens them, one of each of two groups, or two of one.
func openMembers(t *testing.T, cfg kafka.Config, groupA, groupB string) *members {
	t.Helper()
	read := func(topic, group string) *kafka.Source {
		return openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{topic}, Group: group, InstanceID: "one-" + topic,
		})
	}
	m := &members{a: read("a", groupA), b: read("b", groupB)}
	var err error
	if m.txn, err = kafka.OpenTxn(t.Context(), kafka.TxnConfig{Config: cfg, ID: "one"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.txn.Close)
	out, err := m.txn.OpenSink(t.Context(), kafka.SinkConfig{Topic: "out"})
	if err != nil {
		t.Fatal(err)
	}
	m.sink = m.txn.Around(out, m.a, m.b)
	return m
}

// copyOne writes the next records of a member, and has their position kept.
func (m *members) copyOne(t *testing.T, src *kafka.Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pool := record.NewPool(1, 1<<10)
	for done := false; !done; {
		b, err := pool.Get(ctx)
		if err == nil {
			err = src.Read(ctx, b)
		}
		if err == nil && len(b.Recs) > 0 {
			err, done = m.sink.Write(b.All()), true
			m.sink.Keep([]stream.Position{{Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Next}})
		}
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
	}
}

// left returns what a group has still to read of a topic.
func left(t *testing.T, cfg kafka.Config, group, topic string) string {
	t.Helper()
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{topic}, Group: group, Stop: stop(t, "end")})
	defer func() { _ = src.Close() }()
	got, _ := readAll(t, src)
	return values(got[0])
}

// membersCluster has a record in each of two topics.
func membersCluster(t *testing.T) (kafka.Config, *kfake.Cluster) {
	t.Helper()
	cfg, c := cluster(t, kfake.SeedTopics(1, "a", "b", "out"))
	for _, topic := range []string{"a", "b"} {
		write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: topic}), "of "+topic)
	}
	return cfg, c
}

// TestTxnOfSeveralMembers: one transaction holds the positions of members of several
// groups, or of several members of one. Of each group it is told once.
func TestTxnOfSeveralMembers(t *testing.T) {
	for _, groups := range [][2]string{{"g", "h"}, {"g", "g"}} {
		cfg, c := membersCluster(t)
		var told atomic.Int32
		c.ControlKey(int16(kmsg.AddOffsetsToTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			told.Add(1)
			return nil, nil, false
		})
		m := openMembers(t, cfg, groups[0], groups[1])
		m.copyOne(t, m.a)
		m.copyOne(t, m.b)
		if err := m.sink.Flush(t.Context()); err != nil {
			t.Fatalf("groups %q: %v", groups, err)
		}
		if n, want := int(told.Load()), len(slices.Compact(slices.Clone(groups[:]))); n != want {
			t.Errorf("groups %q: told %d times of %d", groups, n, want)
		}
		_, _ = m.a.Close(), m.b.Close()
		out, _ := readAll(t, openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"out"}, Stop: stop(t, "end")}))
		if a, b := left(t, cfg, groups[0], "a"), left(t, cfg, groups[1], "b"); values(out[0]) != "of a of b" || a+b != "" {
			t.Errorf("groups %q: written %q, left are %q and %q", groups, values(out[0]), a, b)
		}
	}
}

// TestTxnOfOneThatLosesIsVoid: where one of several members loses what it has read,
// nothing of the transaction is committed, of none. That it has come back meanwhile
// and may commit makes no difference: it reads the same again.
func TestTxnOfOneThatLosesIsVoid(t *testing.T) {
	cfg, c := membersCluster(t)
	m := openMembers(t, cfg, "g", "h")
	m.copyOne(t, m.a)
	m.copyOne(t, m.b)
	c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if c.KeepControl(); r.(*kmsg.HeartbeatRequest).Group != "g" || m.a.Rebalances() > 1 {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = kerr.UnknownMemberID.Code
		return resp, nil, true
	})
	for m.a.Rebalances() < 3 { // given, lost, given again
		time.Sleep(10 * time.Millisecond)
	}
	if err := m.sink.Flush(t.Context()); !errors.Is(err, kafka.ErrAborted) {
		t.Fatalf("it commits with %v", err)
	}
	_, _ = m.a.Close(), m.b.Close()
	out, _ := readAll(t, openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"out"}, Stop: stop(t, "end")}))
	if a, b := left(t, cfg, "g", "a"), left(t, cfg, "h", "b"); values(out[0]) != "" || a != "of a" || b != "of b" {
		t.Errorf("written %q, left are %q and %q", values(out[0]), a, b)
	}
}

// TestTxnWaitsForTheGeneration: a member that has been given another generation, and is
// about to be told, commits when it is: nothing is aborted for that.
func TestTxnWaitsForTheGeneration(t *testing.T) {
	cfg, c := membersCluster(t)
	m := openMembers(t, cfg, "g", "h")
	m.copyOne(t, m.a)
	m.copyOne(t, m.b)
	refused := 0
	c.ControlKey(int16(kmsg.TxnOffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.TxnOffsetCommitRequest)
		if req.Group != "h" || refused == 2 {
			return nil, nil, false
		}
		refused++
		topic := kmsg.NewTxnOffsetCommitResponseTopic()
		topic.Topic, topic.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
		topic.Partitions = []kmsg.TxnOffsetCommitResponseTopicPartition{{ErrorCode: kerr.IllegalGeneration.Code}}
		resp := r.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	if err := m.sink.Flush(t.Context()); err != nil || refused != 2 || m.txn.Aborts() != 0 {
		t.Fatalf("refused %d times, aborted %d times, it ends with %v", refused, m.txn.Aborts(), err)
	}
	_, _ = m.a.Close(), m.b.Close()
	if a, b := left(t, cfg, "g", "a"), left(t, cfg, "h", "b"); a+b != "" {
		t.Errorf("left are %q and %q", a, b)
	}
}

// TestCommitBeforeAllRead: of several members one may have something to commit, in a
// transaction or by itself, before another one has begun to read.
func TestCommitBeforeAllRead(t *testing.T) {
	cfg, _ := membersCluster(t)
	m := openMembers(t, cfg, "g", "h")
	if err := m.sink.Flush(t.Context()); err != nil { // with nothing in a transaction
		t.Fatal(err)
	}
	m.copyOne(t, m.a)
	if err := m.sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b := left(t, cfg, "g", "a"), left(t, cfg, "h", "b"); a != "" || b != "of b" {
		t.Errorf("left are %q and %q, want nothing and the record of b", a, b)
	}
	alone := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"b"}, Group: "i"})
	if err := alone.Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
