package expr

import (
	"math"
	"time"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// Days and hours are those of the zone in which times are shown.

func timeOf(args []code) code     { return nsCode(Time, args[0].asTime()) }
func durationOf(args []code) code { return nsCode(Duration, args[0].asDuration()) }

func hourFn(args []code) code   { return clock(args[0], int64(time.Hour), 24) }
func minuteFn(args []code) code { return clock(args[0], int64(time.Minute), 60) }

// clock returns how many units of time have passed within each round of n.
func clock(x code, unit, n int64) code {
	at := x.asTime()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		t, ok := at(b, i)
		return float64(stamp.Modulo(stamp.FloorDiv(stamp.Local(t, b.Zone), unit), n)), ok
	})
}

// weekdayFn counts from 1, Monday, to 7. The first day of 1970 was a Thursday.
func weekdayFn(args []code) code {
	at := args[0].asTime()
	return numCode(func(b *record.Batch, i int) (float64, bool) {
		t, ok := at(b, i)
		return float64(stamp.Modulo(stamp.FloorDiv(stamp.Local(t, b.Zone), int64(24*time.Hour))+3, 7) + 1), ok
	})
}

func dateFn(args []code) code {
	at := args[0].asTime()
	return textCode(func(b *record.Batch, i int) ([]byte, bool) {
		t, ok := at(b, i)
		if !ok {
			return nil, false
		}
		mark := len(b.Data)
		b.Data = stamp.AppendIn(b.Data, t, b.Zone)
		b.Data = b.Data[:mark+len("2006-01-02")]
		return since(b, mark), true
	})
}

// floorTime compiles floor_time(t, 5m): the start of the interval of that
// length in which t lies: see stamp.Floor.
func (c *compiler) floorTime(_ *node, args []code) (code, error) {
	at, by := args[0].asTime(), args[1].asDuration()
	return nsCode(Time, func(b *record.Batch, i int) (int64, bool) {
		t, ok := at(b, i)
		d, ok2 := by(b, i)
		if !ok || !ok2 || d <= 0 {
			return 0, false
		}
		if t < math.MinInt64+d {
			return 0, false
		}
		return stamp.Floor(t, d, b.Zone), true
	}), nil
}
