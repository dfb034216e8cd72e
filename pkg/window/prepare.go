package window

import (
	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/record"
)

// TakeTimes returns the part that checks and sets the times of records, for a pipeline
// that does this before records come to the operator. The operator does it no more
// then.
func (o *Op) TakeTimes() *aggregate.Times {
	o.check = new(aggregate.Times)
	return o.times
}

// Prepare evaluates keys and arguments of all records and, with processing time, sets
// their time to when they were read. It marks records whose time cannot be right as
// bad.
func (o *Op) Prepare(b *record.Batch) {
	o.check.Prepare(b)
	o.keys.Prepare(b)
	o.set.Prepare(b)
}
