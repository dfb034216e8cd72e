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

// TestForgottenMember: a member joins the next generation of its group, which has put it
// out meanwhile: another one had its partition, and has done what it did. That it is given
// the partition again makes no difference.
func TestForgottenMember(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "in", "out"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "in"}), "x")
	first := openCopying(t, cfg, "first")
	first.copyOne(t, first.a)

	// It hears nothing of what happens.
	var back atomic.Bool
	c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if id := r.(*kmsg.HeartbeatRequest).InstanceID; *id != "first" {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
		if back.Load() {
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
	second := openCopying(t, cfg, "second")
	second.copyOne(t, second.a)
	if err := second.sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = second.a.Close()

	var given atomic.Bool
	c.ControlKey(int16(kmsg.SyncGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		given.Store(true)
		return nil, nil, false
	})
	back.Store(true)
	for !given.Load() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := first.sink.Flush(t.Context()); !errors.Is(err, kafka.ErrAborted) {
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
