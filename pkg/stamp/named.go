package stamp

import (
	"bytes"
	"encoding/binary"
	"math"
)

// month returns the month of three letters at the start of b; 0 where there
// is none. Only the usual case is read: "Jan", not "jan" or "JAN".
func month(b []byte) int {
	switch uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9
	case 'O'<<16 | 'c'<<8 | 't':
		return 10
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12
	default:
		return 0
	}
}

var longMonths = [...]string{
	"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December",
}

// monthName returns the month at the start of b, in full or of three letters, and the
// length of its name; 0 where there is none.
func monthName(b []byte) (m, n int) {
	m = month(b)
	if m > 0 && bytes.HasPrefix(b, []byte(longMonths[m-1])) {
		return m, len(longMonths[m-1])
	}
	return m, 3
}

func isWeekday(b []byte) bool {
	switch string(b[:3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	default:
		return false
	}
}

// named reads the forms that begin with the name of a month or a weekday.
func (p *Parser) named(text []byte, ref int64) (ns int64, n int, ok bool) {
	switch {
	case month(text) != 0:
		if ns, n, ok = p.syslog(text, ref); ok {
			return ns, n, true
		}
		_, name := monthName(text)
		ns, n, ok = p.dated(text[name-3:], month(text))
		return ns, n + name - 3, ok
	case !isWeekday(text):
		return p.klog(text, ref)
	case text[3] == ',':
		return p.http(text)
	case text[3] == ' ':
		return p.ctime(text)
	default:
		return p.rfc850(text)
	}
}

// dayOf reads a day of one or two digits, padded or not, at text[i:].
func dayOf(text []byte, i int) (d, end int) {
	if i < len(text) && text[i] == ' ' {
		i++
	}
	for i < len(text) && text[i]-'0' <= 9 && d < 100 {
		d = d*10 + int(text[i]-'0')
		i++
	}
	return d, i
}

// monthDayClock reads "Jan _2 15:04:05.000" at the start of text.
func monthDayClock(text []byte) (m, d int, sec, frac int64, n int) {
	if len(text) < len("Jan 2 15:04:05") || text[3] != ' ' {
		return 0, 0, 0, 0, 0
	}
	m = month(text)
	d, i := dayOf(text, 4)
	if i >= len(text) || text[i] != ' ' {
		return 0, 0, 0, 0, 0
	}
	sec, frac, n, ok := clock(text[i+1:])
	if !ok {
		return 0, 0, 0, 0, 0
	}
	return m, d, sec, frac, i + 1 + n
}

// syslog reads "Jan _2 15:04:05" and finds the year.
func (p *Parser) syslog(text []byte, ref int64) (ns int64, n int, ok bool) {
	m, d, sec, frac, n := monthDayClock(text)
	if n == 0 {
		return 0, 0, false
	}
	return p.yearless(text, n, moment{m, d, sec, frac}, ref)
}

// A moment is a time without its year.
type moment struct {
	month, day int
	sec, frac  int64
}

// yearless finds the year of a moment that ends at text[n]. Going back at most
// eight years from ref finds every day of the calendar, the 29th of February too.
func (p *Parser) yearless(text []byte, n int, at moment, ref int64) (ns int64, end int, ok bool) {
	if ref == math.MinInt64 {
		return 0, 0, false
	}
	last, _, _ := date(FloorDiv(ref, day*1e9) + 1)
	for y := last; y >= last-8; y-- {
		if !valid(y, at.month, at.day) {
			continue
		}
		ns, end, ok := p.instant(days(y, at.month, at.day)*day+at.sec, at.frac, text, n)
		if ok && notAfter(ns, ref) {
			return ns, end, true
		}
	}
	return 0, 0, false
}

// dayTime reads "02:15:04:05", a day of the month and a time, and finds month
// and year as syslog does.
func (p *Parser) dayTime(text []byte, ref int64) (ns int64, ok bool) {
	d := two(text)
	sec, frac, n, ok := clock(text[3:])
	if !ok || 3+n != len(text) || ref == math.MinInt64 {
		return 0, false
	}
	y, m, _ := date(FloorDiv(ref, day*1e9) + 1)
	for range 3 {
		if valid(y, m, d) {
			ns, _, ok := p.instant(days(y, m, d)*day+sec, frac, nil, 0)
			if ok && notAfter(ns, ref) {
				return ns, true
			}
		}
		if m--; m == 0 {
			y, m = y-1, 12
		}
	}
	return 0, false
}

// notAfter reports whether ns is at most a day after ref.
func notAfter(ns, ref int64) bool { return ref > math.MaxInt64-day*1e9 || ns <= ref+day*1e9 }

// ctime reads "Mon Jan _2 15:04:05.000 [zone] 2006".
func (p *Parser) ctime(text []byte) (ns int64, n int, ok bool) {
	m, d, sec, frac, n := monthDayClock(text[4:])
	if n == 0 {
		return 0, 0, false
	}
	zone, i := offset(text, 4+n)
	if i < 0 || i+5 > len(text) || text[i] != ' ' {
		return 0, 0, false
	}
	y := four(text[i+1:])
	if y < 0 || !valid(y, m, d) {
		return 0, 0, false
	}
	wall := days(y, m, d)*day + sec - zone
	if i == 4+n && p.Zone != nil {
		wall = p.inZone(wall)
	}
	ns, ok = nanos(wall, frac)
	return ns, i + 5, ok
}

// http reads "Mon, _2 Jan 2006 15:04:05 GMT".
func (p *Parser) http(text []byte) (ns int64, n int, ok bool) {
	if text[4] != ' ' {
		return 0, 0, false
	}
	d, i := dayOf(text, 5)
	if i+len(" Jan 2006 15:04:05") > len(text) || text[i] != ' ' || text[i+4] != ' ' || text[i+9] != ' ' {
		return 0, 0, false
	}
	y, m := four(text[i+5:]), month(text[i+1:])
	sec, frac, n, ok := clock(text[i+10:])
	if !ok || y < 0 || !valid(y, m, d) {
		return 0, 0, false
	}
	return p.instant(days(y, m, d)*day+sec, frac, text, i+10+n)
}

// rfc850 reads "Monday, 02-Jan-06 15:04:05 GMT", or with the date as http has it. Years
// of two digits are those from 1970 on.
func (p *Parser) rfc850(text []byte) (ns int64, n int, ok bool) {
	comma := bytes.IndexByte(text[:len("Wednesday,")], ',')
	if comma < len("Monday") || string(text[comma-3:comma]) != "day" {
		return 0, 0, false
	}
	if ns, n, ok = p.http(text[comma-3:]); ok {
		return ns, comma - 3 + n, true
	}
	i := comma + 2
	if i+len("02-Jan-06 15:04:05") > len(text) || text[i-1] != ' ' || text[i+9] != ' ' ||
		text[i+2] != '-' || text[i+6] != '-' {
		return 0, 0, false
	}
	y := 1900 + two(text[i+7:])
	if y == 2000 { // no number
		return 0, 0, false
	}
	if y < 1970 {
		y += 100
	}
	return p.clocked(text, i+10, y, month(text[i+3:]), two(text[i:]))
}

// commonLog reads "02/Jan/2006:15:04:05 -0700", or with - and a space in it.
func (p *Parser) commonLog(text []byte) (ns int64, n int, ok bool) {
	if len(text) < 20 {
		return 0, 0, false
	}
	lo, hi := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
	if lo != p.common.lo || hi != p.common.hi {
		sec, ok := commonTen(text)
		if !ok {
			return 0, 0, false
		}
		p.common = cache{lo, hi, sec}
	}
	m, s := int(text[16]-'0'), two(text[18:])
	if m > 9 || text[17] != ':' || !isSecond(s, m+10*int(text[15]-'0')) {
		return 0, 0, false
	}
	frac, i := fraction(text, 20)
	return p.instant(p.common.sec+int64(m*minute+s), frac, text, i)
}

// commonTen reads "02/Jan/2006:15:0", sixteen bytes that end with the tens of
// the minute, as seconds since 1970.
func commonTen(text []byte) (sec int64, ok bool) {
	if text[2] != text[6] || text[11] != ':' && text[11] != ' ' || text[14] != ':' {
		return 0, false
	}
	y, m, d := four(text[7:]), month(text[3:]), two(text)
	h, ten := two(text[12:]), int(text[15]-'0')
	if y < 0 || !valid(y, m, d) || h > 23 || ten < 0 || ten > 5 {
		return 0, false
	}
	return days(y, m, d)*day + int64(h*hour+ten*10*minute), true
}
