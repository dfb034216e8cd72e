package kafka_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

func TestShareRenews(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "jobs"), kfake.BrokerConfigs(map[string]string{
		// Half a lease is what a busy machine may be late by.
		"group.share.record.lock.duration.ms": "12000", "share.record.lock.sweep.interval.ms": "100",
	}))
	shareRenews(t, cfg, "jobs", 14*time.Second)
}

// TestShareGroupThatBeginsMeanwhile: one that was not there a moment ago, as others join at
// the same time, is no group of the other kind.
func TestShareGroupThatBeginsMeanwhile(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "jobs"))
	for range 2 {
		s, err := kafka.OpenShare(t.Context(), kafka.ShareConfig{Config: cfg, Topics: []string{"jobs"}, Group: "g"})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for late := time.Now().Add(time.Minute); !isShareGroup(t, cfg, "g"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatal("the member does not join")
			}
		}
		c.ControlKey(int16(kmsg.ShareGroupDescribe), func(r kmsg.Request) (kmsg.Response, error, bool) { // the next one
			none := r.ResponseKind().(*kmsg.ShareGroupDescribeResponse)
			none.Groups = append(none.Groups, kmsg.NewShareGroupDescribeResponseGroup())
			none.Groups[0].GroupID, none.Groups[0].ErrorCode = "g", kerr.GroupIDNotFound.Code
			return none, nil, true
		})
	}
}

func isShareGroup(t *testing.T, cfg kafka.Config, name string) bool {
	t.Helper()
	a, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	g, err := a.DescribeGroup(t.Context(), name)
	return err == nil && g.Share
}

// shareRenews has a round take longer than the leases of its records: another member
// is given none of them.
func shareRenews(t *testing.T, cfg kafka.Config, topic string, takes time.Duration) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 5 {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(strconv.Itoa(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *kafka.ShareSource {
		s, err := kafka.OpenShare(t.Context(), kafka.ShareConfig{Config: cfg, Topics: []string{topic}, Group: topic})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	slow, other := open(), open()
	defer slow.Close()
	defer other.Close()
	b := record.NewBatch()
	if err := slow.Read(t.Context(), b); err != nil || len(b.Recs) == 0 {
		t.Fatalf("%d records: %v", len(b.Recs), err)
	}
	given := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	reading.Go(func() {
		for {
			b := record.NewBatch()
			if other.Read(ctx, b) != nil {
				return
			}
			for i := range b.Recs {
				given <- string(b.Value(i))
			}
		}
	})
	held := map[string]bool{}
	for i := range b.Recs {
		held[string(b.Value(i))] = true
	}
	for end := time.After(takes); ; {
		select {
		case v := <-given:
			if held[v] {
				t.Errorf("%s was given to another member while it was being worked on", v)
			}
			continue
		case <-end:
		}
		break
	}
	at := []stream.Position{{Source: topic, Next: b.Next}}
	if err := slow.Commit(t.Context(), at); err != nil {
		t.Fatal(err)
	}
}
