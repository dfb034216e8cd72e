package kafka

import (
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/logctl/logctl/pkg/fault"
)

// parsePartitioner returns the partitioner of the given name, and the partition
// that it is fixed to, or -1. No more than most bytes without a key go to one partition
// before others, where they are spread.
func parsePartitioner(name string, most int) (kgo.Partitioner, int32, error) {
	kind, rest, _ := strings.Cut(name, ":")
	switch kind {
	case "", "murmur2":
		return turning{keys: true, most: most, now: time.Now}, -1, nil
	case "sticky":
		return turning{most: most, now: time.Now}, -1, nil
	case "round-robin":
		return kgo.RoundRobinPartitioner(), -1, nil
	case "partition":
		n, err := strconv.ParseInt(rest, 10, 32)
		if err != nil || n < 0 {
			return nil, -1, fault.Usagef("a number from 0, as in partition:3", "%q is no partition", rest)
		}
		return kgo.ManualPartitioner(), int32(n), nil
	case "salt":
		eq := strings.LastIndexByte(rest, '=')
		n, err := strconv.Atoi(rest[eq+1:])
		if eq < 1 || err != nil || n < 1 {
			return nil, -1, fault.Usagef("as in salt:KEY=8", "%q does not say which key goes to how many partitions", name)
		}
		return salted{key: rest[:eq], n: n}, -1, nil
	}
	known := []string{"murmur2", "sticky", "round-robin", "partition:N", "salt:KEY=N"}
	return nil, -1, fault.Usagef(oneOf(name, known), "unknown partitioner %q", name)
}

// ByKey returns what chooses a partition of n by a record's key, as murmur2 does.
func ByKey(n int) func(key []byte) int {
	p := kgo.StickyKeyPartitioner(nil).ForTopic("")
	return func(key []byte) int { return p.Partition(&kgo.Record{Key: key}, n) }
}

// salted spreads the records of one hot key over n partitions, in turn, from
// the one on that murmur2 gives it. All other records go where murmur2 says.
type salted struct {
	key string
	n   int
}

// ForTopic returns the partitioner of one topic.
func (s salted) ForTopic(topic string) kgo.TopicPartitioner {
	base := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	return &saltedTopic{TopicPartitioner: base, salted: s}
}

type saltedTopic struct {
	kgo.TopicPartitioner
	salted
	turn int
}

// Partition returns the partition of r among n.
func (s *saltedTopic) Partition(r *kgo.Record, n int) int {
	p := s.TopicPartitioner.Partition(r, n)
	if string(r.Key) != s.key {
		return p
	}
	s.turn = (s.turn + 1) % min(s.n, n)
	return (p + s.turn) % n
}
