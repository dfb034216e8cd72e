package window

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones do not depend on the machine

	"github.com/logctl/logctl/pkg/proof"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// Cells of a calendar follow one another without a gap, each holds its moments,
// and clocks show its day or month as it begins.
func TestCalendarCellsCoverTime(t *testing.T) {
	zones := []string{
		"UTC", "Europe/Paris", "America/New_York", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns",
		"Asia/Kathmandu", "Africa/Cairo", "Asia/Gaza", "Antarctica/Troll", "Atlantic/Azores", "America/Havana",
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range zones {
		z := zone(t, name)
		for _, g := range []grid{days{z}, months{z}} {
			for range proof.Some(4000) {
				at := time.Date(1975+r.IntN(60), 1, 1, 0, 0, 0, 0, time.UTC).UnixNano() + r.Int64N(int64(365*24*time.Hour))
				i := g.index(at)
				if lo, hi := g.time(i), g.time(i+1); at < lo || at >= hi {
					t.Fatalf("%s: %v is in cell %d from %v to %v", name, time.Unix(0, at).UTC(), i, time.Unix(0, lo), time.Unix(0, hi))
				}
				if start := g.time(i); g.index(start) != i || g.index(start-1) >= i {
					t.Fatalf("%s: cell %d does not begin at its beginning", name, i)
				}
			}
		}
		for day := range int64(60 * 365) { // around every change of clocks
			lo := days{z}.time(day)
			before, first := time.Unix(0, lo-1).In(z), time.Unix(0, lo).In(z)
			if before.Day() == first.Day() && before.Month() == first.Month() {
				t.Fatalf("%s: day %d begins at %v, though clocks showed it before", name, day, first)
			}
		}
	}
}

func TestDaysHaveTheirLength(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		hours     float64
		begins    string
	}{
		{"Europe/Paris", "2026-03-29", 23, "2026-03-28T23:00:00Z"},
		{"Europe/Paris", "2026-10-25", 25, "2026-10-24T22:00:00Z"},
		{"Europe/Paris", "2026-07-01", 24, "2026-06-30T22:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", 23, "2018-11-04T03:00:00Z"}, // clocks go from 0:00 to 1:00
		{"America/Sao_Paulo", "2018-02-17", 25, "2018-02-17T02:00:00Z"},
		{"America/Havana", "2026-03-08", 23, "2026-03-08T05:00:00Z"},
		{"Pacific/Apia", "2011-12-29", 24, "2011-12-29T10:00:00Z"}, // the 30th was left out
	} {
		z := zone(t, c.zone)
		noon, err := time.ParseInLocation("2006-01-02 15", c.day+" 12", z)
		if err != nil {
			t.Fatal(err)
		}
		s := newShape(Size{Days: 1, Zone: z}, Size{Days: 1, Zone: z})
		w := s.last(noon.UnixNano())
		begins := time.Unix(0, s.start(w)).UTC().Format(time.RFC3339)
		if got := float64(s.end(w)-s.start(w)) / 3.6e12; got != c.hours || begins != c.begins {
			t.Errorf("%s in %s is %v hours long from %s, want %v from %s", c.day, c.zone, got, begins, c.hours, c.begins)
		}
	}
}

// Windows that hold a moment are those from first to last.
func TestShapesHoldTheirMoments(t *testing.T) {
	paris := zone(t, "Europe/Paris")
	d := func(n int) Size { return Size{Days: n, Zone: paris} }
	mo := func(n int) Size { return Size{Months: n, Zone: paris} }
	f := func(text string) Size {
		s, err := ParseSize(text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	r := rand.New(rand.NewPCG(2, 2))
	for _, c := range []struct {
		size, hop Size
		holds     int64 // windows that hold a moment; 0: it varies
	}{
		{f("1m"), f("1m"), 1},
		{f("10m"), f("2m"), 5},
		{f("15m"), f("10s"), 90},
		{f("25s"), f("10s"), 0},
		{f("1w"), f("1w"), 1},
		{f("2w"), f("1w"), 2},
		{f("210h"), f("1w"), 0},
		{d(1), d(1), 1},
		{d(7), d(1), 7},
		{d(7), d(7), 1},
		{mo(1), mo(1), 1},
		{mo(12), mo(1), 12},
		{mo(12), mo(12), 1},
	} {
		s := newShape(c.size, c.hop)
		for range proof.Some(500) {
			at := time.Date(1960+r.IntN(100), 1, 1, 0, 0, 0, 0, time.UTC).UnixNano() + r.Int64N(int64(365*24*time.Hour))
			lo, hi := s.around(at)
			n := int64(0)
			for w := s.first(at); w <= s.last(at); w += s.hop {
				n++
				if s.start(w) > lo || s.end(w) < hi {
					t.Fatalf("%v every %v: window %d divides the stretch around %v", c.size, c.hop, w, time.Unix(0, at).UTC())
				}
			}
			if s.end(s.first(at)-s.hop) > at || s.start(s.last(at)+s.hop) <= at || c.holds > 0 && n != c.holds {
				t.Fatalf("%v every %v: %v is in %d windows from %d to %d, want %d", c.size, c.hop,
					time.Unix(0, at).UTC(), n, s.first(at), s.last(at), c.holds)
			}
		}
	}
	week := newShape(d(7), d(7))
	if begins := time.Unix(0, week.start(week.last(0))).In(paris); begins.Weekday() != time.Monday || begins.Hour() != 0 {
		t.Errorf("a week begins on %v", begins)
	}
	year := newShape(mo(12), mo(12))
	if got := fmt.Sprint(time.Unix(0, year.start(year.last(0))).In(paris)); got != "1970-01-01 00:00:00 +0100 CET" {
		t.Errorf("the year 1970 begins at %s", got)
	}
}

func TestSizesAsWritten(t *testing.T) {
	load := func(name string) (*time.Location, error) {
		if name == "UTC" {
			return nil, nil // as where none is named
		}
		return time.LoadLocation(name)
	}
	paris := zone(t, "Europe/Paris")
	for _, c := range []struct {
		text string
		zone *time.Location
		want string
	}{
		{"90s", nil, "1m30s"},
		{"1d", nil, "1d"},
		{"1mo", nil, "1mo@UTC"},
		{"1y", nil, "12mo@UTC"},
		{"1d", paris, "1d@Europe/Paris"},
		{"36h", paris, "36h"},
		{"2w@Asia/Tokyo", paris, "14d@Asia/Tokyo"},
		{"2d@UTC", paris, "2d"},
		{"1h@Asia/Tokyo", nil, "! want whole days"},
		{"1d@Mars/Base", nil, "! unknown time zone"},
		{"x", nil, "! want a duration"},
		{"0d@Asia/Tokyo", nil, "! want a number from 1"},
	} {
		s, err := ParseSize(c.text, c.zone, load)
		got := s.String()
		if err != nil {
			got = "! " + err.Error()
		}
		if c.want[0] == '!' && err != nil && len(got) > len(c.want) {
			if !strings.Contains(got, c.want[2:]) {
				t.Errorf("%s: %s, want %s", c.text, got, c.want)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}
