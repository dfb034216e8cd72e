package stamp

import (
	"bytes"
	"math"
)

// offset reads a zone at text[i:], a space before it allowed, and returns its
// seconds east of Greenwich and where it ends; i where there is none, -1 where
// there is one that may be any of several.
func offset(text []byte, i int) (sec int64, end int) {
	j := i
	if j < len(text) && text[j] == ' ' {
		j++
	}
	rest := text[j:]
	switch {
	case len(rest) == 0:
		return 0, i
	case rest[0]|0x20 == 'z' && (j == i || len(rest) == 1):
		return 0, j + 1
	case rest[0] == '+' || rest[0] == '-':
		sec, n := numeric(rest)
		if n == 0 || n == 3 && j != i {
			return 0, i
		}
		return sec, j + n
	case rest[0]-'A' < 26:
		sec, n := abbreviated(rest)
		switch {
		case n == 0:
			return 0, i
		case sec == several:
			return 0, -1
		default:
			return sec, j + n
		}
	default:
		return 0, i
	}
}

// numeric reads +hh:mm, +hhmm or +hh at the start of b; n is 0 where it is
// none of them.
func numeric(b []byte) (sec int64, n int) {
	if len(b) < 3 {
		return 0, 0
	}
	h, m := two(b[1:]), 0
	n = 3
	switch {
	case len(b) >= 6 && b[3] == ':':
		m, n = two(b[4:]), 6
	case len(b) >= 5 && two(b[3:]) < 100:
		m, n = two(b[3:]), 5
	}
	if h > 23 || m > 59 {
		return 0, 0
	}
	sec = int64(h*hour + m*minute)
	if b[0] == '-' {
		sec = -sec
	}
	return sec, n
}

// universal is how Java calls UTC in full.
const universal = "Coordinated Universal Time"

// abbreviated reads the abbreviation of a zone at the start of b, and for UTC
// and GMT the offset that may stand right behind it, as in GMT+0100; n is 0
// where there is none.
func abbreviated(b []byte) (sec int64, n int) {
	if bytes.HasPrefix(b, []byte(universal)) {
		return 0, len(universal)
	}
	for n < len(b) && n < 5 && b[n]-'A' < 26 {
		n++
	}
	sec, ok := zoneOf(b[:n])
	if !ok || n < len(b) && (isWord(b[n]) || b[n] == '_') {
		return 0, 0
	}
	if n < len(b) && (b[n] == '+' || b[n] == '-') {
		east, more := numeric(b[n:])
		if more == 0 || string(b[:n]) != "UTC" && string(b[:n]) != "GMT" {
			return 0, 0
		}
		return east, n + more
	}
	return sec, n
}

// several is the offset of an abbreviation that has more than one.
const several = math.MaxInt64

// zoneOf returns the seconds east of Greenwich of an abbreviation: those of
// North America as RFC 2822, section 4.3, fixes them, and those that mean one
// offset wherever the tz database has them today. Others it has stand for
// several: IST and IDT for India's, Israel's and Ireland's, BST for Britain's and
// Bangladesh's, AST and ADT for the Atlantic's and Arabia's, SST for Samoa's and
// Singapore's; MSK has been three and four hours.
func zoneOf(name []byte) (sec int64, ok bool) {
	switch string(name) {
	case "UTC", "GMT", "WET":
		return 0, true
	case "CET", "WEST", "WAT":
		return 1 * hour, true
	case "CEST", "EET", "CAT", "SAST":
		return 2 * hour, true
	case "EEST", "EAT":
		return 3 * hour, true
	case "PKT":
		return 5 * hour, true
	case "WIB":
		return 7 * hour, true
	case "HKT", "AWST":
		return 8 * hour, true
	case "JST", "KST":
		return 9 * hour, true
	case "ACST":
		return 9*hour + 30*minute, true
	case "AEST":
		return 10 * hour, true
	case "ACDT":
		return 10*hour + 30*minute, true
	case "AEDT":
		return 11 * hour, true
	case "NZST":
		return 12 * hour, true
	case "NZDT":
		return 13 * hour, true
	case "IST", "IDT", "BST", "AST", "ADT", "SST", "MSK":
		return several, true
	default:
		return americanZone(name)
	}
}

// americanZone is zoneOf for North America and Hawaii.
func americanZone(name []byte) (sec int64, ok bool) {
	switch string(name) {
	case "NDT":
		return -2*hour - 30*minute, true
	case "NST":
		return -3*hour - 30*minute, true
	case "EDT":
		return -4 * hour, true
	case "EST", "CDT":
		return -5 * hour, true
	case "CST", "MDT":
		return -6 * hour, true
	case "MST", "PDT":
		return -7 * hour, true
	case "PST", "AKDT":
		return -8 * hour, true
	case "AKST":
		return -9 * hour, true
	case "HST":
		return -10 * hour, true
	default:
		return 0, false
	}
}
