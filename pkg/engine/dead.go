package engine

import (
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// WriteDead writes the bad records of b, raw and with their reason and origin
// in headers, to a sink. It is for the operator's goroutine, or a sink that it
// calls.
func WriteDead(to stream.Sink, b *record.Batch) error {
	letters := record.NewBatch()
	letters.Origin, letters.Arrived = b.Origin, b.Arrived
	for _, f := range b.Faults {
		letter.Append(letters, b, f.Row, &letter.State{
			Origin: letter.OriginOf(b, f.Row), Reason: f.Reason, Truncated: b.Recs[f.Row].Flags&record.Truncated != 0,
		})
	}
	return to.Write(letters.All())
}
