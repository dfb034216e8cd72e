package kafka

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A portion says how much is fetched at a time. Of each broker there is one answer under
// way: over a long link that bounds how much comes in a second, and one that is worth the
// way is fetched. Once batches are compressed it is less, as they take several times the
// memory when they are unpacked. A portion is a hook of one client.
type portion struct {
	fetch, partition int  // bytes, over a short link
	fixed            bool // whatever the link

	mu      sync.Mutex
	client  *kgo.Client
	parts   int            // partitions that are read
	brokers map[int32]bool // those that have answered
	packed  bool
	slow    int // answers in a row that were worth the way and long in coming
}

const (
	farAway   = 50 * time.Millisecond // from the request to the end of the answer
	fewInARow = 3                     // a machine may stand still once
)

// OnNewClient takes the client, before it fetches.
func (p *portion) OnNewClient(client *kgo.Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client = client
}

// among takes in how many partitions are read.
func (p *portion) among(parts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts = parts
	p.update()
}

// OnFetchBatchRead looks whether a batch is compressed.
func (p *portion) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	if m.CompressionType == uint8(kgo.CodecNone) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.packed {
		p.packed = true
		p.update()
	}
}

// OnBrokerE2E looks how long an answer was in coming. A small one may have waited for
// records.
func (p *portion) OnBrokerE2E(from kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key != int16(kmsg.Fetch) || e.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.brokers[from.NodeID] = true
	switch {
	case p.far():
		return
	case e.BytesRead < p.partition/4 || e.ReadWait+e.TimeToRead < farAway:
		p.slow = 0
	default:
		p.slow++
		p.update()
	}
}

func (p *portion) far() bool { return p.slow >= fewInARow }

// update has the client fetch so much from now on.
func (p *portion) update() {
	if p.client != nil {
		p.client.UpdateFetchMaxBytes(p.sizes())
	}
}

// sizes returns how many bytes are fetched of a broker, and of a partition. Over a long
// link, one partition may take what others leave.
func (p *portion) sizes() (fetch, partition int32) {
	fetch, partition = int32(p.fetch), int32(p.partition)
	if p.packed {
		partition /= 2
	}
	if p.fixed || !p.far() {
		return fetch, partition
	}
	brokers := max(len(p.brokers), 1)
	if !p.packed {
		fetch = max(fetch, 2*fetch/int32(brokers))
	}
	return fetch, max(2*partition, fetch/int32(max(p.parts/brokers, 1)))
}
