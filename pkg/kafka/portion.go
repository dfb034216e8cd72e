package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A portion has less of a partition fetched at a time from the first batch on that is
// compressed: unpacked, it takes several times the memory. It is a hook of one client.
type portion struct {
	fetch, partition int32 // bytes, from then on
	client           *kgo.Client
	once             sync.Once
}

// OnNewClient takes the client, before it fetches.
func (p *portion) OnNewClient(client *kgo.Client) { p.client = client }

// OnFetchBatchRead looks whether a batch is compressed.
func (p *portion) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	if m.CompressionType != uint8(kgo.CodecNone) {
		p.once.Do(func() { p.client.UpdateFetchMaxBytes(p.fetch, p.partition) })
	}
}
