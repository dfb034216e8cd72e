package kafka_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
)

// cluster starts a broker and returns how to reach it.
func cluster(t testing.TB, opts ...kfake.Opt) (kafka.Config, *kfake.Cluster) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return kafka.Config{Brokers: c.ListenAddrs()}, c
}

func openSink(t testing.TB, cfg kafka.SinkConfig) *kafka.Sink {
	t.Helper()
	s, err := kafka.OpenSink(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openSource(t testing.TB, cfg kafka.SourceConfig) *kafka.Source {
	t.Helper()
	s, err := kafka.OpenSource(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A rec is a record as tests compare them.
type rec struct {
	Partition int32
	Offset    int64
	Key       *string
	Value     *string
	Headers   [][2]string
	Stamp     int64
}

func text(b []byte) *string {
	s := string(b)
	return &s
}

// recs returns the records of a batch.
func recs(b *record.Batch) []rec {
	var out []rec
	for i := range b.Recs {
		r := &b.Recs[i]
		one := rec{Partition: b.Origin.Partition, Offset: r.Offset, Stamp: r.Stamp}
		if r.Flags&record.Tombstone == 0 {
			one.Value = text(b.Value(i))
		}
		if r.Flags&record.HasKey != 0 {
			one.Key = text(b.Bytes(r.Key))
		}
		for _, h := range b.Headers[r.Headers.Off:r.Headers.End()] {
			one.Headers = append(one.Headers, [2]string{string(b.Bytes(h.Key)), string(b.Bytes(h.Value))})
		}
		out = append(out, one)
	}
	return out
}

// readAll reads to the end and returns the records of each partition in their
// order, and the last position of each. Who reads in time order must have been
// told that each of them is at its end.
func readAll(t testing.TB, s *kafka.Source) (map[int32][]rec, map[int32]int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, next, open := map[int32][]rec{}, map[int32]int64{}, map[int32]bool{}
	pool := record.NewPool(1, 64<<10)
	for {
		b, err := pool.Get(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch err := s.Read(ctx, b); {
		case errors.Is(err, io.EOF):
			if len(open) > 0 {
				t.Errorf("nobody said that partitions %v are at their ends", open)
			}
			return got, next
		case err != nil:
			t.Fatalf("after %d partitions at %v: %v", len(got), next, err)
		}
		if b.Origin != nil {
			got[b.Origin.Partition] = append(got[b.Origin.Partition], recs(b)...)
			next[b.Origin.Partition] = b.Next
			if open[b.Origin.Partition] = true; b.AtEnd {
				delete(open, b.Origin.Partition)
			}
		}
		if b.Barrier != nil {
			b.Barrier(nil)
		}
		b.Release()
	}
}

// write writes lines as one batch.
func write(t testing.TB, s *kafka.Sink, lines ...string) {
	t.Helper()
	pool := record.NewPool(1, 64<<10)
	b, _ := pool.Get(t.Context())
	for _, l := range lines {
		b.Add([]byte(l))
	}
	err := s.Write(b.All())
	b.Release()
	if err == nil {
		err = s.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func stop(t testing.TB, s string) kafka.Bound {
	t.Helper()
	b, err := kafka.ParseStop(s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func start(t testing.TB, s string) kafka.Bound {
	t.Helper()
	b, err := kafka.ParseStart(s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return b
}
