package stamp

import "bytes"

// dated reads "Jan _2 2006 15:04:05" and "Jan 2, 2006 3:04:05 PM", or with another
// comma behind the year, or the @ that Kibana has before the time. The month is m,
// and may have more letters in front of text.
func (p *Parser) dated(text []byte, m int) (ns int64, n int, ok bool) {
	if text[3] != ' ' {
		return 0, 0, false
	}
	d, i := dayOf(text, 4)
	if i < len(text) && text[i] == ',' {
		i++
	}
	if i+7 >= len(text) || text[i] != ' ' || text[i+5] != ' ' && (text[i+5] != ',' || text[i+6] != ' ') {
		return 0, 0, false
	}
	y := four(text[i+1:])
	if text[i+5] == ',' {
		i++
	}
	if i += 6; bytes.HasPrefix(text[i:], []byte("@ ")) {
		i += 2
	}
	return p.clocked(text, i, y, m, d)
}

// db2 reads "2006-01-02-15.04.05.000000", behind which the zone may stand in minutes: "-240".
func (p *Parser) db2(text []byte) (ns int64, n int, ok bool) {
	const short, zone = len("2006-01-02-15.04.05"), len("-240")
	if len(text) < short || text[13] != '.' || text[16] != '.' {
		return 0, 0, false
	}
	date, ok := civilDate(text)
	h, m, s := two(text[11:]), two(text[14:]), two(text[17:])
	if !ok || h >= 24 || m >= 60 || !isSecond(s, m) {
		return 0, 0, false
	}
	sec := date + int64(h*hour+m*minute+s)
	frac, i := fraction(text, short)
	if len(text) < i+zone || text[i] != '-' && text[i] != '+' || leadingDigits(text[i+1:]) != zone-1 {
		return p.instant(sec, frac, text, i)
	}
	east := int64(text[i+1]-'0')*100 + int64(two(text[i+2:]))
	if text[i] == '-' {
		east = -east
	}
	ns, ok = nanos(sec-east*minute, frac)
	return ns, i + zone, ok
}

// commaed reads "2006-01-02, 15:04:05".
func (p *Parser) commaed(text []byte) (ns int64, n int, ok bool) {
	const date = len("2006-01-02, ")
	if len(text) < date || text[date-1] != ' ' {
		return 0, 0, false
	}
	return p.clocked(text, date, four(text), two(text[5:]), two(text[8:]))
}

// sniffed reads "01/02/2006-15:04:05.000000", "01/02/06-..." and "01/02-...", whose month
// is first everywhere.
func (p *Parser) sniffed(text []byte, ref int64) (ns int64, n int, ok bool) {
	i := bytes.IndexByte(text[:len("01/02/2006-")], '-')
	m, d := two(text), two(text[3:])
	sec, frac, length, ok := clock(text[i+1:])
	if !ok || length != len("15:04:05.000000") {
		return 0, 0, false
	}
	if n = i + 1 + length; i == len("01/02") {
		return p.yearless(text, n, moment{m, d, sec, frac}, ref)
	}
	y := -1
	switch {
	case i == len("01/02/2006"):
		y = four(text[6:])
	case i == len("01/02/06") && two(text[6:]) < 100:
		y = century(two(text[6:]))
	}
	if text[5] != '/' || y < 0 || !valid(y, m, d) {
		return 0, 0, false
	}
	return p.instant(days(y, m, d)*day+sec, frac, text, n)
}

// dayFirst reads "2 Jan 2006 15:04:05", with the month in full or not, and "02.01.2006 15:04:05".
func (p *Parser) dayFirst(text []byte) (ns int64, n int, ok bool) {
	d, i := dayOf(text, 0)
	sep := text[i]
	m, width := monthName(text[i+1:])
	if sep == '.' {
		m, width = two(text[i+1:]), len("01")
	}
	i += 1 + width
	if i+6 >= len(text) || text[i] != sep || text[i+5] != ' ' {
		return 0, 0, false
	}
	return p.clocked(text, i+6, four(text[i+1:]), m, d)
}

// monthDay reads "01-02 15:04:05.000", or with | for the space, and finds the year. Without the fraction, or
// with another sign between, either number could be the month.
func (p *Parser) monthDay(text []byte, ref int64) (ns int64, n int, ok bool) {
	sec, frac, n, ok := clock(text[6:])
	m, d := two(text), two(text[3:])
	if !ok || n == len("15:04:05") || text[5] != ' ' && text[5] != '|' {
		return 0, 0, false
	}
	return p.yearless(text, 6+n, moment{m, d, sec, frac}, ref)
}

// yearFirst reads "2006 Jan _2 15:04:05".
func (p *Parser) yearFirst(text []byte) (ns int64, n int, ok bool) {
	d, i := dayOf(text, 9)
	if text[8] != ' ' || i >= len(text) || text[i] != ' ' {
		return 0, 0, false
	}
	return p.clocked(text, i+1, four(text), month(text[5:]), d)
}

// american reads "1/2/2006 3:04:05 PM", with or without a comma. AM or PM has to
// be there: 1/2/2006 is the first of February elsewhere, where clocks have 24 hours.
func (p *Parser) american(text []byte) (ns int64, n int, ok bool) {
	m, i := dayOf(text, 0)
	if i+1 >= len(text) || text[i] != '/' {
		return 0, 0, false
	}
	d, i := dayOf(text, i+1)
	if i+6 >= len(text) || text[i] != '/' {
		return 0, 0, false
	}
	y := four(text[i+1:])
	if i += 5; text[i] == ',' {
		i++
	}
	_, _, length, ok := looseClock(text[i+1:])
	if !ok || text[i] != ' ' || !hasMeridiem(text, i+1+length) {
		return 0, 0, false
	}
	return p.clocked(text, i+1, y, m, d)
}

// clocked reads the time at text[i:] of a date that stands before it.
func (p *Parser) clocked(text []byte, i, y, m, d int) (ns int64, n int, ok bool) {
	sec, frac, length, ok := looseClock(text[i:])
	if !ok || y < 0 || !valid(y, m, d) {
		return 0, 0, false
	}
	return p.instant(days(y, m, d)*day+sec, frac, text, i+length)
}

var klogLevels = []byte("IWEF")

// klog reads "I0102 15:04:05.000000" and finds the year, and
// "I20060102 15:04:05.000000". The letter is the first of the level.
func (p *Parser) klog(text []byte, ref int64) (ns int64, n int, ok bool) {
	if bytes.IndexByte(klogLevels, text[0]) < 0 {
		return 0, 0, false
	}
	i := 1 + leadingDigits(text[1:])
	if i != 5 && i != 9 || text[i] != ' ' {
		return 0, 0, false
	}
	sec, frac, length, ok := clock(text[i+1:])
	m, d := two(text[i-4:]), two(text[i-2:])
	if !ok || length == len("15:04:05") {
		return 0, 0, false
	}
	if i == 5 {
		return p.yearless(text, i+1+length, moment{m, d, sec, frac}, ref)
	}
	y := four(text[1:])
	if !valid(y, m, d) {
		return 0, 0, false
	}
	return p.instant(days(y, m, d)*day+sec, frac, text, i+1+length)
}
