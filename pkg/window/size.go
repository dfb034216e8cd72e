package window

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/human"
)

// A Size is the length of a window, or of a hop: a duration, or a number of calendar
// days or months in a time zone, which differ in length.
type Size struct {
	Length       time.Duration  // of fixed length; 0 for a size of the calendar
	Days, Months int            // of the calendar: one of them is set
	Zone         *time.Location // whose calendar it is
}

// Fixed returns the size of a fixed length.
func Fixed(d time.Duration) Size { return Size{Length: d} }

// calendarUnits are the units of calendar sizes, in days or months.
var calendarUnits = map[string]Size{"d": {Days: 1}, "w": {Days: 7}, "mo": {Months: 1}, "y": {Months: 12}}

const sizeHint = "as in 1m, 90s, 1d, 1mo, 1d@Europe/Paris"

// ParseSize reads a size: a duration, as 90s, or calendar days, weeks, months or years,
// as 1d@Europe/Paris or 1mo. If no time zone is named it is zone, where nil means UTC.
// load finds a zone by its name. Errors are usage errors.
func ParseSize(text string, zone *time.Location, load func(string) (*time.Location, error)) (Size, error) {
	number, name, named := strings.Cut(text, "@")
	unit := strings.TrimLeft(number, "0123456789")
	size, calendar := calendarUnits[unit]
	if named {
		z, err := load(name)
		if err != nil {
			return Size{}, fault.Usagef("as in 1d@Europe/Paris; names are those of the IANA database",
				"window size %q: unknown time zone %q", text, name)
		}
		zone = z
	}
	if !calendar && named {
		return Size{}, fault.Usagef("sizes of fixed length need no zone: "+number,
			"window size %q: want whole days, weeks (w), months (mo) or years (y) before a zone", text)
	}
	if size.Months > 0 && zone == nil {
		zone = time.UTC
	}
	if calendar && zone != nil {
		n, err := strconv.Atoi(strings.TrimSuffix(number, unit))
		if err != nil || n < 1 || n > 10_000 {
			return Size{}, fault.Usagef(sizeHint, "window size %q: want a number from 1 to 10000 before %q", text, unit)
		}
		return Size{Days: n * size.Days, Months: n * size.Months, Zone: zone}, nil
	}
	d, err := human.ParseDuration(number) // the days of UTC are all alike
	if err != nil {
		return Size{}, fault.Usagef(sizeHint, "window size %q: want a duration or a number of d, w, mo or y", text)
	}
	return Fixed(d), nil
}

// String returns the size as ParseSize reads it.
func (s Size) String() string {
	switch {
	case s.Months > 0:
		return fmt.Sprintf("%dmo@%s", s.Months, s.Zone)
	case s.Days > 0:
		return fmt.Sprintf("%dd@%s", s.Days, s.Zone)
	default:
		return human.Span(s.Length)
	}
}

// calendar reports whether the size is one of the calendar.
func (s Size) calendar() bool { return s.Days+s.Months > 0 }

// count returns the size in units of its grid: nanoseconds, days or months.
func (s Size) count() int64 {
	if s.calendar() {
		return int64(s.Days + s.Months)
	}
	return int64(s.Length)
}

// like reports whether two sizes are counted in the same unit.
func (s Size) like(o Size) bool {
	return s.calendar() == o.calendar() && (s.Days > 0) == (o.Days > 0) &&
		(!s.calendar() || s.Zone.String() == o.Zone.String())
}
