package aggregate

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// maxTime is beyond every time that a record may have: the year 2116. Twice as
// much is still a time.
const maxTime = math.MaxInt64 / 2

// Times see to it that records have event times that can be right.
type Times struct {
	// MaxAhead, where set, makes records bad that are stamped more than this
	// beyond the time when they were read, so that one bad clock does not end
	// everyone's windows.
	MaxAhead time.Duration

	// Arrival gives records the time when they were read.
	Arrival bool

	ahead atomic.Int64
}

// Ahead returns how many records were set aside for being stamped in the
// future.
func (x *Times) Ahead() int64 { return x.ahead.Load() }

// Prepare makes records bad whose time cannot be right, and has time not go on with
// those that were filtered out. It is for parsing goroutines.
func (x *Times) Prepare(b *record.Batch) {
	if x.Arrival {
		for i := range b.Recs {
			b.Recs[i].Time = b.Arrived
		}
	}
	ahead := int64(math.MaxInt64)
	if x.MaxAhead > 0 {
		ahead = b.Arrived + int64(x.MaxAhead)
	}
	before := len(b.Faults)
	for i := range b.Recs {
		rec := &b.Recs[i]
		switch {
		case rec.Flags&record.Filtered != 0:
			if rec.Flags&record.Undated != 0 || rec.Time <= -maxTime || rec.Time >= min(ahead, maxTime) {
				rec.Flags &^= record.Filtered
			}
		case !rec.Live() || rec.Time > -maxTime && rec.Time < min(ahead, maxTime):
		case rec.Time == record.NoTime:
			b.SetBad(i, "it has no event time")
		case x.MaxAhead > 0 && rec.Time >= ahead:
			b.SetBad(i, "its event time is more than "+human.Span(x.MaxAhead)+" ahead of the time when it was read")
			x.ahead.Add(1)
		default:
			b.SetBad(i, "its event time is not between the years 1824 and 2116")
		}
	}
	if len(b.Faults) > before {
		slices.SortStableFunc(b.Faults, func(x, y record.Fault) int { return x.Row - y.Row })
	}
}
