package codec

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// A dayClock makes the timestamp of records that have a day in one field, date or Date,
// and the time of that day in another, time or Time.
type dayClock struct {
	to         []target // of the timestamp; where it is not asked for, nothing is made
	date, time int      // the columns, -1 where there is none
	known      string   // the day of records without a date
	day, clock record.Value
}

// newDayClock returns one for columns with the given names, of which both are
// needed unless the day is known.
func newDayClock(to []target, names []string, day string) dayClock {
	d := dayClock{to: to, date: column(names, "date"), time: column(names, "time"), known: day}
	if len(to) == 0 || d.time < 0 || d.date < 0 && day == "" {
		return dayClock{date: -1, time: -1}
	}
	return d
}

// column returns which of names is the given one, as Date or DATE for date.
func column(names []string, name string) int {
	return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// withTimestamp returns the names of fields with that of the timestamp that is made
// of two of them before them.
func withTimestamp(names []string, day string) []string {
	if slices.Contains(names, "timestamp") || newDayClock([]target{{}}, names, day).time < 0 {
		return names
	}
	return append([]string{"timestamp"}, names...)
}

func (d *dayClock) begin() { d.day, d.clock = 0, 0 }

// wants reports whether the value of column n is to be taken in.
func (d *dayClock) wants(n int) bool { return n >= 0 && (n == d.date || n == d.time) }

// take takes in the value of column n.
func (d *dayClock) take(n int, v record.Value) {
	switch {
	case !d.wants(n):
	case n == d.date:
		d.day = v
	default:
		d.clock = v
	}
}

// join returns the timestamp of the record whose values were taken in. It is missing
// where the time is none of a day alone.
func (d *dayClock) join(b *record.Batch) record.Value {
	noDay := d.day.Kind() == record.Missing
	if d.clock.Kind() != record.String || noDay && (d.date >= 0 || d.known == "") || !isDayTime(b.Raw(d.clock)) ||
		!noDay && d.day.Len() < shortestDay {
		return 0
	}
	off := len(b.Data)
	switch end := d.day.Off() + d.day.Len(); {
	case noDay:
		b.Data = append(b.Data, d.known...)
	case end+1 == d.clock.Off() && b.Data[end] == ' ':
		return record.NewValue(record.String, d.day.Off(), d.day.Len()+1+d.clock.Len())
	default:
		b.Data = append(b.Data, b.Raw(d.day)...)
	}
	b.Data = append(append(b.Data, ' '), b.Raw(d.clock)...)
	return record.NewValue(record.String, off, len(b.Data)-off)
}

// shortestDay is how long a day with its month and year is at least; a column of days of
// the month alone may be called date, too.
const shortestDay = len("081109")

// isDayTime reports whether text begins as hh:mm or h:mm does.
func isDayTime(text []byte) bool {
	n := digits(text)
	return (n == 1 || n == 2) && n < len(text) && text[n] == ':'
}
