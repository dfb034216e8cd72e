package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestCommitOutlivesTheCluster: that no broker listens is no reason to give up.
// The commit ends when the client says that the partition is lost: then it is
// read again.
func TestCommitOutlivesTheCluster(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "one")
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g"})
	for b := record.NewBatch(); len(b.Recs) == 0; {
		b.Reset()
		if err := src.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	at := []stream.Position{{Source: "t", Next: 1}}
	if err := src.Commit(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := src.Commit(ctx, at); err != nil && ctx.Err() == nil {
		t.Errorf("it gives up: %v", err)
	}
}
