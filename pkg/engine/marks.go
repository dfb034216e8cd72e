package engine

import "github.com/logctl/logctl/pkg/record"

// marks are how far each of the partitions has come that a lane is filled from.
type marks map[place]upstream

type upstream struct {
	max   int64 // greatest event time
	idle  bool  // it holds nothing back
	ended bool
	next  int64 // where it has ended
}

// add takes in a mark. A partition that was idle holds time back again when it
// has something.
func (ms marks) add(m record.Mark) {
	at := place{m.Source, m.Partition}
	u, known := ms[at]
	switch {
	case m.Time == record.Idle, m.Time == record.Ended:
		u.idle, u.ended, u.next = true, m.Time == record.Ended, m.Next
		if !known {
			u.max = record.NoTime
		}
	case known:
		u = upstream{max: max(u.max, m.Time)}
	default:
		u = upstream{max: m.Time}
	}
	ms[at] = u
}

// time returns the least time of those that hold it back, or the greatest of all
// where none does.
func (ms marks) time() int64 {
	least, most := int64(forever), record.NoTime
	for _, u := range ms {
		most = max(most, u.max)
		if !u.idle {
			least = min(least, u.max)
		}
	}
	if least == forever {
		return most
	}
	return least
}

// append appends the marks to a task's own entry of its state. A later reader of
// the partition begins behind them: those of partitions that are silent or have
// ended do not come again.
func (ms marks) append(dst []byte) []byte {
	for at, u := range ms {
		kept := int64(going)
		switch {
		case u.ended:
			kept = endedAt + u.next
		case u.idle:
			kept = silent
		}
		dst = appendSeen(dst, place{at.source, ^at.partition}, seen{u.max, kept})
	}
	return dst
}

// What stands in the place of seen.active in the entry of an upstream partition,
// which is known by its number: less than zero.
const (
	going = iota
	silent
	endedAt // and the offset
)

// restore takes in what append has written of a partition.
func (ms marks) restore(at place, last seen) {
	u := upstream{max: last.max, idle: last.active >= silent, ended: last.active >= endedAt}
	if u.ended {
		u.next = last.active - endedAt
	}
	ms[place{at.source, ^at.partition}] = u
}

// ended returns the marks of the ends.
func (ms marks) ended() (all []record.Mark) {
	for at, u := range ms {
		if u.ended {
			all = append(all, record.Mark{Source: at.source, Partition: at.partition, Time: record.Ended, Next: u.next})
		}
	}
	return all
}
