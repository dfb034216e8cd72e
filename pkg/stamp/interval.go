package stamp

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
