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

// A fellow is a reader of one topic in a group whose members read different ones,
// as the classes of a run do.
type fellow struct {
	*kafka.Source
	batches chan *record.Batch
}

// fellowship returns how to have a reader of a topic join one group.
func fellowship(t *testing.T, topics ...string) (kafka.Config, func(topic string, stop kafka.Bound) *fellow) {
	t.Helper()
	cfg, _ := cluster(t, kfake.SeedTopics(2, topics...),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	return cfg, func(topic string, stop kafka.Bound) *fellow {
		f := &fellow{batches: make(chan *record.Batch)}
		f.Source = openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{topic}, Group: "g", Stop: stop,
		})
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		pool := record.NewPool(8, 1<<10)
		go func() {
			defer close(f.batches)
			for {
				b, err := pool.Get(ctx)
				if err != nil || f.Read(ctx, b) != nil {
					return
				}
				f.batches <- b
			}
		}()
		return f
	}
}

// next returns the next batch for which ok is true.
func (f *fellow) next(t *testing.T, ok func(*record.Batch) bool) *record.Batch {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case b, open := <-f.batches:
			if !open {
				t.Fatal("it has ended")
			}
			if ok(b) {
				return b
			}
			b.Release()
		case <-late:
			t.Fatal("it does not come")
		}
	}
}

func hasPartition(b *record.Batch) bool { return b.Origin != nil && !b.Lost }
func isBarrier(b *record.Batch) bool    { return b.Barrier != nil }

// TestCommitDoesNotWaitForOthers: a member commits although it waits to join until
// another one has given partitions up. Both may be readers of one run, and what
// they give up comes behind that commit.
func TestCommitDoesNotWaitForOthers(t *testing.T) {
	t.Parallel()
	_, join := fellowship(t, "a", "b")
	gives, waits := join("a", kafka.Bound{}), join("b", kafka.Bound{})
	gives.next(t, hasPartition)
	at := waits.next(t, hasPartition).Origin
	join("a", kafka.Bound{})
	barrier := gives.next(t, isBarrier)
	join("b", kafka.Bound{}) // has the group join again, and that wait for the one that gives
	for range 45 {           // more than one heartbeat
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := waits.Commit(ctx, []stream.Position{{Source: at.Source, Partition: at.Partition, Next: 0}})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	barrier.Barrier(nil)
}

// TestEndedReaderGivesUp: the partitions of a reader that has read to its end, in a
// run that goes on, go to others as soon as they are committed, and not before.
func TestEndedReaderGivesUp(t *testing.T) {
	t.Parallel()
	cfg, join := fellowship(t, "a")
	f := join("a", stop(t, "+1"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "a", Partitioner: "round-robin"}), "x", "y")
	var at []stream.Position
	for b := range f.batches {
		if len(b.Recs) > 0 {
			at = append(at, stream.Position{Source: "a", Partition: b.Origin.Partition, Next: b.Next})
		}
		b.Release()
	}
	other := join("a", kafka.Bound{})
	select {
	case b := <-other.batches:
		t.Fatalf("partition %d was given up before it was committed", b.Origin.Partition)
	case <-time.After(5 * time.Second): // more than one heartbeat
	}
	if err := f.Commit(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	other.next(t, hasPartition)
}
