package kafka

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRequestSizes: while full batches of four partitions wait, a request takes one of
// them, and one of each partition over a long link.
func TestRequestSizes(t *testing.T) {
	t.Parallel()
	if got := largestRequest(t, false); got < 1<<19 || got > 1<<20+64<<10 {
		t.Errorf("%d bytes in the largest request, want one batch", got)
	}
	if got := largestRequest(t, true); got < 3<<20 {
		t.Errorf("%d bytes in the largest request over a long link, want four batches", got)
	}
	packed := &Sink{cfg: SinkConfig{Codec: "zstd"}}
	if got := packed.requestBytes(); got != 0 {
		t.Errorf("compressed: a limit of %d bytes", got)
	}
}

// largestRequest produces 8 MB to four partitions, which all wait when the first request
// is made, and returns the size of the largest one.
func largestRequest(t *testing.T, far bool) int64 {
	var largest atomic.Int64
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	asked, written := make(chan struct{}), make(chan struct{})
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		close(asked)
		<-written
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		size := int64(0)
		for _, topic := range r.(*kmsg.ProduceRequest).Topics {
			for _, p := range topic.Partitions {
				size += int64(len(p.Records))
			}
		}
		largest.Store(max(largest.Load(), size))
		return nil, nil, false
	})
	s := &Sink{
		cfg: SinkConfig{Topic: "t", Codec: "none"}, limit: 1 << 20, far: far,
		spread: kgo.RoundRobinPartitioner(), metrics: newMetrics("produce"),
	}
	opts, err := s.options()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.ListenAddrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value := make([]byte, 1000)
	for i := range 8000 {
		client.Produce(t.Context(), &kgo.Record{Value: value}, nil)
		if i == 0 {
			<-asked
		}
	}
	close(written)
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return largest.Load()
}

// TestFarSink: a cluster that is long in answering is far away.
func TestFarSink(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.DescribeConfigs), func(kmsg.Request) (kmsg.Response, error, bool) {
		time.Sleep(farAway)
		return nil, nil, false
	})
	s, err := OpenSink(t.Context(), SinkConfig{Config: Config{Brokers: c.ListenAddrs()}, Topic: "t"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if spread, ok := s.spread.(turning); !s.far || !ok || spread.most != stickyBytes {
		t.Errorf("it is taken to be near: far %v, records are spread by %+v", s.far, s.spread)
	}
	if got := (&Sink{limit: 1 << 20}).spreadBytes(); got != 1<<20 {
		t.Errorf("of a near one, %d bytes go to a partition before others", got)
	}
}
