package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// TestDeletedUnread: what retention deletes while nobody reads is counted and said.
func TestDeletedUnread(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a", "b", "c", "d")
	var said []string
	src := openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end"), Note: func(s string) { said = append(said, s) },
	})
	if err := src.Seek([]stream.Position{{Source: "t", Next: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteRecords("t", 0, 3); err != nil {
		t.Fatal(err)
	}
	got, _ := readAll(t, src)
	want := `topic "t", partition 0: 2 records, from offset 1 on, were deleted before they were read`
	if values(got[0]) != "d" || src.Deleted() != 2 || len(said) != 1 || said[0] != want {
		t.Errorf("read %q, %d deleted, said %q; want %q, 2, %q", values(got[0]), src.Deleted(), said, "d", want)
	}
}

// TestDeletedWhileRead: retention overtakes a reader, which counts what it misses and
// ends, though its last records are not there any more.
func TestDeletedWhileRead(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	const n = 40
	for i := range n {
		write(t, sink, fmt.Sprintf("%d%s", i, strings.Repeat(".", 1<<10)))
	}
	src := openSource(t, kafka.SourceConfig{
		Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end"), FetchBytes: 2 << 10, PartitionBytes: 2 << 10,
	})
	read := readOne(t, src)
	if err := c.DeleteRecords("t", 0, n); err != nil {
		t.Fatal(err)
	}
	got, next := readAll(t, src)
	read += int64(len(got[0]))
	if next[0] != n || read == n || read+src.Deleted() != n {
		t.Errorf("read %d up to %d, %d deleted; want %d in all", read, next[0], src.Deleted(), n)
	}
}

// readOne reads a batch with records, and returns how many.
func readOne(t *testing.T, src *kafka.Source) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pool := record.NewPool(1, 1<<10)
	for {
		b, err := pool.Get(ctx)
		if err == nil {
			err = src.Read(ctx, b)
		}
		if err != nil {
			t.Fatal(err)
		}
		n := len(b.Recs)
		if b.Release(); n > 0 {
			return int64(n)
		}
	}
}

// readOnce reads a batch, whatever is in it.
func readOnce(t *testing.T, src *kafka.Source) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := record.NewPool(1, 1<<10).Get(ctx)
	if err == nil {
		err = src.Read(ctx, b)
	}
	return err
}

// TestTopicMadeAnew: a topic that is removed and made anew under a reader ends its run,
// for what comes now has other offsets.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "a")
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g"})
	readOne(t, src)
	if err := errors.Join(c.DeleteTopic("t"), c.CreateTopic("t", 1, nil)); err != nil {
		t.Fatal(err)
	}
	err := readOnce(t, src)
	want := `topic "t" was removed, or made anew, while it was in use`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
