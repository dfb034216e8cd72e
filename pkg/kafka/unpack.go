package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/human"
)

// An unpacker bounds how much of what is fetched is unpacked at a time: a few kilobytes
// may become gigabytes, and the client takes a whole answer apart before it hands out any
// of it. What comes behind enough stays packed, and is fetched again once that is taken.
type unpacker struct {
	kgo.Decompressor
	most int

	mu      sync.Mutex
	waiting int          // bytes that are not taken yet, of all brokers
	of      map[part]int // likewise, of each partition
}

// newUnpacker returns one that unpacks as a client does, with that one's pools and its
// bound of a batch.
func newUnpacker(as *kgo.Client, most int) *unpacker {
	d := as.OptValue(kgo.WithDecompressor).(kgo.Decompressor) //nolint:forcetypeassert // every client has one
	return &unpacker{Decompressor: d, most: most, of: map[part]int{}}
}

// errFull says that a batch has to wait until others are taken.
var errFull = errors.New("enough is unpacked for now")

// Decompress implements kgo.Decompressor. What is behind nothing is never
// too much, so that each partition comes to its turn.
func (u *unpacker) Decompress(packed []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	u.mu.Lock()
	full := u.waiting >= u.most
	u.mu.Unlock()
	if full {
		return nil, errFull
	}
	return u.Decompressor.Decompress(packed, codec)
}

// OnFetchBatchRead is told by the client what a batch takes, before it looks at the next.
func (u *unpacker) OnFetchBatchRead(_ kgo.BrokerMetadata, topic string, n int32, m kgo.FetchBatchMetrics) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.waiting += m.UncompressedBytes
	u.of[part{topic, n}] += m.UncompressedBytes
}

// taken tells what was unpacked of each partition since it was called last.
func (u *unpacker) taken(tell func(of part, size int)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, size := range u.of {
		tell(id, size)
	}
	u.waiting = 0
	clear(u.of)
}

// A refusal stands for the records of a batch that is not unpacked: it is the context of
// one among those that are pending, at the last of their offsets.
type refusal struct {
	context.Context
	why string
}

// takesTooMuch is why the records of such a batch are bad.
func takesTooMuch(first, last int64, most int) string {
	return fmt.Sprintf("the batch of offsets %d to %d takes more than %s when it is unpacked",
		first, last, human.Bytes(int64(most)))
}

// refuse puts a bad record in the place of a batch that would be too large, and returns
// where to go on behind it.
func (s *Source) refuse(p *partition, batch *kgo.ErrDecompressTooLarge) kgo.EpochOffset {
	last := batch.NextOffset - 1
	if p.stop != never {
		last = min(last, p.stop-1)
	}
	why := takesTooMuch(batch.Offset, last, s.cfg.Unpacked)
	if !p.refused {
		p.refused = true
		s.note("topic %q, partition %d: %s; it is bad, as are others like it", p.topic, p.n, why)
	}
	p.silent = time.Now()
	p.add([]*kgo.Record{{
		Topic: p.topic, Partition: p.n, Offset: last,
		Context: refusal{context.Background(), why},
	}})
	return kgo.EpochOffset{Epoch: batch.Epoch, Offset: batch.NextOffset}
}
