package dlq

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// Newer finds letters for whose key there is a newer record in the topic that they came
// from. It is a stream.Sink for the records of these topics.
type Newer struct {
	keys  map[keyOf]*newest
	since int64
}

type keyOf struct{ topic, key string }

// newest is what is newest of a key.
type newest struct {
	time    int64
	offsets map[int32]int64
}

// NewNewer returns a Newer for the given letters.
func NewNewer(letters []Letter) *Newer {
	n := &Newer{keys: map[keyOf]*newest{}, since: record.NoTime}
	for i := range letters {
		l := &letters[i]
		if !l.Topic || !l.HasKey {
			continue
		}
		if len(n.keys) == 0 || l.Time < n.since {
			n.since = l.Time
		}
		n.keys[keyOf{l.Source, l.Key}] = &newest{time: record.NoTime, offsets: map[int32]int64{}}
	}
	return n
}

// Topics returns which topics to read and from which time on; record.NoTime means from
// the beginning.
func (n *Newer) Topics() (topics []string, since int64) {
	for k := range n.keys {
		topics = append(topics, k.topic)
	}
	slices.Sort(topics)
	return slices.Compact(topics), n.since
}

// Write looks at records of the topics.
func (n *Newer) Write(rows record.Rows) error {
	o := rows.Origin
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if rec.Flags&record.HasKey == 0 {
			continue
		}
		if k := n.keys[keyOf{o.Source, string(rows.Bytes(rec.Key))}]; k != nil {
			k.time = max(k.time, rec.Stamp)
			k.offsets[o.Partition] = max(k.offsets[o.Partition], rec.Offset)
		}
	}
	return nil
}

// Keep returns the letters for which there is no newer record: by offset in the same
// partition, or by time if their key has moved to another partition. Letters without a
// key are kept.
func (n *Newer) Keep(letters []Letter) []Letter {
	return slices.DeleteFunc(slices.Clone(letters), func(l Letter) bool {
		k := n.keys[keyOf{l.Source, l.Key}]
		if k == nil || !l.HasKey || !l.Topic {
			return false
		}
		if at, ok := k.offsets[l.Partition]; ok {
			return at > l.Offset
		}
		return k.time != record.NoTime && k.time > l.Time
	})
}
