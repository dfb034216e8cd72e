package engine

import "github.com/logctl/logctl/pkg/record"

// marks are how far each of the partitions has come that a lane is filled from.
type marks map[place]upstream

type upstream struct {
	max  int64 // greatest event time
	idle bool  // it holds nothing back
}

// add takes in a mark. A partition that was idle holds time back again when it
// has something.
func (ms marks) add(m record.Mark) {
	at := place{m.Source, m.Partition}
	u, known := ms[at]
	switch {
	case m.Time == record.Idle, m.Time == record.Ended:
		u.idle = true
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
