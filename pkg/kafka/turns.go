package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// stickyBytes is how much goes to one partition before records without a key
// turn to another one.
const stickyBytes = 64 << 10

// A turning partitioner gives records with a key to the partition that Kafka's own clients
// give them to, where keys is set, and others to one partition after the other, of which
// little waits to be sent. While they come so fast that a batch is full before it is to be
// sent, twice as much goes to each partition as to the one before, up to most: what fills
// one batch, and not several at a time, is nearer in the processor's caches when it is sent.
type turning struct {
	keys bool
	most int // bytes
	now  func() time.Time
}

// ForTopic returns the partitioner of one topic.
func (t turning) ForTopic(topic string) kgo.TopicPartitioner {
	const each = 1 // byte: it chooses anew whenever it is asked
	chooser := kgo.UniformBytesPartitioner(each, true, t.keys, nil).ForTopic(topic)
	return &turningTopic{turning: t, TopicBackupPartitioner: chooser.(kgo.TopicBackupPartitioner)}
}

type turningTopic struct {
	turning
	kgo.TopicBackupPartitioner
	at    int       // the partition
	size  int       // bytes that it was given
	room  int       // bytes that it is given in all; 0 at first
	since time.Time // when it was chosen
}

// PartitionByBackup returns the partition of r among n.
func (t *turningTopic) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if t.RequiresConsistency(r) {
		return t.TopicBackupPartitioner.PartitionByBackup(r, n, backup)
	}
	const beside = 8 // bytes that a record takes in a batch beside its own
	size := len(r.Key) + len(r.Value) + beside
	if t.size += size; t.size > t.room || t.at >= n {
		t.turn()
		t.at, t.size = t.TopicBackupPartitioner.PartitionByBackup(r, n, backup), size
	}
	return t.at
}

// turn sets how much the next partition is given.
func (t *turningTopic) turn() {
	now := t.now()
	if now.Sub(t.since) < shortLinger*time.Duration(t.room)/time.Duration(t.most) {
		t.room = min(2*t.room, t.most)
	} else {
		t.room = min(stickyBytes, t.most)
	}
	t.since = now
}
