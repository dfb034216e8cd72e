package kafka

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// TestJudgeTopics judges metadata: a broker that does not answer leads partitions only
// until the controller counts it out.
func TestJudgeTopics(t *testing.T) {
	partition := func(leader int32, isr ...int32) kadm.PartitionDetail {
		return kadm.PartitionDetail{Leader: leader, ISR: isr, Replicas: []int32{1, 2, 3}}
	}
	for _, c := range []struct {
		name       string
		partitions []kadm.PartitionDetail
		status     string
		reasons    []string
	}{
		{"all well", []kadm.PartitionDetail{partition(1, 1, 2, 3), partition(3, 1, 2, 3)}, Healthy, nil},
		{
			"just stopped",
			[]kadm.PartitionDetail{partition(1, 1, 2, 3), partition(2, 1, 2, 3), partition(2, 1, 2, 3)},
			Critical,
			[]string{"2 partitions are led by broker 2, which does not answer"},
		},
		{
			"counted out",
			[]kadm.PartitionDetail{partition(1, 1, 3), partition(3, 1, 3)},
			Degraded,
			[]string{"2 partitions lack a copy, 0 may"},
		},
		{
			"last copy lost",
			[]kadm.PartitionDetail{partition(-1, 2), partition(1, 1, 2, 3)},
			Critical,
			[]string{"1 partitions have no leader", "1 partitions lack a copy, 0 may"},
		},
	} {
		h := &Health{Status: Healthy, Brokers: []Broker{{ID: 1, Up: true}, {ID: 2}, {ID: 3, Up: true}}}
		topic := kadm.TopicDetail{Partitions: kadm.PartitionDetails{}}
		for i, p := range c.partitions {
			topic.Partitions[int32(i)] = p
		}
		h.judgeTopics(kadm.TopicDetails{"t": topic}, HealthConfig{})
		if h.Status != c.status || !slices.Equal(h.Reasons, c.reasons) || h.Partitions != len(c.partitions) {
			t.Errorf("%s: %s %q of %d partitions, want %s %q", c.name, h.Status, h.Reasons, h.Partitions, c.status, c.reasons)
		}
	}
}
