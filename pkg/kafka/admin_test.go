package kafka_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/kafka"
)

func TestTopics(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t)
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	spec := kafka.TopicSpec{Name: "logs", Partitions: 2, Replication: 1, Configs: map[string]string{"retention.ms": "1000"}}
	for i, want := range []bool{true, false} {
		if made, err := admin.Create(t.Context(), spec); made != want || err != nil {
			t.Errorf("create %d: %v, %v; want %v", i, made, err, want)
		}
	}
	spec.Partitions = 5
	if _, err := admin.Create(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "exists with 2 partitions, not 5") {
		t.Errorf("creating it larger: %v", err)
	}
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "logs", Partitioner: "partition:1"}), "a", "b")
	topics, err := admin.Describe(t.Context(), "logs")
	if err != nil {
		t.Fatal(err)
	}
	got := topics[0]
	if len(got.Partitions) != 2 || got.Partitions[1].End != 2 || got.Partitions[1].Leader != 0 || got.UnderReplicated() != 0 ||
		got.Replication() != 1 || got.Configs["retention.ms"] != "1000" {
		t.Errorf("described as %+v", got)
	}
	if all, err := admin.Topics(t.Context(), false); err != nil || len(all) != 1 || all[0].Name != "logs" {
		t.Errorf("topics %+v, %v", all, err)
	}
	if err := admin.Remove(t.Context(), "logs"); err != nil {
		t.Error(err)
	}
	if err := admin.Remove(t.Context(), "logs"); err == nil || !strings.Contains(err.Error(), `"logs" does not exist`) {
		t.Errorf("removing it again: %v", err)
	}
}

// TestApply: applying makes what is declared, says what it does, and the second
// time does nothing.
func TestApply(t *testing.T) {
	cfg, _ := cluster(t)
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	specs := []kafka.TopicSpec{{Name: "a", Partitions: 1, Configs: map[string]string{"retention.ms": "1"}}, {Name: "b"}}
	more := []kafka.TopicSpec{{Name: "a", Partitions: 3, Configs: map[string]string{"retention.ms": "2", "cleanup.policy": "compact"}}}
	for _, step := range []struct {
		specs []kafka.TopicSpec
		dry   bool
		want  []kafka.Change
	}{
		{specs, true, []kafka.Change{{"a", "topic", "", "created with 1 partitions"}, {"b", "topic", "", "created"}}},
		{specs, false, []kafka.Change{{"a", "topic", "", "created with 1 partitions"}, {"b", "topic", "", "created"}}},
		{specs, false, nil},
		{more, false, []kafka.Change{{"a", "partitions", "1", "3"}, {"a", "cleanup.policy", "", "compact"}, {"a", "retention.ms", "1", "2"}}},
		{more, false, nil},
	} {
		got, err := admin.Apply(t.Context(), step.specs, step.dry)
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if _, err := admin.Apply(t.Context(), specs, false); err == nil || !strings.Contains(err.Error(), "cannot be reduced") {
		t.Errorf("fewer partitions: %v", err)
	}
}
