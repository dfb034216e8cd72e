package kafka_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A finisher is a member for whom something follows from the end of a partition,
// which it says only when it is told to.
type finisher struct {
	*kafka.Source
	ended chan error // what Read ended with

	mu   sync.Mutex
	last map[int32]stream.Position // of partitions that it has
	may  bool
	mute bool // it commits nothing
}

func (f *finisher) commit(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		return nil
	}
	at := slices.Collect(maps.Values(f.last))
	for i := range at {
		at[i].Done = f.may
	}
	return f.Commit(ctx, at)
}

// silence has it commit nothing, or go on to.
func (f *finisher) silence(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mute = on
}

// finish says that all is done that follows.
func (f *finisher) finish(ctx context.Context) error {
	f.mu.Lock()
	f.may = true
	f.mu.Unlock()
	return f.commit(ctx)
}

func (f *finisher) owns() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.last)
}

func (f *finisher) run(ctx context.Context) error {
	pool := record.NewPool(1, 2<<10)
	for {
		b, err := pool.Get(ctx)
		if err != nil {
			return err
		}
		if err := f.Read(ctx, b); err != nil {
			return err
		}
		if b.Origin != nil && b.AtEnd {
			f.mu.Lock()
			f.last[b.Origin.Partition] = stream.Position{
				Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Next,
			}
			f.mu.Unlock()
		}
		err = f.commit(ctx)
		if b.Barrier != nil {
			f.mu.Lock()
			for _, o := range b.Leaving {
				delete(f.last, o.Partition)
			}
			f.mu.Unlock()
			b.Barrier(err)
		}
		b.Release()
		if err != nil {
			return err
		}
	}
}

// waits fails if the member ends while it is looked at for a few times.
func (f *finisher) waits(t *testing.T, why string) {
	t.Helper()
	select {
	case err := <-f.ended:
		t.Fatalf("%s: it ended with %v", why, err)
	case <-time.After(2500 * time.Millisecond): // it looks every second
	}
}

// finishers returns a cluster with a topic of two partitions, and how to have another
// member join the group that reads them.
func finishers(t *testing.T, ctx context.Context) (kafka.Config, func(stop kafka.Bound) *finisher) {
	t.Helper()
	cfg, _ := cluster(t, kfake.SeedTopics(2, "t"), kfake.BrokerConfigs(map[string]string{
		"group.initial.rebalance.delay.ms": "0",
	}))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Partitioner: "round-robin"}), "a", "b", "c", "d")
	return cfg, func(stop kafka.Bound) *finisher {
		f := &finisher{
			Source: openSource(t, kafka.SourceConfig{
				Config: cfg, Topics: []string{"t"}, Group: "g", Stop: stop, Finishes: true,
			}),
			ended: make(chan error, 1), last: map[int32]stream.Position{},
		}
		go func() { f.ended <- f.run(ctx) }()
		return f
	}
}

// TestWordOfTheGone: that a partition is read without an end is believed of a member
// that lives, and not of one that is gone.
func TestWordOfTheGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cfg, join := finishers(t, ctx)
	gone := kadm.Offsets{}
	for n := range int32(2) {
		gone.Add(kadm.Offset{Topic: "t", Partition: n, At: 2, Metadata: "goes on gone"})
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := kadm.NewClient(client).CommitAllOffsets(ctx, "g", gone); err != nil {
		t.Fatal(err)
	}
	a := join(stop(t, "end"))
	a.silence(true) // when it gives a partition up, the word of the one who is gone stays
	b := join(kafka.Bound{})
	b.silence(true)
	for a.owns() != 1 || b.owns() != 1 {
		time.Sleep(10 * time.Millisecond)
	}
	a.silence(false)
	if err := a.finish(ctx); err != nil {
		t.Fatal(err)
	}
	a.waits(t, "the other partition was that of one who is gone")
	b.silence(false)
	if err := b.commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-a.ended; !errors.Is(err, io.EOF) {
		t.Errorf("beside one that goes on it ended with %v", err)
	}
}

// TestGroupEndsWhenAllIsDone: no member ends while a partition is read to its end but
// what follows from that is not committed: it might still come to this one.
func TestGroupEndsWhenAllIsDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	_, join := finishers(t, ctx)
	a, b := join(stop(t, "end")), join(stop(t, "end"))
	for a.owns() != 1 || b.owns() != 1 {
		select {
		case <-time.After(10 * time.Millisecond):
		case err := <-a.ended:
			t.Fatal(err)
		case err := <-b.ended:
			t.Fatal(err)
		case <-ctx.Done():
			t.Fatalf("they own %d and %d partitions", a.owns(), b.owns())
		}
	}
	if err := a.finish(ctx); err != nil {
		t.Fatal(err)
	}
	a.waits(t, "the other one is not done")
	if err := b.finish(ctx); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*finisher{a, b} {
		if err := <-f.ended; !errors.Is(err, io.EOF) {
			t.Errorf("a member ended with %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
