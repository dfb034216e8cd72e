package window

import (
	"math"
	"slices"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// Prepare evaluates keys and arguments of all records, and gives them the time at
// which they were read where that is asked for. It makes records bad whose time
// cannot be right.
func (o *Op) Prepare(b *record.Batch) {
	if o.cfg.Arrival {
		for i := range b.Recs {
			b.Recs[i].Time = b.Arrived
		}
	}
	o.checkRecords(b)
	o.keys.Prepare(b)
	o.set.Prepare(b)
}

func (o *Op) checkRecords(b *record.Batch) {
	ahead := int64(math.MaxInt64)
	if o.cfg.MaxAhead > 0 {
		ahead = b.Arrived + int64(o.cfg.MaxAhead)
	}
	before := len(b.Faults)
	for i := range b.Recs {
		rec := &b.Recs[i]
		switch {
		case !rec.Live() || rec.Time > -maxTime && rec.Time < min(ahead, maxTime):
		case rec.Time == record.NoTime:
			b.SetBad(i, "it has no event time")
		case o.cfg.MaxAhead > 0 && rec.Time >= ahead:
			b.SetBad(i, "its event time is more than "+human.Span(o.cfg.MaxAhead)+" ahead of the time when it was read")
			o.stats.ahead.Add(1)
		default:
			b.SetBad(i, "its event time is not between the years 1824 and 2116")
		}
	}
	if len(b.Faults) > before {
		slices.SortStableFunc(b.Faults, func(x, y record.Fault) int { return x.Row - y.Row })
	}
}
