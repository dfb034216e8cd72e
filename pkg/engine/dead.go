package engine

import (
	"github.com/logctl/logctl/pkg/letter"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// WriteDead writes the bad records of b, raw and with their reason and origin
// in headers, to a sink. It is for the operator's goroutine, or a sink that it
// calls.
func WriteDead(to stream.Sink, b *record.Batch) error { return writeDead(to, b, b.Faults) }

func writeDead(to stream.Sink, b *record.Batch, faults []record.Fault) error {
	letters := record.NewBatch()
	letters.Origin, letters.Arrived = b.Origin, b.Arrived
	for _, f := range faults {
		letter.Append(letters, b, f.Row, &letter.State{
			Origin: letter.OriginOf(b, f.Row), Reason: f.Reason, Truncated: b.Recs[f.Row].Flags&record.Truncated != 0,
		})
	}
	return to.Write(letters.All())
}

// bury writes the bad ones of a batch's first rows as dead letters: together with
// the position behind them, so that they come no more often than rows do. What
// goes wrong shows at the next commit.
func (ls *lanes) bury(j *job, rows int) {
	from := j.buried
	for j.buried < len(j.Faults) && j.Faults[j.buried].Row < rows {
		j.buried++
	}
	if ls.graves == nil || from == j.buried || ls.unburied != nil {
		return
	}
	ls.unburied = writeDead(ls.graves, j.Batch, j.Faults[from:j.buried])
}

// release gives a batch back when all its rows are dealt with.
func (ls *lanes) release(j *job) {
	ls.bury(j, len(j.Recs))
	j.Release()
}
