package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/stream"
)

// TestFencedByItself: after a broker was away for longer than the session, a member
// joins anew under its name, and what it commits under the id of before is refused as if
// another had taken the name. It tries again.
func TestFencedByItself(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b")
	refused := 0
	c.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if c.KeepControl(); refused == 2 {
			return nil, nil, false
		}
		refused++
		topic := kmsg.NewOffsetCommitResponseTopic()
		topic.Topic, topic.TopicID = "t", r.(*kmsg.OffsetCommitRequest).Topics[0].TopicID
		topic.Partitions = []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.FencedInstanceID.Code}}
		resp := r.ResponseKind().(*kmsg.OffsetCommitResponse)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g", InstanceID: "one"})
	readOne(t, src)
	at := []stream.Position{{Source: "t", Next: 2}}
	if err := src.Commit(t.Context(), at); err != nil || refused != 2 {
		t.Errorf("refused %d times as by a namesake that is none, it said: %v", refused, err)
	}
}
