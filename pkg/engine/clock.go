package engine

import (
	"encoding/binary"
	"errors"
	"maps"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/wire"
)

// A clock is the event time of a task, as its state has it: the watermark and the times
// of partitions that are read stand in one entry, under the empty key; the time of a
// partition that nothing reads any more in one of its own, so that a commit writes only
// those that have ended since the one before.
type clock struct {
	watermark int64
	times     map[place]seen
	news      []place // those of times that have no entry of their own
	marks     marks
}

// A place names a partition in a task's state.
type place struct {
	source    string
	partition int32
}

// seen is what is known of a partition: its greatest event time, and when it last
// had something.
type seen struct{ max, active int64 }

// ownKey begins the key of the entry of a partition: its number and its source follow.
const ownKey = 0

// appendTimes appends to entries what decides what is late in the next run: with all,
// everything; else what has changed since it was last called.
func (t *task) appendTimes(entries *stream.Entries, all bool) {
	t.scratch = t.appendOpen(t.scratch[:0])
	entries.Append(nil, t.scratch)
	if all {
		for at, last := range t.times {
			t.appendOwn(entries, at, last)
		}
	} else {
		for _, at := range t.news {
			if last, ok := t.times[at]; ok { // or it is read again
				t.appendOwn(entries, at, last)
			}
		}
	}
	t.news = t.news[:0]
}

// appendOpen appends the watermark and the greatest event time of each partition that
// is read.
func (t *task) appendOpen(dst []byte) []byte {
	dst = binary.AppendVarint(dst, t.watermark)
	for _, l := range t.mine {
		if at, last, ok := l.seen(); ok {
			dst = appendSeen(dst, at, last)
		}
	}
	for _, l := range t.mine {
		dst = l.marks.append(dst)
	}
	return dst
}

// appendOwn appends the entry of a partition that nothing reads.
func (t *task) appendOwn(entries *stream.Entries, at place, last seen) {
	b := binary.AppendVarint(append(t.scratch[:0], ownKey), int64(at.partition))
	b = append(b, at.source...)
	key := len(b)
	b = binary.AppendVarint(binary.AppendVarint(b, last.max), last.active)
	entries.Append(b[:key], b[key:])
	t.scratch = b
}

// seen returns what is known of a lane's partition, if there is something.
func (l *lane) seen() (place, seen, bool) {
	if l.origin == nil || l.max == record.NoTime {
		return place{}, seen{}, false
	}
	return place{l.origin.Source, l.origin.Partition}, seen{l.max, l.active}, true
}

func appendSeen(dst []byte, at place, last seen) []byte {
	dst = wire.AppendBytes(dst, at.source)
	dst = binary.AppendVarint(dst, int64(at.partition))
	dst = binary.AppendVarint(dst, last.max)
	return binary.AppendVarint(dst, last.active)
}

var errTimes = errors.New("decoding the times of partitions: not what was encoded")

// restore takes in an entry that appendTimes has written, in any order. What is known
// of a partition may stand in two of them: it was read again after it had ended.
func (c *clock) restore(key, value []byte) error {
	r := wire.Read(value)
	if len(key) > 0 {
		number, n := binary.Varint(key[1:])
		if last := (seen{r.Varint(), r.Varint()}); n > 0 && !r.Failed() && r.Done() {
			c.add(place{string(key[1+n:]), int32(number)}, last)
			return nil
		}
		return errTimes
	}
	c.watermark = r.Varint()
	for !r.Failed() && !r.Done() {
		at := place{string(r.Bytes()), int32(r.Varint())}
		last := seen{r.Varint(), r.Varint()}
		switch {
		case r.Failed():
		case at.partition < 0:
			c.marks.restore(at, last)
		default:
			c.add(at, last)
			c.news = append(c.news, at)
		}
	}
	if r.Failed() {
		return errTimes
	}
	return nil
}

func (c *clock) add(at place, last seen) {
	if had, ok := c.times[at]; ok {
		last = seen{max(last.max, had.max), max(last.active, had.active)}
	}
	c.times[at] = last
}

// forget drops what is known of partitions that were silent for so long that they
// hold nothing back. There is no end of them where files are rotated.
func (r *run) forget(t *task) {
	now := r.Now()
	maps.DeleteFunc(t.times, func(_ place, last seen) bool { return r.Continues && now-last.active >= int64(r.Idle) })
}
