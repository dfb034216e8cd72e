package window

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// checkConfig makes sure that the windows can be told.
func (o *Op) checkConfig() error {
	c := &o.cfg
	if err := cmp.Or(c.checkFill(), c.checkTrend(), c.checkMemory()); err != nil {
		return err
	}
	switch {
	case c.Gap != 0:
		return c.checkGap()
	case len(c.Sizes) == 0:
		return fault.Usagef("as in --size 1m", "no size of a window")
	case c.Slide && (len(c.Sizes) > 1 || c.Sizes[0].calendar() || c.Hop != Size{}):
		return fault.Usagef("as in --slide --size 5m", "sliding windows want one fixed size and no hop")
	}
	for i, size := range c.Sizes {
		if slices.ContainsFunc(c.Sizes[:i], func(o Size) bool { return o.String() == size.String() }) {
			return fault.Usagef("", "window size %v is given twice", size)
		}
		if err := c.checkSize(size); err != nil {
			return err
		}
	}
	return c.checkGrace()
}

func (c *Config) checkGap() error {
	switch {
	case len(c.Sizes) > 0 || c.Slide || c.Hop != Size{}:
		return fault.Usagef("a session is as long as its records make it",
			"a gap together with a size, a hop or sliding windows")
	case c.Gap < minSize || c.Gap > maxSize:
		return fault.Usagef("as in --gap 30m",
			"gap %s: want at least %s and less than 36 years", human.Span(c.Gap), human.Span(minSize))
	default:
		return c.checkGrace()
	}
}

func (c *Config) checkSize(size Size) error {
	switch {
	case !size.calendar() && size.Length < minSize:
		return fault.Usagef("as in --size 1m", "window size %v: want at least %s", size, human.Span(minSize))
	case size.Length > maxSize || size.Days > 13_000 || size.Months > 430:
		return fault.Usagef("", "window size %v: want less than 36 years", size)
	case c.Hop == Size{}:
		return nil
	case !size.like(c.Hop):
		return fault.Usagef("give both as durations, or both as days or as months in one zone",
			"window hop %v and size %v are not measured alike", c.Hop, size)
	case c.Hop.count() < 0 || c.Hop.count() > size.count():
		return fault.Usagef("with gaps between them records would be lost; for fewer rows choose a larger size",
			"window hop %v: want at most the size, %v", c.Hop, size)
	case c.Hop.count() == 0:
		return fault.Usagef("", "window hop %v: want more than 0", c.Hop)
	default:
		return nil
	}
}

func (c *Config) checkGrace() error {
	switch {
	case c.Grace < 0:
		return fault.Usagef("", "grace %s: want 0 or more", human.Span(c.Grace))
	case c.Grace > maxSize:
		return fault.Usagef("", "grace %s: want less than 36 years", human.Span(c.Grace))
	case c.Arrival && c.Grace > 0:
		return fault.Usagef("leave --grace out, or use the records' own time",
			"grace %s without event time: nothing is late by the clock", human.Span(c.Grace))
	default:
		return nil
	}
}

// Warnings says what is allowed but seldom meant.
func (o *Op) Warnings() (all []string) {
	for _, size := range o.cfg.Sizes {
		if hop := o.cfg.Hop; hop != (Size{}) && size.count()/hop.count() > manyWindows {
			all = append(all, fmt.Sprintf("each record belongs to %d windows: size %v is more than %d times the hop %v",
				size.count()/hop.count(), size, manyWindows, hop))
		}
	}
	return all
}

// step returns the steps in which time is told to windows that may end at any
// moment: small beside their size, so that closing them costs little. They are
// whole milliseconds, as the times of rows.
func step(size time.Duration) int64 {
	return int64(min(max((size/16).Truncate(time.Millisecond), minSize), time.Second))
}
