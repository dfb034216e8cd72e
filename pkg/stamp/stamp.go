// Package stamp reads timestamps as logs write them and writes them as logctl
// does: RFC 3339 in UTC with milliseconds. Times are nanoseconds since 1970,
// which reach from 1677-09-21 to 2262-04-11; what lies beyond is no time here.
//
// These are read, where D is a decimal fraction of any length of which nine
// digits count, behind a point or a comma:
//
//	2026-11-24T10:00:00D+02:00    RFC 3339; a space for the T, seconds and
//	                              zone may be missing; +0200, +02, " +0200",
//	                              Z, GMT+0200 and such as UTC, CET and PDT are
//	                              zones (see zoneOf); / may stand for -; Airflow
//	                              has a comma and a space for the T
//	2026-11-24                    midnight
//	2026.11.24 10:00:00D          or 24.11.2026: with points the day is first
//	2026-11-24-10.00.00D+060      DB2; the zone in minutes
//	20261124T100000D+02:00        ISO 8601's basic form; - or _ or a space for
//	                              the T, and 10:00:00 or 10:0:0:250 behind it;
//	                              20261124:100000.123 is Zabbix'
//	26/11/24 10:00:00             log4j's short date; 69 to 99 are 19xx
//	261124 100000                 Hadoop's
//	24/Nov/2026:10:00:00 +0200    common log
//	24/Nov/2026 10:00:00          - may stand for /, as BIND and PHP have it
//	11/24/2026 10:00:00 PM        only with AM or PM: without, either could be the month
//	11/24/2026-10:00:00.123456    Suricata's, and Snort's: without the year as in
//	                              RFC 3164, or with two digits of it
//	Nov 24 10:00:00D              RFC 3164, see Parser.Parse for the year
//	I1124 10:00:00D               klog, likewise; I20261124 has a year
//	11-24 10:00:00D               Android, likewise; not without the fraction; Geth
//	                              has | for the space
//	Nov 24 2026 10:00:00D         or Nov 24, 2026 @ or Nov 24, 2026,; or 2026 Nov 24; or 24 Nov 2026
//	Tue Nov 24 10:00:00D 2026     ctime, Apache's error log; zones before the year
//	Tue, 24 Nov 2026 10:00:00 GMT HTTP, mail
//	24:10:00:00                   day and time, as the EPA-HTTP trace has it
//	1795514400D                   epoch, see below
//
// AM or PM may follow a time. Each may stand in brackets. An epoch is in seconds below 1e10 (the year
// 2286), in milliseconds below 1e13, in microseconds below 1e16, else in
// nanoseconds; so milliseconds are understood from 1970-04-26 on, microseconds
// and nanoseconds likewise. A leap second (:60) is the second after it. Where
// the abbreviation of a zone has several meanings (IST), there is no time.
package stamp

import (
	"bytes"
	"time"
)

// A Parser reads timestamps. It remembers the last minute that it saw, since
// neighbours in a log nearly always share it; its results do not depend on
// that. The zero value is ready. It belongs to one goroutine.
type Parser struct {
	// Zone is where stamps without a zone were written; nil is UTC. Set it
	// before the first Parse.
	Zone *time.Location

	iso    cache // of a minute
	common cache // of ten minutes
}

// A cache holds the seconds since 1970 that sixteen bytes of text stand for.
type cache struct {
	lo, hi uint64
	sec    int64
}

// Parse reads the whole of text. ok is false where it is no timestamp of a
// known form or no date of the calendar. Parts of the date that are missing
// come from ref, ns since 1970, the time at which the stamp was surely no
// news: Kafka's time of the record, or the modification time of the file. The
// year (or the month) is the one that puts the stamp nearest before ref plus a
// day, which leaves room for zones and clocks. Where ref is record.NoTime
// (math.MinInt64), such stamps are not ok.
func (p *Parser) Parse(text []byte, ref int64) (ns int64, ok bool) {
	if ns, ok = p.canonical(text); ok {
		return ns, true
	}
	if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	ns, n, ok := p.prefix(text, ref)
	if ok && n == len(text) {
		return ns, true
	}
	switch {
	case len(text) == 10 && (text[4] == '-' || text[4] == '/'):
		return p.dateOnly(text)
	case len(text) >= 11 && text[2] == ':':
		return p.dayTime(text, ref)
	default:
		return epoch(text)
	}
}

// Leading reads the timestamp at the start of text, such as a log line, and
// returns its length n, brackets included. It is stricter than Parse where
// other things look alike: an epoch needs 10, 13, 16 or 19 digits and a space
// behind it, a date its time, and a day and time are not read.
func (p *Parser) Leading(text []byte, ref int64) (ns int64, n int, ok bool) {
	if ns, n, ok = p.leadingDate(text, ref); ok {
		return ns, n, true
	}
	if len(text) > 2 && text[0] == '[' {
		ns, n, ok = leadingEpoch(text[1:])
		if !ok || 1+n >= len(text) || text[1+n] != ']' {
			return 0, 0, false
		}
		return ns, n + 2, true
	}
	return leadingEpoch(text)
}

// leadingDate is Leading without epochs.
func (p *Parser) leadingDate(text []byte, ref int64) (ns int64, n int, ok bool) {
	if len(text) > 2 && text[0] == '[' {
		ns, n, ok = p.leadingDate(text[1:], ref)
		if !ok || 1+n >= len(text) || text[1+n] != ']' {
			return 0, 0, false
		}
		return ns, n + 2, true
	}
	ns, n, ok = p.prefix(text, ref)
	if !ok {
		return 0, 0, false
	}
	if n < len(text) && isWord(text[n]) {
		return 0, 0, false
	}
	return ns, n, true
}

// findWords and findReach bound where Find looks: a stamp begins with one of the
// first words or a bracket, within so many bytes.
const (
	findWords = 4
	findReach = 128
)

// Find reads the timestamp that begins with one of the first four words of text,
// or behind a mark before such a word (see marked), or that stands in brackets, and
// returns where it begins and its length n. Behind the first word an epoch is none,
// since it could be any number, unless its date follows or it has a fraction and
// brackets.
func (p *Parser) Find(text []byte, ref int64) (ns int64, start, n int, ok bool) {
	if ns, n, ok = p.Leading(text, ref); ok {
		return ns, 0, n, true
	}
	if ns, start, n, ok = p.marked(text, ref); ok {
		return ns, start, n, true
	}
	if len(text) > 0 && (text[0] == '<' || text[0] == '#') {
		if ns, start, n, ok = p.angled(text, ref); ok {
			return ns, start, n, true
		}
	}
	start = 0
	head := text[:min(len(text), findReach)]
	for range findWords - 1 {
		for start < len(head) && head[start] != ' ' && head[start] != '\t' {
			start++
		}
		for start < len(head) && (head[start] == ' ' || head[start] == '\t') {
			start++
		}
		if start == len(head) {
			break
		}
		if text[start]-'a' < 26 { // no stamp begins so
			continue
		}
		if ns, n, ok = p.leadingDate(text[start:], ref); ok {
			return ns, start, n, true
		}
		if ns, n, ok = surelyEpoch(text[start:]); ok {
			return ns, start, n, true
		}
		if ns, mark, n, ok := p.marked(text[start:], ref); ok {
			return ns, start + mark, n, true
		}
	}
	return p.bracketed(text, start, len(head), ref)
}

// bracketed is Find for stamps in brackets in text[start:end].
func (p *Parser) bracketed(text []byte, start, end int, ref int64) (ns int64, at, n int, ok bool) {
	for ; start < end; start++ {
		next := bytes.IndexByte(text[start:end], '[')
		if next < 0 {
			break
		}
		start += next
		if ns, n, ok = p.leadingDate(text[start:], ref); ok {
			return ns, start, n, true
		}
	}
	return 0, 0, 0, false
}

// marked reads the timestamp behind the mark that text begins with: Cisco's star or
// point, SSSD's parenthesis, a bracket that holds more than the time, a colour, the
// process before Zabbix' colon.
func (p *Parser) marked(text []byte, ref int64) (ns int64, start, n int, ok bool) {
	if len(text) == 0 || text[0]|0x20-'a' < 26 {
		return 0, 0, 0, false
	}
	switch c := text[0]; {
	case c == '*' || c == '.' || c == '[' || c == '(':
		start = 1
	case c == escape:
		start = ColourLen(text)
	case c-'0' <= 9:
		start = leadingDigits(text) + 1
		if start >= len(text) || text[start-1] != ':' || leadingDigits(text[start:]) != len("20060102") {
			return 0, 0, 0, false
		}
	default:
		return 0, 0, 0, false
	}
	ns, n, ok = p.leadingDate(text[start:], ref)
	return ns, start, n, ok
}

const escape = 0x1b

// ColourLen returns the length of the sequences that text begins with and that set the
// colour of a terminal: "\x1b[2m".
func ColourLen(text []byte) (n int) {
	for end := 0; end+1 < len(text) && text[end] == escape && text[end+1] == '['; n = end {
		end += 2
		for end < len(text) && (text[end]-'0' <= 9 || text[end] == ';') {
			end++
		}
		if end == len(text) || text[end] != 'm' {
			return n
		}
		end++
	}
	return n
}

// angled reads the timestamp that text begins with as WebLogic writes it, "<...>" or
// "####<...>".
func (p *Parser) angled(text []byte, ref int64) (ns int64, start, n int, ok bool) {
	for start < len(text) && text[start] == '#' {
		start++
	}
	if start == len(text) || text[start] != '<' {
		return 0, 0, 0, false
	}
	start++
	ns, n, ok = p.leadingDate(text[start:], ref)
	return ns, start, n, ok && start+n < len(text) && text[start+n] == '>'
}

// prefix reads the timestamp at the start of text by the shape of its first
// bytes.
func (p *Parser) prefix(text []byte, ref int64) (ns int64, n int, ok bool) {
	if len(text) < len("2006-01-02T") {
		return 0, 0, false
	}
	switch {
	case text[0]-'0' > 9:
		return p.named(text, ref)
	case text[1]-'0' > 9 || text[2]-'0' > 9:
		return p.dayOrMonthFirst(text, ref)
	case text[10] == '-' && text[4] == '-':
		return p.db2(text)
	case text[10] == ',' && text[4] == '-':
		return p.commaed(text)
	case text[4] == '-' || text[4] == '/' || text[4] == '.':
		return p.civil(text)
	case text[4]-'0' <= 9:
		return p.compact(text)
	case text[4] == ' ' && month(text[5:]) != 0:
		return p.yearFirst(text)
	default:
		return 0, 0, false
	}
}

// dayOrMonthFirst is prefix for what begins with a number of one digit or two.
func (p *Parser) dayOrMonthFirst(text []byte, ref int64) (ns int64, n int, ok bool) {
	switch {
	case text[2] == '/' && text[5] == '/' && text[8] == ' ':
		return p.short(text)
	case text[2] == '/' && bytes.IndexByte(text[5:11], '-') >= 0:
		return p.sniffed(text, ref)
	case text[1] == '/' || text[2] == '/' && (text[4] == '/' || text[5] == '/'):
		return p.american(text)
	case text[2] == '/' || text[2] == '-' && text[6] == '-':
		return p.commonLog(text)
	case text[2] == '-' && text[5] != '-':
		return p.monthDay(text, ref)
	case text[2] == '.' && text[5] == '.', text[2] == ' ' && month(text[3:]) != 0, text[1] == ' ' && month(text[2:]) != 0:
		return p.dayFirst(text)
	default:
		return 0, 0, false
	}
}

func isWord(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 'z'-'a' || c >= 0x80 }

// nanos joins seconds and nanoseconds; false where they are out of range.
func nanos(sec, frac int64) (int64, bool) {
	const most = 1<<63/1_000_000_000 - 1
	return sec*1e9 + frac, sec >= -most && sec <= most
}
