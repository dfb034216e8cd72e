package window

import (
	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// TakeTimes returns what sees to the times of records, for who takes them to the
// operator from elsewhere: time is counted from there on.
func (o *Op) TakeTimes() *aggregate.Times {
	o.check = new(aggregate.Times)
	return o.times
}

// Prepare evaluates keys and arguments of all records, and gives them the time at
// which they were read where that is asked for. It makes records bad whose time
// cannot be right.
func (o *Op) Prepare(b *record.Batch) {
	o.check.Prepare(b)
	o.keys.Prepare(b)
	o.set.Prepare(b)
}
