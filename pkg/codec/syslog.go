package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// syslog finds fields in lines of syslog, each of which may be of RFC 5424 or
// of RFC 3164: as it is sent, or as it stands in files, without <PRI>.
//
//	<165>1 2003-10-11T22:14:15.003Z host service pid msgid [id name="value"] message
//	<34>Oct 11 22:14:15 host service[pid]: message
//	2003-10-11T22:14:15.003Z host service[pid]: message
//
// PRI gives level and facility, by their keywords. The elements of structured
// data are sd.ID.NAME. A dash is missing in RFC 5424.
type syslog struct {
	binding
	clock stamp.Parser
	to    [syslogFields][]target
	data  bool   // structured data is asked for
	key   []byte // the name of an element of structured data
}

const (
	syslogTime = iota
	syslogLevel
	syslogFacility
	syslogHost
	syslogService
	syslogPID
	syslogMsgID
	syslogMessage
	syslogFields
)

var syslogNames = [syslogFields]string{
	"timestamp", "level", "facility", "host", "service", "pid", "msgid", "message",
}

var (
	severities = [8]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	facilities = [24]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
		"alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
)

func newSyslog(plan *record.Plan) *syslog {
	p := &syslog{binding: newBinding(plan)}
	for i, name := range syslogNames {
		p.to[i] = p.byName[name]
	}
	for name := range p.byName {
		p.data = p.data || len(name) > 3 && name[:3] == "sd."
	}
	return p
}

// parse reads the record in s, which is row's text.
func (p *syslog) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	line, off := b.Bytes(s), int(s.Off)
	pri, n := priority(line)
	if n < 0 {
		return `want a priority of 0 to 191 between "<" and ">"`
	}
	body := line[n:]
	if n > 0 && hasVersion(body) {
		reason = p.modern(b, row, off+n, body)
	} else {
		reason = p.old(b, row, off+n, body, n > 0)
	}
	if reason != "" {
		p.clear(b, row)
		return reason
	}
	if n > 0 {
		p.word(b, row, syslogLevel, severities[pri&7])
		p.word(b, row, syslogFacility, facilities[pri>>3])
	}
	return ""
}

func (p *syslog) field(b *record.Batch, row, field int, v record.Value) {
	p.set(b, row, p.to[field], v)
}

// word sets a field to text that does not stand in the record.
func (p *syslog) word(b *record.Batch, row, field int, text string) {
	if len(p.to[field]) > 0 {
		off := len(b.Data)
		b.Data = append(b.Data, text...)
		p.set(b, row, p.to[field], record.NewValue(record.String, off, len(text)))
	}
}

// priority reads <PRI> and returns its length: 0 where there is none, -1 where
// it is wrong.
func priority(line []byte) (pri, n int) {
	if len(line) == 0 || line[0] != '<' {
		return 0, 0
	}
	n = digits(line[1:])
	if n == 0 || n > 3 || n+1 == len(line) || line[n+1] != '>' {
		return 0, -1
	}
	for _, c := range line[1 : n+1] {
		pri = pri*10 + int(c-'0')
	}
	if pri > 191 {
		return 0, -1
	}
	return pri, n + 2
}

// hasVersion reports whether body begins with the version of RFC 5424, a number
// of one or two digits, and a space.
func hasVersion(body []byte) bool {
	n := digits(body)
	return (n == 1 || n == 2) && body[0] != '0' && n < len(body) && body[n] == ' '
}

// old reads RFC 3164, from its time on. Sent messages may lack the time.
func (p *syslog) old(b *record.Batch, row, off int, body []byte, sent bool) (reason string) {
	i := 0
	// Only the length of the stamp is of interest here, so any year will do.
	_, n, ok := p.clock.Leading(body, 0)
	switch {
	case ok && n < len(body) && body[n] == ' ':
		p.field(b, row, syslogTime, record.NewValue(record.String, off, n))
		i = n + 1
	case !sent:
		return `no time and space at the start: want one as in "Jun 14 15:16:01 host service[pid]: message"`
	default:
		p.unframed(b, row, off, body)
		return ""
	}
	// Local sockets leave out the host: then the tag comes first.
	if end := wordEnd(body, i); end > i && end < len(body) && body[end-1] != ':' && bytes.IndexByte(body[i:end], '[') < 0 {
		p.field(b, row, syslogHost, textValue(off+i, body[i:end]))
		i = end + 1
	}
	p.tag(b, row, off+i, body[i:])
	return ""
}

// unframed takes in a sent message that does not begin as RFC 3164 says. Its time is
// where plain text has it: behind a number, as Cisco's routers write it, before a colon, as
// its firewalls do.
func (p *syslog) unframed(b *record.Batch, row, off int, body []byte) {
	p.field(b, row, syslogMessage, record.NewValue(record.String, off, len(body)))
	if len(p.to[syslogTime]) == 0 {
		return
	}
	if _, start, n, ok := p.clock.Find(body, 0); ok {
		p.field(b, row, syslogTime, record.NewValue(record.String, off+start, n))
	}
}

// tag reads "service[pid]: message", or a message alone.
func (p *syslog) tag(b *record.Batch, row, off int, text []byte) {
	end, i := tagEnds(text)
	if i > 0 {
		p.field(b, row, syslogService, textValue(off, text[:end]))
		if i > end {
			p.field(b, row, syslogPID, numberValue(off+end+1, text[end+1:i-1]))
		}
		if text[i] == ':' {
			i++
		}
		if i < len(text) && text[i] == ' ' {
			i++
		}
	}
	p.field(b, row, syslogMessage, record.NewValue(record.String, off+i, len(text)-i))
}

// tagEnds returns where the name in a tag ends, and where all of it; 0 where there is none.
func tagEnds(text []byte) (name, tag int) {
	if isEvent(text) {
		return 0, 0
	}
	for name < len(text) && text[name] > ' ' && text[name] != '[' && text[name] != ':' {
		name++
	}
	if name == 0 || name == len(text) {
		return 0, 0
	}
	if text[name] == '[' {
		end := name + bytes.IndexByte(text[name:], ']') + 1
		if end > name+1 && end < len(text) && (text[end] == ':' || text[end] == ' ') {
			return name, end
		}
	}
	if text[name] == ':' {
		return name, name
	}
	return 0, 0
}

// isEvent reports whether a message is one of ArcSight's or QRadar's formats, which begin
// as if they had a tag.
func isEvent(text []byte) bool {
	return bytes.HasPrefix(text, []byte("CEF:")) || bytes.HasPrefix(text, []byte("LEEF:"))
}

// modern reads RFC 5424, from its version on.
func (p *syslog) modern(b *record.Batch, row, off int, body []byte) (reason string) {
	i := wordEnd(body, 0)
	for _, field := range [...]int{syslogTime, syslogHost, syslogService, syslogPID, syslogMsgID} {
		start := i + 1
		if start >= len(body) {
			return "the header ends before " + syslogNames[field] + ": want time, host, service, pid, msgid and structured data"
		}
		i = wordEnd(body, start)
		if field == syslogPID {
			p.field(b, row, field, numberValue(off+start, body[start:i]))
		} else {
			p.field(b, row, field, textValue(off+start, body[start:i]))
		}
	}
	if i++; i >= len(body) {
		return `no structured data behind the header: want "-" or "["`
	}
	n := 1
	if body[i] != '-' {
		n = p.structured(b, row, off+i, body[i:])
	}
	if i += n; n <= 0 || i < len(body) && body[i] != ' ' {
		return `the structured data is neither "-" nor [id name="value"] elements`
	}
	if i < len(body) {
		i++
		i += len(body[i:]) - len(bytes.TrimPrefix(body[i:], []byte("\uFEFF")))
		p.field(b, row, syslogMessage, record.NewValue(record.String, off+i, len(body)-i))
	}
	return ""
}

// structured reads elements of structured data and returns their length; 0
// where they are broken.
func (p *syslog) structured(b *record.Batch, row, off int, text []byte) int {
	i := 0
	for i < len(text) && text[i] == '[' {
		end := nameEnd(text, i+1)
		id := text[i+1 : end]
		i = end
		for i < len(text) && text[i] == ' ' {
			start := i + 1
			eq := nameEnd(text, start)
			if eq == start || eq+1 >= len(text) || text[eq] != '=' || text[eq+1] != '"' {
				return 0
			}
			quote, escaped := stringEnd(text, eq+2)
			if quote < 0 {
				return 0
			}
			if p.data {
				p.element(b, row, p.elementKey(id, text[start:eq]), off+eq+2, text[eq+2:quote], escaped)
			}
			i = quote + 1
		}
		if len(id) == 0 || i == len(text) || text[i] != ']' {
			return 0
		}
		i++
	}
	return i
}

// elementKey returns the columns for a name of structured data.
func (p *syslog) elementKey(id, name []byte) []target {
	p.key = append(append(append(append(p.key[:0], "sd."...), id...), '.'), name...)
	return p.byName[string(p.key)]
}

// element hands on a value of structured data. Backslashes escape quotes,
// backslashes and closing brackets, and stand for themselves elsewhere.
func (p *syslog) element(b *record.Batch, row int, to []target, off int, text []byte, escaped bool) {
	if len(to) == 0 {
		return
	}
	if !escaped {
		p.set(b, row, to, record.NewValue(record.String, off, len(text)))
		return
	}
	off = len(b.Data)
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\' || text[i+1] == ']') {
			i++
		}
		b.Data = append(b.Data, text[i])
	}
	p.set(b, row, to, record.NewValue(record.String, off, len(b.Data)-off))
}

// nameEnd returns where a name of structured data that begins at text[i] ends.
func nameEnd(text []byte, i int) int {
	for i < len(text) && text[i] > ' ' && text[i] != '=' && text[i] != ']' && text[i] != '"' {
		i++
	}
	return i
}

// wordEnd returns the index of the first space from text[i] on, or len(text).
func wordEnd(text []byte, i int) int {
	if n := bytes.IndexByte(text[i:], ' '); n >= 0 {
		return i + n
	}
	return len(text)
}
