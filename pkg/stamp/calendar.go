package stamp

import "time"

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// days returns the days from 1970-01-01 to a date of the Gregorian calendar
// (Howard Hinnant's days_from_civil, for years from 0).
func days(y, m, d int) int64 {
	y += 400
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64((era-1)*146097 + doe - 719468)
}

// date returns the date that lies n days after 1970-01-01, for days that an int64 of
// nanoseconds has (Neri and Schneider: years begin in March; a product's high half is
// the quotient, its low half the rest).
func date(n int64) (y, m, d int) {
	const eras = 5 // of 400 years, so that no day is before the first
	x := 4*uint32(n+719468+eras*146097) + 3
	century := x / 146097
	p := 2939745 * uint64(x%146097|3)
	year, day := uint32(p>>32), uint32(p)/2939745/4
	z := 2141*day + 197913
	y, m, d = int(100*century+year)-eras*400, int(z>>16), int(z&0xffff/2141)+1
	if day >= 306 { // January and February
		y, m = y+1, m-12
	}
	return y, m, d
}

// valid reports whether a date is one of the calendar.
func valid(y, m, d int) bool {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	if m == 2 {
		leap := y%4 == 0 && (y%100 != 0 || y%400 == 0)
		return d < 29 || d == 29 && leap
	}
	return d < 31 || m != 4 && m != 6 && m != 9 && m != 11
}

// two reads two digits at the start of b, which holds them; 100 and more
// where one is none.
func two(b []byte) int {
	h, l := b[0]-'0', b[1]-'0'
	if h > 9 || l > 9 {
		return 100
	}
	return int(h)*10 + int(l)
}

// four reads the year at the start of b; -1 where it is none.
func four(b []byte) int {
	h, l := two(b), two(b[2:])
	if h > 99 || l > 99 {
		return -1
	}
	return h*100 + l
}

// clock reads "hh:mm:ss" at the start of text, as seconds of a day, and a
// fraction behind it, as nanoseconds.
func clock(text []byte) (sec, frac int64, n int, ok bool) {
	if len(text) < 8 || text[2] != ':' || text[5] != ':' {
		return 0, 0, 0, false
	}
	h, m, s := two(text), two(text[3:]), two(text[6:])
	if h > 23 || m > 59 || !isSecond(s, m) {
		return 0, 0, 0, false
	}
	frac, n = fraction(text, 8)
	return int64(h*hour + m*minute + s), frac, n, true
}

// isSecond reports whether s can be the second of minute m of some hour: 60
// only at the end of an hour, where leap seconds are put, or of a quarter, as
// some zones see it.
func isSecond(s, m int) bool { return s < 60 || s == 60 && m%15 == 14 }

// fraction reads a decimal fraction at text[i:], in nanoseconds, and returns
// where it ends; i where there is none.
func fraction(text []byte, i int) (frac int64, end int) {
	if i+1 >= len(text) || text[i] != '.' && text[i] != ',' || text[i+1]-'0' > 9 {
		return 0, i
	}
	scale := int64(1e9)
	for i++; i < len(text) && text[i]-'0' <= 9; i++ {
		if scale > 1 {
			frac = frac*10 + int64(text[i]-'0')
			scale /= 10
		}
	}
	return frac * scale, i
}

// instant returns the time of wall-clock seconds that were written with the
// zone at text[i:], or without one, and where that ends.
func (p *Parser) instant(wall, frac int64, text []byte, i int) (ns int64, end int, ok bool) {
	if hasMeridiem(text, i) {
		wall, i = meridiem(wall, text, i)
	}
	sec, end := offset(text, i)
	if end < 0 {
		return 0, 0, false
	}
	if end == i && p.Zone != nil {
		wall = p.inZone(wall)
	}
	ns, ok = nanos(wall-sec, frac)
	return ns, end, ok
}

// meridiem puts wall-clock seconds, whose text ends at text[i] before AM or PM,
// into that half of the day and returns where it ends; i where the clock shows
// no hour that has two halves.
func meridiem(wall int64, text []byte, i int) (sec int64, end int) {
	h := (wall - FloorDiv(wall, day)*day) / hour
	switch pm := text[i+1] == 'P'; {
	case h == 0 || h > 12:
		return wall, i
	case pm && h < 12:
		wall += 12 * hour
	case !pm && h == 12:
		wall -= 12 * hour
	}
	return wall, i + 3
}

// hasMeridiem reports whether AM or PM stands at text[i:], behind a space.
func hasMeridiem(text []byte, i int) bool {
	return i+2 < len(text) && text[i+2] == 'M' && isMeridiem(text[i:])
}

func isMeridiem(b []byte) bool {
	return b[0] == ' ' && (b[1] == 'A' || b[1] == 'P') && (len(b) == 3 || !isWord(b[3]))
}

// inZone turns wall-clock seconds of p.Zone into seconds since 1970. A wall
// clock that is set back shows some times twice: one of the two is taken.
func (p *Parser) inZone(wall int64) int64 {
	t := time.Unix(wall, 0).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, p.Zone).Unix()
}
