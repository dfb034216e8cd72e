package guard

import (
	"time"

	"github.com/logctl/logctl/pkg/limit"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/spool"
	"github.com/logctl/logctl/pkg/stream"
)

// A Target is a sink that reports the results of its attempts to a breaker. While the
// breaker is open it does not wait but returns stream.ErrHeld; what was written before
// stays in flight.
type Target interface {
	stream.Sink
	stream.Flusher
	Flight
}

// Flight is about records that were given to a target and are not settled.
type Flight interface {
	// InFlight reports whether anything that was written is not settled yet.
	InFlight() bool
	// GiveUp ends the target and says what is lost.
	GiveUp() error
}

// A Policy says what happens to records that come while the breaker is open.
type Policy string

// The policies.
const (
	Block Policy = "block" // they wait, and so does all that comes behind them
	Drop  Policy = "drop"  // they are dropped, and counted
	Spool Policy = "spool" // they go into the spool
)

// Config says how a target is guarded.
type Config struct {
	Breaker  *limit.Breaker // the one that the target tells
	Spool    *spool.Spool   // nil for none; then there is no policy Spool and nothing is critical
	TTL      time.Duration  // what has been in the spool for longer is dropped and not sent; 0: nothing is
	OnOpen   Policy
	Critical func(b *record.Batch, i int) bool // goes into the spool whatever the policy; nil: nothing does
	Timeout  time.Duration                     // how long the end waits for what is in flight

	// Turned is told that the policy is applied from now on, and that it is not any
	// more. It may be nil.
	Turned func(open bool)

	// Kept and Dropped are told of records, all live, that are in the spool to
	// stay, and that are nowhere. Both may be nil.
	Kept, Dropped func(*record.Batch)

	Fallback bool // Dropped takes the records somewhere else: none is lost
}
