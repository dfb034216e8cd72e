package stamp

import "time"

// A week in nanoseconds, and the first Monday after the epoch, which was a
// Thursday.
const (
	week   = 7 * day * 1e9
	monday = 4 * day * 1e9
)

// IntervalOrigin returns a time, in nanoseconds since 1970, at which an
// interval of the given length begins, all others being whole lengths from it:
// the epoch, but a Monday for whole weeks, as ISO 8601 has it.
func IntervalOrigin(length int64) int64 {
	if length%week == 0 {
		return monday
	}
	return 0
}

// Local returns what the clocks of loc (nil is UTC) show at ns, as if they were
// in UTC: hours and days can be counted in it.
func Local(ns int64, loc *time.Location) int64 {
	if loc == nil {
		return ns
	}
	_, east := time.Unix(0, ns).In(loc).Zone()
	return ns + int64(east)*1e9
}

// FromLocal returns the time at which the clocks of loc show local. Where they
// show it twice or leave it out, it is one of the two that time.Date allows.
func FromLocal(local int64, loc *time.Location) int64 {
	if loc == nil {
		return local
	}
	t := time.Unix(0, local).UTC()
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc).UnixNano()
}

// Floor returns the start of the interval of the given length in which ns lies.
// Intervals of whole days begin when a day does in loc (nil is UTC); so they
// are an hour shorter or longer where its clocks are changed. Others are
// counted from 1970 in UTC everywhere.
func Floor(ns, length int64, loc *time.Location) int64 {
	if loc == nil || length%(day*1e9) != 0 {
		return ns - Modulo(ns-IntervalOrigin(length), length)
	}
	local := Local(ns, loc)
	return FromLocal(local-Modulo(local-IntervalOrigin(length), length), loc)
}

// FloorDiv divides, rounding towards the past.
func FloorDiv(a, n int64) int64 {
	q := a / n
	if a%n < 0 {
		q--
	}
	return q
}

// Modulo is the remainder of FloorDiv, which is never negative.
func Modulo(a, n int64) int64 {
	m := a % n
	if m < 0 {
		m += n
	}
	return m
}
