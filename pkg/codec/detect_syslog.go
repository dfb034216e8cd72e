package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
)

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
// with a time of RFC 3164 or with another and a tag that has a process or is the
// kernel's. One with a time of RFC 3339, a host and a tag (service:) looks like
// it: so rsyslog and syslog-ng write, and some applications as well.
func markOf(line []byte) syslogMark {
	plan := record.NewPlan()
	host, service, pid := plan.Column("host"), plan.Column("service"), plan.Column("pid")
	b := &record.Batch{}
	rec := b.Add(line)
	if newSyslog(plan).parse(b, 0, rec.Value) != "" {
		return notSyslog
	}
	has := func(column int) bool { return b.Col(column)[0].Kind() != record.Missing }
	named := has(host) && !isLevelName(b.Raw(b.Col(host)[0])) && has(service)
	switch first := line[0]; {
	case first == '<':
		return surelySyslog
	case first-'0' <= 9 && (len(line) <= 10 || line[10] != 'T'):
		return notSyslog
	case first-'0' <= 9 && (has(pid) || named && bytes.Equal(b.Raw(b.Col(service)[0]), []byte("kernel"))):
		return surelySyslog
	case first-'0' <= 9 && named:
		return likeSyslog
	case first >= 'A' && first <= 'Z' && len(line) > 15 && line[3] == ' ' && line[15] == ' ':
		return surelySyslog
	default:
		return notSyslog
	}
}

// isLevelName reports whether text of any length names a level.
func isLevelName(text []byte) bool { return len(text) <= 9 && isLevel(text) }
