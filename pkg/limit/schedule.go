package limit

import (
	"math"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// A Schedule says how many records are due at any moment. With the zero value all are
// due at once.
type Schedule struct {
	from, to float64       // records a second: at the start and after ramp; in a burst
	ramp     time.Duration // how long the rate takes from the one to the other
	burst    time.Duration // how long the rate is to, every period
	period   time.Duration
}

const scheduleHint = "as in 50k/s, ramp:1k..50k/60s or burst:1k..20k/5s/60s (20k/s for 5s of every 60s)"

// ParseSchedule reads a rate (500/s), a ramp (ramp:1k..50k/60s) or bursts
// (burst:1k..20k/5s/60s). "" is everything at once.
func ParseSchedule(s string) (Schedule, error) {
	if s == "" {
		return Schedule{}, nil
	}
	kind, spec, ok := strings.Cut(s, ":")
	if !ok {
		r, err := human.ParseRate(s)
		if err != nil {
			return Schedule{}, fault.Usagef(scheduleHint, "%w", err)
		}
		return Schedule{from: r, to: r}, nil
	}
	parts := strings.Split(spec, "/")
	var sch Schedule
	low, high, ok := strings.Cut(parts[0], "..")
	from, err1 := human.ParseRate(low)
	to, err2 := human.ParseRate(high)
	sch.from, sch.to = from, to
	if !ok || err1 != nil || err2 != nil {
		return Schedule{}, fault.Usagef(scheduleHint, "%q is no schedule: %q is no range of rates", s, parts[0])
	}
	var times []time.Duration
	for _, p := range parts[1:] {
		d, err := human.ParseDuration(p)
		if err != nil || d <= 0 {
			return Schedule{}, fault.Usagef(scheduleHint, "%q is no schedule: %q is no length of time", s, p)
		}
		times = append(times, d)
	}
	switch {
	case kind == "ramp" && len(times) == 1:
		sch.ramp = times[0]
	case kind == "burst" && len(times) == 2 && times[0] < times[1]:
		sch.burst, sch.period = times[0], times[1]
	default:
		return Schedule{}, fault.Usagef(scheduleHint, "%q is no schedule", s)
	}
	return sch, nil
}

// Unlimited reports whether everything is due at once.
func (s Schedule) Unlimited() bool { return s.to == 0 }

// Most returns the greatest rate, in records a second.
func (s Schedule) Most() float64 { return max(s.from, s.to) }

// Due returns how many records are due after the given time.
func (s Schedule) Due(elapsed time.Duration) int64 { return int64(s.due(elapsed.Seconds())) }

// due is Due after t seconds, not rounded down.
func (s Schedule) due(t float64) float64 {
	switch {
	case s.ramp > 0:
		ramp := s.ramp.Seconds()
		in := min(t, ramp)
		return s.from*in + (s.to-s.from)*in*in/(2*ramp) + s.to*(t-in)
	case s.period > 0:
		period, burst := s.period.Seconds(), s.burst.Seconds()
		whole := math.Floor(t / period)
		return s.from*t + (s.to-s.from)*(whole*burst+min(t-whole*period, burst))
	default:
		return s.to * t
	}
}

// when returns after how many seconds n records are due: what due undoes.
func (s Schedule) when(n float64) float64 {
	switch {
	case s.ramp > 0:
		ramp := s.ramp.Seconds()
		if all := (s.from + s.to) / 2 * ramp; n > all {
			return ramp + (n-all)/s.to
		}
		bend := (s.to - s.from) / ramp
		return 2 * n / (s.from + math.Sqrt(max(s.from*s.from+2*bend*n, 0)))
	case s.period > 0:
		period, burst := s.period.Seconds(), s.burst.Seconds()
		each := s.from*period + (s.to-s.from)*burst
		whole := math.Floor(n / each)
		rest := n - whole*each
		if fast := s.to * burst; rest > fast {
			return whole*period + burst + (rest-fast)/s.from
		}
		return whole*period + rest/s.to
	default:
		return n / s.to
	}
}
