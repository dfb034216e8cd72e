package kafka_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
)

// TestGapAtEnd: a partition whose last offsets hold no records any more, as
// compaction leaves them, ends all the same. The embedded broker cannot be
// brought to that state, so it is made to say that it is in it.
func TestGapAtEnd(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b")
	const end = 7
	c.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.ListOffsetsRequest)
		if len(req.Topics) != 1 || req.Topics[0].Partitions[0].Timestamp != -1 {
			return nil, nil, false
		}
		part := kmsg.NewListOffsetsResponseTopicPartition()
		part.Offset, part.LeaderEpoch = end, 0
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic, topic.Partitions = "t", append(topic.Partitions, part)
		resp := r.ResponseKind().(*kmsg.ListOffsetsResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	// The client's own fetches ask for more than a byte.
	probes := 0
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.FetchRequest)
		if req.MaxBytes > 1 || len(req.Topics) == 0 {
			return nil, nil, false
		}
		probes++
		part := kmsg.NewFetchResponseTopicPartition()
		part.HighWatermark, part.LastStableOffset = end, end
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
		topic.Partitions = append(topic.Partitions, part)
		resp := r.ResponseKind().(*kmsg.FetchResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	began := time.Now()
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end")})
	got, next := readAll(t, src)
	if values(got[0]) != "a b" || next[0] != end || probes == 0 {
		t.Errorf("read %q up to %d after %d probes, want %q up to %d", values(got[0]), next[0], probes, "a b", end)
	}
	if d := time.Since(began); d > 40*time.Second {
		t.Errorf("it took %v", d)
	}
}
