package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A member reads as the engine does: it commits what it has dealt with at
// barriers, now and then, and at its end.
type member struct {
	*kafka.Source
	seen map[string]int // shared, how often each value was read
	mu   *sync.Mutex
	next map[string]stream.Position
	read int           // records
	idle *atomic.Int32 // shared, how many members have read nothing so far
}

func (m *member) commit(ctx context.Context) error {
	at := make([]stream.Position, 0, len(m.next))
	for _, p := range m.next {
		at = append(at, p)
	}
	return m.Commit(ctx, at)
}

// run reads until the end, or at most n batches with records.
func (m *member) run(ctx context.Context, n int) error {
	pool := record.NewPool(1, 2<<10)
	for n != 0 {
		b, err := pool.Get(ctx)
		if err != nil {
			return err
		}
		err = m.Read(ctx, b)
		if errors.Is(err, io.EOF) {
			return m.commit(ctx)
		}
		if err != nil {
			return err
		}
		if b.Barrier != nil {
			b.Barrier(m.commit(ctx))
			b.Release()
			continue
		}
		m.take(b)
		if len(b.Recs) > 0 {
			n--
			time.Sleep(m.pause())
		}
		b.Release()
		if err := m.commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pause is longer while others have read nothing: it leaves something to them.
func (m *member) pause() time.Duration {
	if m.idle.Load() > 0 {
		return 200 * time.Millisecond
	}
	return 10 * time.Millisecond
}

func (m *member) take(b *record.Batch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range b.Recs {
		m.seen[string(b.Value(i))]++
	}
	if m.read == 0 && len(b.Recs) > 0 {
		m.idle.Add(-1)
	}
	m.read += len(b.Recs)
	at := stream.Position{Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Next}
	m.next[fmt.Sprint(at.Source, at.Partition)] = at
}

// TestRebalance: three members, one of which leaves mid-way and one of which
// comes late, read every record; and, as all give their partitions up in order,
// each once.
func TestRebalance(t *testing.T) {
	const n = 40_000
	for _, balancer := range kafka.Balancers {
		t.Run(balancer, func(t *testing.T) {
			t.Parallel()
			cfg, _ := cluster(t, kfake.SeedTopics(6, "t"), kfake.DataDir(t.TempDir()),
				kfake.BrokerConfigs(map[string]string{
					"group.initial.rebalance.delay.ms": "0", "group.consumer.heartbeat.interval.ms": "200",
				}))
			sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Partitioner: "round-robin"})
			lines := make([]string, n)
			for i := range lines {
				lines[i] = fmt.Sprintf("record %06d", i)
			}
			write(t, sink, lines...)
			seen, mu := map[string]int{}, new(sync.Mutex)
			idle := new(atomic.Int32)
			join := func(instance string) *member {
				idle.Add(1)
				src := openSource(t, kafka.SourceConfig{
					Config: cfg, Topics: []string{"t"}, Group: "g", Balancer: balancer, InstanceID: instance,
					Stop: stop(t, "end"), PartitionBytes: 4 << 10,
				})
				return &member{src, seen, mu, map[string]stream.Position{}, 0, idle}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			var all sync.WaitGroup
			run := func(m *member, batches int) {
				all.Go(func() {
					if err := m.run(ctx, batches); err != nil {
						t.Error(err)
					}
					if err := m.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			members := []*member{join("a"), join("b"), join("")}
			run(members[0], -1)
			run(members[1], 10)
			time.Sleep(500 * time.Millisecond)
			run(members[2], -1)
			all.Wait()
			for i, m := range members {
				if m.read == 0 {
					t.Errorf("member %d read nothing", i)
				}
			}
			twice := 0
			for _, l := range lines {
				if seen[l] == 0 {
					t.Fatalf("%q was lost; %d of %d read", l, len(seen), n)
				}
				if seen[l] > 1 {
					twice++
				}
			}
			if twice > 0 {
				t.Errorf("%d of %d records were read twice", twice, n)
			}
		})
	}
}

// TestLeaves: a member that ends leaves the group at once, a static one too.
func TestLeaves(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, instance := range []string{"", "i1"} {
		src := openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{"t"}, Group: "g" + instance, InstanceID: instance, Stop: stop(t, "end"),
		})
		readAll(t, src)
		_ = src.Close()
		groups, err := kadm.NewClient(client).DescribeGroups(t.Context(), "g"+instance)
		if err != nil {
			t.Fatal(err)
		}
		if members := groups["g"+instance].Members; len(members) != 0 {
			t.Errorf("instance %q: %d members are left", instance, len(members))
		}
	}
}
