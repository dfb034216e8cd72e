package store

import (
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/table"
)

// SinkOptions say how rows are written. The zero value is the default.
type SinkOptions struct {
	// Once drops records whose name came before within OnceTTL, by marks in the
	// transaction of the rows. Dropped is told how many. All may be unset.
	Once    table.Namer
	OnceTTL time.Duration
	Dropped func(int)

	// Busy is called when another process has kept the database for ten
	// seconds, from the opening on.
	// It returns an error to give up, or nil to wait on. Without it, that is an
	// error at once.
	Busy func(error) error

	// Breaker is told how attempts fare. Busy is called after each that fails while it
	// is open, and may wait as long as it says. nil: there is none.
	Breaker *limit.Breaker

	Unique    []string // the fields that make a row unique; by default where it came from
	Onward    bool     // all is from topics, and goes on from the positions kept here: no place comes twice
	Signature string   // of the operator whose state is kept beside the rows; "" for none
	Reset     bool     // discard the positions and the state that are kept
}

// patient tries until it fails for another reason than that another process keeps
// the database for itself, or Busy says that it was waited for long enough.
func (o *SinkOptions) patient(try func() error) error {
	for {
		err := try()
		if !busy(err) || o.Busy == nil {
			return err
		}
		if err := o.Busy(err); err != nil {
			return err
		}
	}
}
