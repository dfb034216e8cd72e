package kafka_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// TestHolds: a member that was silent learns from its group whether that went on without
// it, also where it has joined anew meanwhile. What it has committed lately tells, too.
func TestHolds(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b")
	var out atomic.Bool
	var asked atomic.Int32
	c.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1); !out.Load() {
			return nil, nil, false
		}
		topic := kmsg.NewOffsetCommitResponseTopic()
		topic.Topic, topic.TopicID = "t", r.(*kmsg.OffsetCommitRequest).Topics[0].TopicID
		topic.Partitions = []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.UnknownMemberID.Code}}
		resp := r.ResponseKind().(*kmsg.OffsetCommitResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	src := openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"t"}, Group: "g", InstanceID: "one", Session: time.Minute, Keeps: true,
	})
	readOne(t, src)
	if err := src.Holds(t.Context()); err != nil || asked.Load() != 1 {
		t.Errorf("in its group, asked %d times, it said: %v", asked.Load(), err)
	}
	moved := fmt.Errorf("%w with a partition", stream.ErrMoved)
	if err := src.Judge(t.Context(), moved); err != moved {
		t.Errorf("somebody else writes what it does, and it said: %v", err)
	}
	out.Store(true)
	for _, err := range []error{src.Holds(t.Context()), src.Judge(t.Context(), moved)} {
		if !errors.Is(err, kafka.ErrAborted) {
			t.Errorf("put out, it said: %v", err)
		}
	}
	out.Store(false)
	if err := src.Commit(t.Context(), []stream.Position{{Source: "t", Next: 1}}); err != nil {
		t.Fatal(err)
	}
	out.Store(true)
	if err := src.Holds(t.Context()); err != nil {
		t.Errorf("just after a commit it said: %v", err)
	}
}

// TestLossEndsReading: where a state goes with what is read, reading ends when the group
// has gone on without the member, though that is in it again.
func TestLossEndsReading(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b")
	src := openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"t"}, Group: "g", InstanceID: "one", Keeps: true,
	})
	readOne(t, src)
	c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		resp := r.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = kerr.UnknownMemberID.Code
		return resp, nil, true
	})
	for src.Rebalances() < 3 { // given, lost, given again
		time.Sleep(10 * time.Millisecond)
	}
	if err := src.Holds(t.Context()); !errors.Is(err, kafka.ErrAborted) {
		t.Errorf("what it has is still its own: %v", err)
	}
	err := readOnce(t, src)
	if !errors.Is(err, kafka.ErrAborted) {
		t.Errorf("reading went on, or ended with %v", err)
	}
	if err := src.Judge(t.Context(), err); !errors.Is(err, kafka.ErrAborted) || errors.Is(err, kafka.ErrTaken) {
		t.Errorf("it does not begin again: %v", err)
	}
}

// TestJudge: what a member whose transaction was fenced does depends on who has its name
// by then.
func TestJudge(t *testing.T) {
	for _, balancer := range []string{"sticky", "kip848"} {
		cfg, _ := cluster(t, kfake.SeedTopics(1, "t"),
			kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "200"}))
		write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b")
		join := func() *kafka.Source {
			src := openSource(t, kafka.SourceConfig{
				Config: cfg, Topics: []string{"t"}, Group: "g", InstanceID: "one", Balancer: balancer, Keeps: true,
			})
			readOne(t, src)
			return src
		}
		first := join()
		for _, err := range []error{nil, errors.New("else")} {
			if got := first.Judge(t.Context(), err); !errors.Is(got, err) || errors.Is(got, kafka.ErrAborted) {
				t.Errorf("%s: %v became %v", balancer, err, got)
			}
		}
		if err := first.Judge(t.Context(), kerr.InvalidProducerEpoch); !errors.Is(err, kafka.ErrAborted) {
			t.Errorf("%s: in its group, it does not begin again: %v", balancer, err)
		}
		second := join()
		if err := first.Judge(t.Context(), kerr.InvalidProducerEpoch); !errors.Is(err, kafka.ErrTaken) {
			t.Errorf("%s: another has its name, and it said: %v", balancer, err)
		}
		_ = first.Close()
		if err := second.Judge(t.Context(), kafka.ErrAborted); !errors.Is(err, kafka.ErrAborted) {
			t.Errorf("%s: the end of the first one touched the second: %v", balancer, err)
		}
	}
}
