package stamp

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unsafe"
)

// canonical reads 2006-01-02T15:04:05.000Z, the form that logs have most, in
// a minute that has been read before.
func (p *Parser) canonical(text []byte) (int64, bool) {
	if len(text) != 24 || text[23] != 'Z' || text[19] != '.' || text[16] != ':' {
		return 0, false
	}
	if binary.LittleEndian.Uint64(text) != p.iso.lo || binary.LittleEndian.Uint64(text[8:]) != p.iso.hi {
		return 0, false
	}
	s1, s2 := text[17]-'0', text[18]-'0'
	f1, f2, f3 := text[20]-'0', text[21]-'0', text[22]-'0'
	if s1 > 5 || s2 > 9 || f1 > 9 || f2 > 9 || f3 > 9 {
		return 0, false
	}
	ms := (int64(s1)*10+int64(s2))*1000 + int64(f1)*100 + int64(f2)*10 + int64(f3)
	return nanos(p.iso.sec+ms/1000, ms%1000*1e6)
}

// civil reads 2006-01-02T15:04[:05[.000]][zone].
func (p *Parser) civil(text []byte) (ns int64, n int, ok bool) {
	if len(text) < 16 {
		return 0, 0, false
	}
	lo, hi := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
	if lo != p.iso.lo || hi != p.iso.hi {
		sec, ok := civilMinute(text)
		if !ok {
			return 0, 0, false
		}
		p.iso = cache{lo, hi, sec}
	}
	sec, frac, i := p.iso.sec, int64(0), 16
	if len(text) >= 19 && text[16] == ':' {
		s := two(text[17:])
		if !isSecond(s, two(text[14:])) {
			return 0, 0, false
		}
		sec += int64(s)
		frac, i = fraction(text, 19)
	}
	return p.instant(sec, frac, text, i)
}

// civilMinute reads 2006-01-02T15:04 as seconds since 1970.
func civilMinute(text []byte) (sec int64, ok bool) {
	sec, ok = civilDate(text)
	if !ok || text[10]|0x20 != 't' && text[10] != ' ' || text[13] != ':' {
		return 0, false
	}
	h, m := two(text[11:]), two(text[14:])
	if text[10] == ' ' && text[11] == ' ' { // as MariaDB pads an hour of one digit
		h = two([]byte{'0', text[12]})
	}
	return sec + int64(h*hour+m*minute), h < 24 && m < 60
}

// civilDate reads 2006-01-02, or with / or . in it, as seconds since 1970.
func civilDate(text []byte) (sec int64, ok bool) {
	if text[4] != '-' && text[4] != '/' && text[4] != '.' || text[7] != text[4] {
		return 0, false
	}
	y, m, d := four(text), two(text[5:]), two(text[8:])
	if y < 0 || !valid(y, m, d) {
		return 0, false
	}
	return days(y, m, d) * day, true
}

// dateOnly reads a date without a time.
func (p *Parser) dateOnly(text []byte) (ns int64, ok bool) {
	sec, ok := civilDate(text)
	if !ok {
		return 0, false
	}
	ns, _, ok = p.instant(sec, 0, nil, 0)
	return ns, ok
}

// short reads 06/01/02 15:04:05.
func (p *Parser) short(text []byte) (ns int64, n int, ok bool) {
	if len(text) < 17 || text[8] != ' ' {
		return 0, 0, false
	}
	y, m, d := two(text), two(text[3:]), two(text[6:])
	if y > 99 || !valid(century(y), m, d) {
		return 0, 0, false
	}
	sec, frac, n, ok := clock(text[9:])
	if !ok {
		return 0, 0, false
	}
	return p.instant(days(century(y), m, d)*day+sec, frac, text, 9+n)
}

// century completes a year of two digits as strptime does.
func century(y int) int {
	if y >= 69 {
		return 1900 + y
	}
	return 2000 + y
}

// epoch reads a number of seconds, milliseconds, microseconds or nanoseconds.
func epoch(text []byte) (ns int64, ok bool) {
	digits := text
	negative := len(text) > 0 && text[0] == '-'
	if negative || len(text) > 0 && text[0] == '+' {
		digits = text[1:]
	}
	var v int64
	n := 0
	for n < len(digits) && n < 19 && digits[n]-'0' <= 9 {
		v = v*10 + int64(digits[n]-'0')
		n++
	}
	if n == 0 || v < 0 {
		return 0, false
	}
	unit := unitOf(v)
	frac, end := fraction(digits, n)
	if end != len(digits) {
		return exponent(text)
	}
	ns, ok = nanos(v/(1e9/unit), v%(1e9/unit)*unit+frac/(1e9/unit))
	if negative {
		ns = -ns
	}
	return ns, ok
}

// unitOf returns the nanoseconds in the unit of an epoch by its magnitude.
func unitOf(v int64) int64 {
	switch {
	case v < 1e10:
		return 1e9
	case v < 1e13:
		return 1e6
	case v < 1e16:
		return 1e3
	default:
		return 1
	}
}

// exponent reads an epoch such as 1.7955144e9, as some JSON writers have it.
func exponent(text []byte) (ns int64, ok bool) {
	if !bytes.ContainsAny(text, "eE") || len(bytes.Trim(text, "0123456789.+-eE")) > 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	if err != nil || f < -1<<62 || f > 1<<62 {
		return 0, false
	}
	v := int64(f)
	unit := unitOf(max(v, -v))
	scale := 1e9 / unit
	return nanos(v/scale, v%scale*unit+int64((f-float64(v))*float64(unit)))
}

// leadingDigits returns how many digits text begins with, of at most twenty.
func leadingDigits(text []byte) (n int) {
	for n < len(text) && n < 20 && text[n]-'0' <= 9 {
		n++
	}
	return n
}

// leadingEpoch reads an epoch of the usual lengths before a space, a bracket or a colon
// and a space.
func leadingEpoch(text []byte) (ns int64, n int, ok bool) {
	n = leadingDigits(text)
	if n != 10 && n != 13 && n != 16 && n != 19 || text[0] == '0' {
		return 0, 0, false
	}
	_, n = fraction(text, n)
	if n < len(text) && text[n] != ' ' && text[n] != '\t' && text[n] != ']' && !bytes.HasPrefix(text[n:], []byte(": ")) {
		return 0, 0, false
	}
	if ns, ok = epoch(text[:n]); !ok {
		return 0, 0, false
	}
	return ns, n, true
}

// surelyEpoch reads an epoch that is one wherever it stands: one behind which its
// date is, or one with a fraction in brackets, as ROS writes it.
func surelyEpoch(text []byte) (ns int64, n int, ok bool) {
	const seconds = len("[1795514400.")
	if len(text) <= seconds || text[0] != '[' {
		return datedEpoch(text)
	}
	ns, n, ok = leadingEpoch(text[1:])
	if !ok || text[seconds-1] != '.' || 1+n >= len(text) || text[1+n] != ']' {
		return 0, 0, false
	}
	return ns, n + 2, true
}

// datedEpoch reads an epoch in seconds behind which its date stands, whatever the
// zone of that, as supercomputers log it: "1795514400 2026.11.24".
func datedEpoch(text []byte) (ns int64, n int, ok bool) {
	const seconds, date = len("1795514400"), len("2026.11.24")
	if len(text) <= seconds+date || text[0]-'0' > 9 {
		return 0, 0, false
	}
	ns, n, ok = leadingEpoch(text)
	if !ok || n != seconds {
		return 0, 0, false
	}
	midnight, ok := civilDate(text[n+1:])
	since := ns/1e9 - midnight
	return ns, n, ok && since > -half && since < day+half
}

const half = day / 2
