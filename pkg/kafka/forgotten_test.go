package kafka_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// openCopying opens a member of group g that copies topic in to topic out, each by one
// transaction.
func openCopying(t *testing.T, cfg kafka.Config, name string) *members {
	t.Helper()
	m := &members{a: openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"in"}, Group: "g", InstanceID: name, Session: 20 * time.Second, Keeps: true,
	})}
	var err error
	if m.txn, err = kafka.OpenTxn(t.Context(), kafka.TxnConfig{Config: cfg, ID: name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.txn.Close)
	out, err := m.txn.OpenSink(t.Context(), kafka.SinkConfig{Topic: "out"})
	if err != nil {
		t.Fatal(err)
	}
	m.sink = m.txn.Around(out, m.a)
	return m
}

// A mishap is what happens to the member "first" of group g: it hears nothing any more of
// its group, which puts it out, until back.
type mishap struct {
	c    *kfake.Cluster
	back atomic.Bool
}

// putOut makes it happen.
func putOut(t *testing.T, cfg kafka.Config, c *kfake.Cluster) *mishap {
	t.Helper()
	m := &mishap{c: c}
	c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if id := r.(*kmsg.HeartbeatRequest).InstanceID; *id != "first" {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
		if m.back.Load() {
			c.DropControl()
			resp.ErrorCode = kerr.RebalanceInProgress.Code
		}
		return resp, nil, true
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).LeaveGroup(t.Context(), kadm.LeaveGroup("g").InstanceIDs("first")); err != nil {
		t.Fatal(err)
	}
	return m
}

// goOn lets the member hear of its group again, and returns when that is about to give it
// partitions.
func (m *mishap) goOn() {
	var given atomic.Bool
	m.c.ControlKey(int16(kmsg.SyncGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		given.Store(true)
		return nil, nil, false
	})
	m.back.Store(true)
	for !given.Load() {
		time.Sleep(10 * time.Millisecond)
	}
}

// TestForgottenMember: a member joins the next generation of its group, which has put it
// out meanwhile: another one had its partition, and has done what it did. That it is given
// the partition again makes no difference.
func TestForgottenMember(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "in", "out"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "in"}), "x")
	first := openCopying(t, cfg, "first")
	first.copyOne(t, first.a)
	m := putOut(t, cfg, c)
	second := openCopying(t, cfg, "second")
	second.copyOne(t, second.a)
	if err := second.sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = second.a.Close()
	m.goOn()
	err := first.sink.Flush(t.Context())
	if !errors.Is(err, kafka.ErrAborted) {
		t.Errorf("it commits with: %v", err)
	}
	for err = nil; err == nil; {
		err = readOnce(t, first.a)
	}
	if !errors.Is(err, kafka.ErrAborted) {
		t.Errorf("it ends with: %v", err)
	}
	_ = first.a.Close()
	out, _ := readAll(t, openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"out"}, Stop: stop(t, "end")}))
	if got := values(out[0]); got != "x" {
		t.Errorf("written is %q", got)
	}
}

// TestForgottenMemberBeginsAnew: a member whose records nothing goes with takes up what
// its group has committed meanwhile. It does not read again what others have read, and
// commits nothing of what it had read before.
func TestForgottenMemberBeginsAnew(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	join := func(name string) *kafka.Source {
		return openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{"t"}, Group: "g", InstanceID: name, Session: 20 * time.Second,
		})
	}
	commit := func(src *kafka.Source, next, want int64) {
		t.Helper()
		if err := src.Commit(t.Context(), []stream.Position{{Source: "t", Next: next}}); err != nil {
			t.Fatal(err)
		}
		if got := committed(t, cfg, "g", "t"); got != want {
			t.Errorf("after %d the group has committed %d, want %d", next, got, want)
		}
	}
	write(t, sink, "a")
	first := join("first")
	if got := readTo(t, first, "a"); got != "a" {
		t.Fatalf("the first one read %q", got)
	}
	m := putOut(t, cfg, c)
	write(t, sink, "b", "c")
	second := join("second")
	if got := readTo(t, second, "c"); got != "a b c" {
		t.Fatalf("the second one read %q", got)
	}
	commit(second, 3, 3)
	_ = second.Close()
	m.goOn()
	for began := time.Now(); first.Rebalances() < 2; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("it goes on with what it had")
		}
	}
	write(t, sink, "d")
	if got := readTo(t, first, "d"); got != "d" {
		t.Errorf("in the group again, it read %q", got)
	}
	commit(first, 1, 3)
	commit(first, 4, 4)
}

// readTo reads until a value has come, and returns all that came.
func readTo(t *testing.T, src *kafka.Source, last string) string {
	t.Helper()
	var got []rec
	await(t, src, func() {}, func(b *record.Batch) bool {
		got = append(got, recs(b)...)
		return len(got) > 0 && *got[len(got)-1].Value == last
	})
	return values(got)
}

// committed returns what a group has committed of partition 0 of a topic.
func committed(t *testing.T, cfg kafka.Config, group, topic string) int64 {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	at, err := kadm.NewClient(client).FetchOffsets(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := at.Lookup(topic, 0)
	return o.At
}
