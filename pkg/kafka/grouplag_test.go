package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/kafka"
)

func TestTopicLag(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "in", "other"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "in"}), "1", "2", "3", "4", "5")
	a, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	lag := func(group string) int64 {
		t.Helper()
		n, err := a.TopicLag(t.Context(), "in", group)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := lag(""); n != 5 {
		t.Errorf("without a group %d records wait, want all 5", n)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for group, at := range map[string]int64{"fast": 5, "slow": 2} {
		offsets := kadm.Offsets{}
		offsets.AddOffset("in", 0, at, -1)
		if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), group, offsets); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("other", 0, 0, -1)
	if err := kadm.NewClient(cl).CommitAllOffsets(t.Context(), "elsewhere", offsets); err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]int64{"": 3, "fast": 0, "slow": 3, "elsewhere": 5} {
		if n := lag(group); n != want {
			t.Errorf("group %q lags by %d, want %d", group, n, want)
		}
	}
}
