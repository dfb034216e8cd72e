package codec

import "github.com/logctl/logctl/pkg/record"

// A live parser takes up another plan between two batches.
type live struct {
	decoder *Decoder
	current func() *record.Plan
	plan    *record.Plan
	parser  Parser
}

// NewLiveParser returns a parser for the fields of the plan that is current when
// a batch comes, and notes it in the batch's Plan. What follows from the fields
// must go by that, for the current one may have changed since.
func NewLiveParser(d *Decoder, current func() *record.Plan) Parser {
	return &live{decoder: d, current: current}
}

func (l *live) Parse(b *record.Batch) {
	if now := l.current(); now != l.plan {
		l.plan, l.parser = now, l.decoder.NewParser(now)
	}
	l.parser.Parse(b)
	b.Plan = l.plan
}
