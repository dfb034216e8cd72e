package kafka_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

var (
	_ stream.Committer = (*kafka.Source)(nil)
	_ stream.Seeker    = (*kafka.Source)(nil)
	_ stream.Pauser    = (*kafka.Source)(nil)
	_ stream.Flusher   = (*kafka.Sink)(nil)
)

// values returns the values of a partition's records.
func values(rs []rec) string {
	var vs []string
	for _, r := range rs {
		if r.Value == nil {
			vs = append(vs, "null")
			continue
		}
		vs = append(vs, *r.Value)
	}
	return strings.Join(vs, " ")
}

func TestBounds(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t", "empty"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	write(t, sink, "0", "1", "2", "3", "4")
	time.Sleep(20 * time.Millisecond)
	middle := time.Now().UTC().Format("2006-01-02T15:04:05.999Z07:00")
	write(t, sink, "5", "6", "7", "8", "9")
	for _, c := range []struct {
		topic, start, stop string
		want               string
		next               int64
	}{
		{"t", "", "end", "0 1 2 3 4 5 6 7 8 9", 10},
		{"t", "beginning", "3", "0 1 2", 3},
		{"t", "-3", "end", "7 8 9", 10},
		{"t", "-100", "+1", "0", 1},
		{"t", "7", "+2", "7 8", 9},
		{"t", middle, "end", "5 6 7 8 9", 10},
		{"t", "-1h", middle, "0 1 2 3 4", 5},
		{"t", "end", "end", "", 10},
		{"t", "2", "2", "", 2},
		{"t", "99", "end", "", 10},
		{"t", "", "+0", "", 0},
		{"empty", "", "end", "", 0},
		{"empty", "-1h", "end", "", 0},
	} {
		t.Run(fmt.Sprintf("%s from %q to %q", c.topic, c.start, c.stop), func(t *testing.T) {
			src := openSource(t, kafka.SourceConfig{
				Config: cfg, Topics: []string{c.topic}, Start: start(t, c.start), Stop: stop(t, c.stop),
			})
			got, next := readAll(t, src)
			if values(got[0]) != c.want || next[0] != c.next {
				t.Errorf("read %q up to %d, want %q up to %d", values(got[0]), next[0], c.want, c.next)
			}
		})
	}
}

func TestBoundSyntax(t *testing.T) {
	now := time.Now()
	for _, bad := range []string{"begin", "-", "--1", "1h", "-1y", "yesterday", "+1"} {
		if _, err := kafka.ParseStart(bad, now); fault.Status(err) != fault.Usage {
			t.Errorf("start %q: %v", bad, err)
		}
	}
	for _, bad := range []string{"beginning", "+", "+-1", "-5x", "+1.5"} {
		if _, err := kafka.ParseStop(bad, now); fault.Status(err) != fault.Usage {
			t.Errorf("stop %q: %v", bad, err)
		}
	}
	future, err := kafka.ParseStop(now.Add(time.Hour).Format(time.RFC3339), now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = kafka.OpenSource(t.Context(), kafka.SourceConfig{Topics: []string{"t"}, Stop: future})
	if err == nil || !strings.Contains(err.Error(), "future") {
		t.Errorf("a stop in the future: %v", err)
	}
}

// TestAborted: records of aborted and open transactions are not seen, and a
// partition that ends in control records ends all the same.
func TestAborted(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			r := kgo.StringRecord(fmt.Sprintf("%d.%d", i, k))
			if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	for group, uncommitted := range map[string]bool{"": false, "g": false, "all": true} {
		src := openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{"t"}, Group: group, Stop: stop(t, "end"), Uncommitted: uncommitted,
		})
		got, next := readAll(t, src)
		want := "0.0 0.1 0.2 2.0 2.1 2.2"
		if uncommitted {
			want = "0.0 0.1 0.2 1.0 1.1 1.2 2.0 2.1 2.2 3.0 3.1 3.2"
		}
		if values(got[0]) != want || next[0] != 16 {
			t.Errorf("group %q: read %q up to %d, want %q up to 16", group, values(got[0]), next[0], want)
		}
	}
}

func TestSeekWinsOverCommitted(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "0", "1", "2", "3")
	sc := kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g", Stop: stop(t, "end"), Start: start(t, "1")}
	read := func(seek ...stream.Position) string {
		src := openSource(t, sc)
		if err := src.Seek(seek); err != nil {
			t.Fatal(err)
		}
		got, _ := readAll(t, src)
		if err := src.Commit(t.Context(), []stream.Position{{Source: "t", Next: 2}, {Source: "other", Next: 7}}); err != nil {
			t.Fatal(err)
		}
		_ = src.Close()
		return values(got[0])
	}
	if got := read(); got != "1 2 3" {
		t.Errorf("nothing committed: read %q, want the start's %q", got, "1 2 3")
	}
	if got := read(); got != "2 3" {
		t.Errorf("2 committed: read %q, want %q", got, "2 3")
	}
	if got := read(stream.Position{Source: "t", Next: 3}); got != "3" {
		t.Errorf("sought 3: read %q, want %q", got, "3")
	}
}

func TestAnnouncesAndPauses(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(2, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Partitioner: "partition:1"})
	write(t, sink, "a")
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g"})
	pool := record.NewPool(1, 1<<10)
	origins := map[int32]*record.Origin{}
	for len(origins) < 2 {
		b, _ := pool.Get(t.Context())
		if err := src.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if len(b.Recs) > 0 {
			t.Fatalf("records before all partitions are announced")
		}
		if want := b.Origin.Partition == 0; b.AtEnd != want || b.Next != 0 {
			t.Errorf("partition %d is announced with AtEnd %v at %d", b.Origin.Partition, b.AtEnd, b.Next)
		}
		origins[b.Origin.Partition] = b.Origin
		b.Release()
	}
	src.Pause(origins[1], true)
	began := time.Now()
	time.AfterFunc(300*time.Millisecond, func() { src.Pause(origins[1], false) })
	b, _ := pool.Get(t.Context())
	if err := src.Read(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); len(b.Recs) != 1 || b.Origin != origins[1] || d < 250*time.Millisecond {
		t.Errorf("%d records after %v", len(b.Recs), d)
	}
	lags := src.Lags()
	slices.SortFunc(lags, func(a, b kafka.Lag) int { return int(a.Partition - b.Partition) })
	if want := []kafka.Lag{{"t", 0, 0, 0}, {"t", 1, 1, 1}}; !slices.Equal(lags, want) {
		t.Errorf("lags %v, want %v", lags, want)
	}
}

func TestPattern(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "app-a", "app-b", "web"))
	for _, topic := range []string{"app-a", "app-b", "web"} {
		write(t, openSink(t, kafka.SinkConfig{Config: cfg, Topic: topic}), topic)
	}
	for _, group := range []string{"", "g"} {
		src := openSource(t, kafka.SourceConfig{
			Config: cfg, Topics: []string{"^app-.*"}, Pattern: true, Group: group, Stop: stop(t, "end"),
		})
		got, _ := readAll(t, src)
		all := strings.Fields(values(got[0]))
		slices.Sort(all)
		if !slices.Equal(all, []string{"app-a", "app-b"}) {
			t.Errorf("group %q: read %v", group, all)
		}
	}
}

func TestUnknownTopic(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "app-logs", "web"))
	began := time.Now()
	_, err := kafka.OpenSource(t.Context(), kafka.SourceConfig{Config: cfg, Topics: []string{"app-log"}})
	if err == nil || err.Error() != `topic "app-log" does not exist` ||
		fault.HintOf(err) != "did you mean app-logs? `logctl topic create app-log` creates it" {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
	if d := time.Since(began); d > 40*time.Second { // by default a minute
		t.Errorf("it took %v", d)
	}
	_, err = kafka.OpenSink(t.Context(), kafka.SinkConfig{Config: cfg, Topic: "xyz"})
	if err == nil || fault.HintOf(err) != "`logctl topic create xyz` creates it" {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

// TestSessionTimeout: one that the brokers do not allow is said, with what they do.
func TestSessionTimeout(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"), kfake.GroupMinSessionTimeout(6*time.Second))
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Group: "g", Session: 3 * time.Second})
	err := src.Read(t.Context(), record.NewBatch())
	if err == nil || !strings.Contains(err.Error(), "--session-timeout") || !strings.Contains(fault.HintOf(err), "6s") {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

// TestEndOfFile: after io.EOF it stays the end.
func TestEndOfFile(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(3, "t"))
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end")})
	readAll(t, src)
	b, _ := record.NewPool(1, 1<<10).Get(t.Context())
	if err := src.Read(t.Context(), b); !errors.Is(err, io.EOF) {
		t.Errorf("reading on: %v", err)
	}
}
