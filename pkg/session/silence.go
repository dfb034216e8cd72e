package session

import "math"

// A silence is how long no record has come. Then nothing but the clock tells that
// sessions are over: the watermark stands still.
//
// Time does not move on with it: what comes when the silence ends, as behind an
// outage, is not late. It begins another session, though.
type silence struct {
	since int64 // by the clock; 0: a record came since the last Tick
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
