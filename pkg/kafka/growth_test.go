package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// TestGrowth: partitions that are added to a topic while it is written and read, and
// topics that a pattern comes to match, are written and read from their beginning,
// wherever the reading of others began.
func TestGrowth(t *testing.T) {
	for name, read := range map[string]kafka.SourceConfig{
		"alone":            {Topics: []string{"t"}},
		"alone by pattern": {Topics: []string{"^t"}, Pattern: true},
		"group":            {Topics: []string{"t"}, Group: "g"},
		"group by pattern": {Topics: []string{"^t"}, Pattern: true, Group: "g"},
		"kip848":           {Topics: []string{"t"}, Group: "g", Balancer: "kip848"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
			sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Partitioner: "round-robin"})
			write(t, sink, "before")
			read.Config, read.Start = cfg, start(t, "end")
			src := openSource(t, read)
			reading(t, src)
			widen(t, cfg, "t", 2)
			if read.Pattern {
				if err := c.CreateTopic("t2", 1, nil); err != nil {
					t.Fatal(err)
				}
				write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t2"}), "first of t2")
				awaitFrom(t, src, func() {}, "t2", 0)
			}
			awaitFrom(t, src, func() { write(t, sink, "one", "two") }, "t", 1)
		})
	}
}

// widen gives a topic so many partitions.
func widen(t *testing.T, cfg kafka.Config, topic string, partitions int) {
	t.Helper()
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Alter(t.Context(), kafka.TopicSpec{Name: topic, Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
}

// reading reads until it is said that partition 0 has come to its end: reading has begun.
func reading(t *testing.T, src *kafka.Source) {
	t.Helper()
	await(t, src, func() {}, func(b *record.Batch) bool { return b.AtEnd })
}

// awaitFrom reads until the first record of a partition, its first one, has come. Before
// each read it does something.
func awaitFrom(t *testing.T, src *kafka.Source, do func(), topic string, n int32) {
	t.Helper()
	await(t, src, do, func(b *record.Batch) bool {
		if len(b.Recs) == 0 || b.Origin.Source != topic || b.Origin.Partition != n {
			return false
		}
		if at := b.Recs[0].Offset; at != 0 {
			t.Errorf("the first record of %s/%d is at %d", topic, n, at)
		}
		return true
	})
}

func await(t *testing.T, src *kafka.Source, do func(), holds func(*record.Batch) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pool := record.NewPool(1, 1<<10)
	for met := false; !met; {
		do()
		b, err := pool.Get(ctx)
		if err == nil {
			err = src.Read(ctx, b)
		}
		if err != nil {
			t.Fatal(err)
		}
		met = holds(b)
		if b.Barrier != nil {
			b.Barrier(nil)
		}
		b.Release()
	}
}
