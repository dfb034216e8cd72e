package table

import (
	"time"

	"github.com/logctl/logctl/pkg/limit"
)

// Options say how rows are written into a table, of whichever database. The zero value
// is the default.
type Options struct {
	// Once drops records whose name came before within OnceTTL, by marks in the
	// transaction of the rows. Dropped is told how many. All may be unset.
	Once    Namer
	OnceTTL time.Duration
	Dropped func(int)

	// Busy is called when the database cannot be used for now: its server is down, or
	// another process has kept it for ten seconds; and every ten seconds while that is
	// so. It returns an error to give up, or nil to wait on. Without it, that is an
	// error at once.
	Busy func(error) error

	// Breaker is told how attempts fare. Busy is called after each that fails while it
	// is open, and may wait as long as it says. nil: there is none.
	Breaker *limit.Breaker

	Unique    []string // the fields that make a row unique; by default where it came from
	Signature string   // of the operator whose state is kept beside the rows; "" for none
	Reset     bool     // discard the positions and the state that are kept
}
