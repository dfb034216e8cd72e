package window

import "github.com/logctl/logctl/pkg/record"

// Prepare evaluates keys and arguments of all records, and gives them the time at
// which they were read where that is asked for. It makes records bad whose time
// cannot be right.
func (o *Op) Prepare(b *record.Batch) {
	if o.cfg.Arrival {
		for i := range b.Recs {
			b.Recs[i].Time = b.Arrived
		}
	}
	o.times.Prepare(b)
	o.keys.Prepare(b)
	o.set.Prepare(b)
}
