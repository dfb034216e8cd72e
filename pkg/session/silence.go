package session

import (
	"math"

	"github.com/logctl/logctl/pkg/stream"
)

// A silence is how long no record has come. Then nothing but the clock tells that
// sessions are over: the watermark stands still.
//
// Time does not move on with it: what comes when the silence ends, as behind an
// outage, is not late. It begins another session, though, which may start when one
// did that the silence has closed.
type silence struct {
	since int64  // by the clock; 0: a record came since the last Tick
	until int64  // no session that a silence has closed began later
	times uint64 // how many silences have closed sessions
}

// over reports whether the silence has lasted for gap and grace, on input that is
// live: its last record was not older than the gap when it came.
func (s *silence) over(o *Op, now int64) bool {
	if s.since == 0 || o.newest == math.MinInt64 {
		s.since = now
		return false
	}
	age := s.since - o.newest
	return now-s.since > o.gap+o.grace && age <= o.gap && age >= -o.gap
}

// end closes what is open.
func (s *silence) end(o *Op, out stream.Output) error {
	if o.open == 0 && o.shelf.Size() == 0 && (o.order == nil || o.order.held.n == 0) {
		return nil
	}
	if err := o.close(math.MaxInt64, out); err != nil {
		return err
	}
	s.until = o.newest
	s.times++
	return nil
}

// tells returns what tells a session from those with the same key and start that
// silences have closed. It is the same for as long as a session is open.
func (s *silence) tells(start int64) uint64 {
	if start > s.until {
		return 0
	}
	return s.times
}
