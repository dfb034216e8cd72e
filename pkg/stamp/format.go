package stamp

import "time"

// AppendRFC3339 appends ns in UTC as 2006-01-02T15:04:05.000Z. What is finer
// than a millisecond is cut off, towards the past. Every int64 has a year of
// four digits.
func AppendRFC3339(dst []byte, ns int64) []byte {
	return append(appendCivil(dst, FloorDiv(ns, 1e6)), 'Z')
}

// AppendIn appends ns as the clocks of loc show it (nil is UTC), with milliseconds
// and offset: 2006-01-02T15:04:05.000+01:00, or Z where the offset is zero. An
// offset of odd seconds, as some had before 1972, is cut to minutes, and the
// shown time with it: what is written remains the same instant.
func AppendIn(dst []byte, ns int64, loc *time.Location) []byte {
	east := 0
	if loc != nil {
		_, east = time.Unix(0, ns).In(loc).Zone()
		east /= minute
	}
	if east == 0 {
		return AppendRFC3339(dst, ns)
	}
	dst = appendCivil(dst, FloorDiv(ns, 1e6)+int64(east)*minute*1000)
	sign := byte('+')
	if east < 0 {
		sign, east = '-', -east
	}
	dst = append(dst, sign)
	dst = appendTwo(dst, east/60)
	dst = append(dst, ':')
	return appendTwo(dst, east%60)
}

// appendCivil appends milliseconds since 1970 as date and time.
func appendCivil(dst []byte, ms int64) []byte {
	n := FloorDiv(ms, day*1000)
	rest := uint32(ms - n*day*1000)
	y, m, d := date(n)
	sec := rest / 1000
	dst = append(dst, "0000-00-00T00:00:00.000"...)
	text := dst[len(dst)-23:]
	_ = text[22]
	setTwo(text[0:], uint32(y)/100)
	setTwo(text[2:], uint32(y)%100)
	setTwo(text[5:], uint32(m))
	setTwo(text[8:], uint32(d))
	setTwo(text[11:], sec/hour)
	setTwo(text[14:], sec/minute%60)
	setTwo(text[17:], sec%minute)
	ms3 := rest % 1000
	text[20] += byte(ms3 / 100)
	setTwo(text[21:], ms3%100)
	return dst
}

func setTwo(dst []byte, n uint32) { dst[0], dst[1] = byte('0'+n/10), byte('0'+n%10) }

func appendTwo(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
