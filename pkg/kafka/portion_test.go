package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestMoreIsFetchedOverALongLink tells a portion of answers, and looks at how much is
// fetched then.
func TestMoreIsFetchedOverALongLink(t *testing.T) {
	const kb, mb = 1 << 10, 1 << 20
	const far, near = 200 * time.Millisecond, time.Millisecond
	for name, c := range map[string]struct {
		parts, brokers   int
		fixed, packed    bool
		waits            []time.Duration
		bytes            int
		fetch, partition int32
	}{
		"near":                  {8, 1, false, false, []time.Duration{near, near, near}, mb, 4 * mb, 512 * kb},
		"near, packed":          {8, 1, false, true, []time.Duration{near, near, near}, mb, 4 * mb, 256 * kb},
		"far":                   {8, 1, false, false, []time.Duration{far, far, far}, mb, 8 * mb, 1 * mb},
		"far, packed":           {8, 1, false, true, []time.Duration{far, far, far}, mb, 4 * mb, 512 * kb},
		"far, one partition":    {1, 1, false, false, []time.Duration{far, far, far}, mb, 8 * mb, 8 * mb},
		"far, two brokers":      {8, 2, false, false, []time.Duration{far, far, far}, mb, 4 * mb, 1 * mb},
		"far, of a given size":  {8, 1, true, false, []time.Duration{far, far, far}, mb, 4 * mb, 512 * kb},
		"far, many partitions":  {99, 1, false, false, []time.Duration{far, far, far}, mb, 8 * mb, 1 * mb},
		"far, then near":        {1, 1, false, false, []time.Duration{far, far, far, near}, mb, 8 * mb, 8 * mb},
		"at the end of a topic": {8, 1, false, false, []time.Duration{far, far, far}, kb, 4 * mb, 512 * kb},
		"stood still":           {8, 1, false, false, []time.Duration{far, far, near, far, far}, mb, 4 * mb, 512 * kb},
	} {
		p := portion{fetch: 4 * mb, partition: 512 * kb, fixed: c.fixed, brokers: map[int32]bool{}}
		client, err := kgo.NewClient(kgo.WithHooks(&p))
		if err != nil {
			t.Fatal(err)
		}
		p.among(c.parts)
		for i, wait := range c.waits {
			from := kgo.BrokerMetadata{NodeID: int32(i % c.brokers)}
			p.OnBrokerE2E(from, int16(kmsg.Metadata), kgo.BrokerE2E{ReadWait: near})
			if c.packed {
				p.OnFetchBatchRead(from, "t", 0, kgo.FetchBatchMetrics{CompressionType: 2})
			}
			p.OnBrokerE2E(from, int16(kmsg.Fetch), kgo.BrokerE2E{BytesRead: c.bytes, TimeToRead: wait})
		}
		if client.OptValue(kgo.FetchMaxBytes) != c.fetch || client.OptValue(kgo.FetchMaxPartitionBytes) != c.partition {
			t.Errorf("%s: %v of a broker, %v of a partition are fetched; want %d, %d", name,
				client.OptValue(kgo.FetchMaxBytes), client.OptValue(kgo.FetchMaxPartitionBytes), c.fetch, c.partition)
		}
		client.Close()
	}
}
