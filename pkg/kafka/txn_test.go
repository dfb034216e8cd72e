package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// copier copies topic "in" to two topics, in transactions with the positions.
type copier struct {
	src  *kafka.Source
	txn  *kafka.Txn
	a, b *kafka.Sink
}

func openCopier(t *testing.T, cfg kafka.Config) *copier {
	t.Helper()
	c := &copier{src: openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"in"}, Group: "copy", InstanceID: "copy-0", Stop: stop(t, "end"),
	})}
	var err error
	if c.txn, err = kafka.OpenTxn(t.Context(), kafka.TxnConfig{Config: cfg, ID: "copy-0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.txn.Close)
	if c.a, err = c.txn.OpenSink(t.Context(), kafka.SinkConfig{Topic: "a"}); err != nil {
		t.Fatal(err)
	}
	if c.b, err = c.txn.OpenSink(t.Context(), kafka.SinkConfig{Topic: "b", Partitioner: "partition:0"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// run copies n batches, the last of them written and acknowledged but not
// committed. It returns io.EOF at the end.
func (c *copier) run(ctx context.Context, n int) error {
	pool := record.NewPool(1, 2<<10)
	both := c.txn.Around(stream.Fanout(c.a, c.b), c.src)
	for n > 0 {
		b, err := pool.Get(ctx)
		if err != nil {
			return err
		}
		if err := c.src.Read(ctx, b); err != nil {
			return err
		}
		if len(b.Recs) > 0 {
			if n--; n == 0 {
				return errors.Join(both.Write(b.All()), c.a.Flush(ctx), c.b.Flush(ctx))
			}
			if err := both.Write(b.All()); err != nil {
				return err
			}
			both.Keep([]stream.Position{{Source: b.Origin.Source, Partition: b.Origin.Partition, Next: b.Next}})
			if err := both.Flush(ctx); err != nil {
				return err
			}
		}
		b.Release()
	}
	return nil
}

// A run that dies between writing and committing leaves nothing that a reader of
// committed records sees; the next one does it again, once.
func TestTxnIsWholeOrNothing(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(2, "in", "a", "b"))
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprintf("line %04d of the input, and what else it may say", i))
	}
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "in"}), want...)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := 2; ; n++ {
		c := openCopier(t, cfg)
		err := c.run(ctx, n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 { // as a kill does: no word to anyone
			c.txn = nil
		} else {
			c.txn.Close()
		}
		_ = c.src.Close()
	}
	for _, topic := range []string{"a", "b"} {
		got := map[string]int{}
		recs, _ := readAll(t, openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{topic}, Stop: stop(t, "end")}))
		for _, list := range recs {
			for _, r := range list {
				got[*r.Value]++
			}
		}
		for _, line := range want {
			if got[line] != 1 {
				t.Fatalf("topic %s has %q %d times", topic, line, got[line])
			}
		}
		if len(got) != len(want) {
			t.Errorf("topic %s has %d lines, want %d", topic, len(got), len(want))
		}
	}
}

// Whoever opens a transactional id fences the one that had it, which says so.
func TestTxnFences(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "in", "a", "b"))
	older := openCopier(t, cfg)
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "in"}), "x", "y")
	b := record.NewBatch()
	b.Add([]byte("from the older one"))
	if err := older.a.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	if err := older.a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	openCopier(t, cfg)
	err := older.txn.Commit(t.Context(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "another instance has taken it over") {
		t.Errorf("the older one commits with %v", err)
	}
}
