package broker_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/broker"
)

// A client that wants less of a partition than a batch gets one batch at a time,
// of each partition in turn.
func TestPartitionsInTurn(t *testing.T) {
	const partitions, batches = 4, 8
	b := start(t, broker.Config{Partitions: partitions})
	cl := client(t, b.Addrs()[0], kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	for range batches {
		for p := range int32(partitions) {
			rec := &kgo.Record{Topic: "logs", Partition: p, Value: bytes.Repeat([]byte{'x'}, 10_000)}
			if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	reader := client(t, b.Addrs()[0], kgo.ConsumeTopics("logs"), kgo.FetchMaxPartitionBytes(1000),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var read [partitions]int
	for n := range partitions * batches {
		fetches := reader.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { read[r.Partition]++ })
		for p, has := range read {
			if most := read[0]; has > most+2 || has < most-2 {
				t.Fatalf("after %d records %d of partition %d are read, and %d of partition 0", n+1, has, p, most)
			}
		}
	}
}
