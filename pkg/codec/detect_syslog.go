package codec

import "github.com/logctl/logctl/pkg/record"

// A syslogMark says how surely a line is one of syslog.
type syslogMark int

const (
	notSyslog syslogMark = iota
	likeSyslog
	surelySyslog
)

// isSyslog reports whether lines are of syslog: at least two thirds look like
// it, and one of them surely is. Without that, every application's log that
// begins with a time would be one.
func isSyslog(lines [][]byte) bool {
	surely := false
	return most(lines, func(line []byte) bool {
		mark := markOf(line)
		surely = surely || mark == surelySyslog
		return mark != notSyslog
	}) && surely
}

// markOf says whether line is one of syslog. Surely so is one with a priority,
// with a time of RFC 3164 (or such with a year, before host and tag) or with one
// of RFC 3339 and a tag that has a process or is the kernel's, or in the precision
// of rsyslog and with host and tag. One with a time of RFC 3339, a host and a tag
// (service:) looks like it: so syslog-ng writes, and some applications as well.
func markOf(line []byte) syslogMark {
	plan := record.NewPlan()
	host, service, pid := plan.Column("host"), plan.Column("service"), plan.Column("pid")
	b := &record.Batch{}
	rec := b.Add(line)
	if newSyslog(plan).parse(b, 0, rec.Value) != "" {
		return notSyslog
	}
	text := func(column int) string { return string(b.Text(b.Col(column)[0])) }
	named := text(host) != "" && !isLevelName(text(host)) && text(service) != ""
	switch first := line[0]; {
	case first == '<':
		return surelySyslog
	case named && hasMonthAndYear(line):
		return surelySyslog
	case named && isPrecise(line):
		return surelySyslog
	case first-'0' <= 9 && len(line) > 10 && line[10] == 'T' && !isLevelName(text(host)):
		return markOfTag(named, text(service), text(pid))
	case first >= 'A' && first <= 'Z' && len(line) > 15 && line[3] == ' ' && line[15] == ' ':
		return surelySyslog
	default:
		return notSyslog
	}
}

// hasMonthAndYear reports whether the time at the start of line is as in
// "Jan _2 2006 15:04:05" or "2006 Jan _2 15:04:05".
func hasMonthAndYear(line []byte) bool {
	return len(line) > 20 && line[20] == ' ' && (line[3] == ' ' && line[11] == ' ' || line[4] == ' ' && line[8] == ' ')
}

// isPrecise reports whether line begins with a time as rsyslog writes it, in
// microseconds and with an offset in numbers.
func isPrecise(line []byte) bool {
	const form = "2006-01-02T15:04:05.000000+00:00"
	return len(line) > len(form) && line[10] == 'T' && line[19] == '.' && digits(line[20:]) == 6 &&
		(line[26] == '+' || line[26] == '-')
}

// markOfTag is markOf for lines with a time of RFC 3339; named says that they
// have host and service.
func markOfTag(named bool, service, pid string) syslogMark {
	switch {
	case pid != "" || named && service == "kernel":
		return surelySyslog
	case named:
		return likeSyslog
	default:
		return notSyslog
	}
}

// isLevelName reports whether text names a level.
func isLevelName(text string) bool { return isLevelAt([]byte(text), wordPlace{first: true}) }
