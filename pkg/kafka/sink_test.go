package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/kafka"
	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// writeTo writes lines as one batch and flushes, and returns the first error.
func writeTo(ctx context.Context, s *kafka.Sink, lines ...string) error {
	b, _ := record.NewPool(1, 1<<20).Get(ctx)
	b.Origin = &record.Origin{Source: "in.log"}
	for i, l := range lines {
		b.Add([]byte(l)).Line = int64(i + 1)
	}
	defer b.Release()
	if err := s.Write(b.All()); err != nil {
		return err
	}
	return s.Flush(ctx)
}

// smallTopic makes a topic t of one partition that takes no batch above 2,000 bytes.
func smallTopic(t *testing.T, cfg kafka.Config) {
	t.Helper()
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	spec := kafka.TopicSpec{Name: "t", Partitions: 1, Configs: map[string]string{"max.message.bytes": "2000"}}
	if _, err := admin.Create(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

func TestTooLarge(t *testing.T) {
	cfg, _ := cluster(t)
	smallTopic(t, cfg)
	huge := strings.Repeat("x", 3000)
	want := "a record of 3000 bytes is too large: max.message.bytes of the topic is 2000"
	for _, txn := range []string{"", "tid"} {
		var bad []*record.Batch
		sc := kafka.SinkConfig{Config: cfg, Topic: "t", Txn: txn, OnFailed: func(b *record.Batch) error {
			bad = append(bad, b)
			return nil
		}}
		sink := openSink(t, sc)
		if err := writeTo(t.Context(), sink, "one", huge, "two"); err != nil {
			t.Fatal(err)
		}
		if err := sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(bad) != 1 || len(bad[0].Recs) != 1 || string(bad[0].Value(0)) != huge ||
			bad[0].Recs[0].Line != 2 || bad[0].Origin.Source != "in.log" || bad[0].Faults[0].Reason != want {
			t.Errorf("txn %q: refused %+v", txn, bad)
		}
		if r := sink.Report(); r.Sent != 3 || r.Acked != 2 || r.Failed != 1 || r.Bytes != 6 {
			t.Errorf("txn %q: report %+v", txn, r)
		}
	}
	err := writeTo(t.Context(), openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"}), "one", huge)
	if err == nil || err.Error() != `topic "t": `+want {
		t.Errorf("without a place for bad records: %v", err)
	}
	src := openSource(t, kafka.SourceConfig{Config: cfg, Topics: []string{"t"}, Stop: stop(t, "end")})
	if got, _ := readAll(t, src); !strings.HasPrefix(values(got[0]), "one two one two") {
		t.Errorf("the topic holds %.100q", values(got[0]))
	}
}

// TestRefusedAgain has OnFailed write something shorter that is refused, too, as
// fast as it is written: Flush returns when none of it is left.
func TestRefusedAgain(t *testing.T) {
	t.Parallel()
	cfg, _ := cluster(t)
	smallTopic(t, cfg)
	var sink *kafka.Sink
	sink = openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", OnFailed: func(b *record.Batch) error {
		short := record.NewBatch()
		short.Origin = b.Origin
		short.Add(b.Value(0)[:len(b.Value(0))/2])
		return sink.Write(short.All())
	}})
	const rounds = 200
	for i := range rounds {
		if err := writeTo(t.Context(), sink, strings.Repeat("x", 100_000)); err != nil {
			t.Fatal(err)
		}
		if r := sink.Report(); r.Acked != int64(i+1) {
			t.Fatalf("round %d: %d records are acknowledged after Flush", i+1, r.Acked)
		}
	}
}

// TestManySmallRecords: a topic's limit is on batches; small records never
// exceed it together.
func TestManySmallRecords(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	admin, err := kafka.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Alter(t.Context(), kafka.TopicSpec{Name: "t", Configs: map[string]string{"max.message.bytes": "3000"}}); err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = strings.Repeat("y", 100)
	}
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Codec: "none"})
	if err := writeTo(t.Context(), sink, lines...); err != nil {
		t.Fatal(err)
	}
	if r := sink.Report(); r.Acked != 1000 {
		t.Errorf("report %+v", r)
	}
}

func TestBrokerGone(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Timeout: 3 * time.Second})
	if err := writeTo(t.Context(), sink, "one"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	began := time.Now()
	err := writeTo(t.Context(), sink, "two", "three")
	if err == nil || !strings.Contains(err.Error(), cfg.Brokers[0]) || !strings.Contains(err.Error(), "2 records") {
		t.Errorf("error %v; want the address and that 2 records are open", err)
	}
	if d := time.Since(began); d > 20*time.Second { // by default 30
		t.Errorf("it took %v", d)
	}
	if again := writeTo(t.Context(), sink, "four"); again == nil || again.Error() != err.Error() {
		t.Errorf("writing on: %v, and not as before, without another wait: %v", again, err)
	}
}

func TestBufferFull(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Buffer: 1000, MaxBlock: 300 * time.Millisecond})
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	b, _ := record.NewPool(1, 1<<10).Get(t.Context())
	b.Add(make([]byte, 700))
	if err := sink.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	err := sink.Write(b.All())
	if err == nil || !strings.Contains(err.Error(), "stayed full for 300ms") {
		t.Errorf("error %v", err)
	}
	close(release)
	if err := sink.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if err := sink.Write(b.All()); err != nil {
		t.Errorf("there is room again, but: %v", err)
	}
}

// TestFullBufferSendsWhatLingers: what waits for more to come is sent when nothing more
// can: else the buffer would stay full.
func TestFullBufferSendsWhatLingers(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(1, "t"))
	for _, adaptive := range []bool{false, true} {
		sink := openSink(t, kafka.SinkConfig{
			Config: cfg, Topic: "t", Buffer: 1000, Linger: time.Minute, Timeout: time.Hour, MaxBlock: 40 * time.Second,
		})
		if adaptive {
			sink.Adapt()
		}
		b, _ := record.NewPool(1, 1<<10).Get(t.Context())
		b.Add(make([]byte, 700))
		for range 3 {
			if err := sink.Write(b.All()); err != nil {
				t.Fatalf("adaptive %t: %v", adaptive, err)
			}
		}
		if err := sink.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := sink.Report(); r.Acked != 3 {
			t.Errorf("report %+v", r)
		}
	}
}

// refusal answers a produce request with an error for each partition.
func refusal(r kmsg.Request, why *kerr.Error) kmsg.Response {
	resp := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range r.(*kmsg.ProduceRequest).Topics {
		one := kmsg.NewProduceResponseTopic()
		one.Topic, one.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, why.Code
			one.Partitions = append(one.Partitions, part)
		}
		resp.Topics = append(resp.Topics, one)
	}
	return resp
}

func TestNotAuthorized(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t"})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return refusal(r, kerr.TopicAuthorizationFailed), nil, true
	})
	err := writeTo(t.Context(), sink, "one")
	if err == nil || !strings.Contains(err.Error(), `topic "t": user "anonymous" may not`) || fault.HintOf(err) == "" {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

// TestExhausted: records that were sent as often as they may are handed back, and
// the next ones go on.
func TestExhausted(t *testing.T) {
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	var bad []*record.Batch
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Retries: 2, Exhaust: true, OnFailed: func(b *record.Batch) error {
		bad = append(bad, b)
		return nil
	}})
	down := true
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if !down {
			return nil, nil, false
		}
		c.KeepControl()
		return refusal(r, kerr.NotEnoughReplicas), nil, true
	})
	if err := writeTo(t.Context(), sink, "one", "two"); err != nil {
		t.Fatal(err)
	}
	down = false
	if err := writeTo(t.Context(), sink, "three"); err != nil {
		t.Fatal(err)
	}
	if len(bad) != 1 || len(bad[0].Recs) != 2 || !strings.HasPrefix(bad[0].Faults[0].Reason, "not acknowledged after 2 sendings") {
		t.Errorf("handed back: %+v", bad)
	}
	if r := sink.Report(); r.Acked != 1 || r.Failed != 2 {
		t.Errorf("report %+v", r)
	}
}

// TestBreakerOfASink: while no broker answers, failures open the breaker; then
// Flush does not wait, what is in flight stays there, and arrives when the broker
// answers again.
func TestBreakerOfASink(t *testing.T) {
	t.Parallel()
	cfg, c := cluster(t, kfake.SeedTopics(1, "t"))
	b := &limit.Breaker{Trip: limit.Trip{Failures: 2}, OpenFor: 300 * time.Millisecond}
	sink := openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Breaker: b})
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	began := time.Now()
	err := writeTo(t.Context(), sink, "one")
	if !errors.Is(err, stream.ErrHeld) || !strings.Contains(err.Error(), "1 records in flight") {
		t.Fatalf("error %v", err)
	}
	if d := time.Since(began); d < 1500*time.Millisecond || d > 25*time.Second || !sink.InFlight() {
		t.Errorf("two seconds without an acknowledgement took %v; in flight %v", d, sink.InFlight())
	}
	close(release)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if err = sink.Flush(t.Context()); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil || sink.InFlight() || sink.Report().Acked != 1 {
		t.Errorf("the broker answers again: %v, %+v", err, sink.Report())
	}
}

func TestSinkOptions(t *testing.T) {
	cfg, _ := cluster(t, kfake.SeedTopics(3, "t"))
	for want, sc := range map[string]kafka.SinkConfig{
		`unknown acks "2"`:                                    {Acks: "2"},
		`unknown compression "zip"`:                           {Codec: "zip"},
		`unknown partitioner "x"`:                             {Partitioner: "x"},
		`topic "t" has 3 partitions, there is no partition 3`: {Partitioner: "partition:3"},
		`transactions need --acks all, not "1"`:               {Txn: "x", Acks: "1"},
	} {
		sc.Config, sc.Topic = cfg, "t"
		if _, err := kafka.OpenSink(t.Context(), sc); err == nil || err.Error() != want || fault.Status(err) != fault.Usage {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, acks := range []string{"0", "1", "all"} {
		if err := writeTo(t.Context(), openSink(t, kafka.SinkConfig{Config: cfg, Topic: "t", Acks: acks}), "x"); err != nil {
			t.Errorf("acks %s: %v", acks, err)
		}
	}
}
