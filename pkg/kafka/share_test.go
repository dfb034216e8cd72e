package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestShareRenews has a round take three times as long as the leases of its records:
// another member is given none of them.
func TestShareRenews(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "jobs"), kfake.BrokerConfigs(map[string]string{
		"group.share.record.lock.duration.ms": "1000", "share.record.lock.sweep.interval.ms": "100",
	}))
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("jobs"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 5 {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *kafka.ShareSource {
		s, err := kafka.OpenShare(t.Context(), kafka.ShareConfig{Config: cfg, Topics: []string{"jobs"}, Group: "g"})
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
	for end := time.After(3 * time.Second); ; {
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
	at := []stream.Position{{Source: "jobs", Next: b.Next}}
	if err := slow.Commit(t.Context(), at); err != nil {
		t.Fatal(err)
	}
}
