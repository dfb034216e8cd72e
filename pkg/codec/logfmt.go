package codec

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// logfmt finds fields in lines of key=value pairs. A value in quotes is a
// string with JSON's escapes (what is no escape of JSON stands for itself); any
// other ends at white space and is a number if it is a plain decimal of at
// most 15 digits, else a string. A key alone is true. A line without a single
// "=" is bad: it is prose or part of a stack trace. Where no key of the usual names
// has the timestamp, it is that of auditd (msg=audit(1364481363.243:24287)) or a date
// with its time behind the key t, as Grafana writes it.
type logfmt struct {
	binding
	clock   dayClock
	unusual record.Value // the timestamp in another place than the usual ones
}

func newLogfmt(plan *record.Plan) *logfmt {
	p := &logfmt{binding: newBinding(plan)}
	p.clock = newDayClock(p.byName["timestamp"], logfmtClock[:], "")
	return p
}

// logfmtClock are the keys that stand for columns to a dayClock, by their numbers.
var logfmtClock = [...]string{"date", "time"}

// clockPart returns the number of a key in logfmtClock, -1 where it has none.
func clockPart(key []byte) int {
	switch string(key) {
	case logfmtClock[0]:
		return 0
	case logfmtClock[1]:
		return 1
	default:
		return -1
	}
}

// parse reads the record in s, which is row's text.
func (p *logfmt) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	p.clock.begin()
	p.unusual = 0
	line, off := b.Bytes(s), int(s.Off)
	pairs := 0
	for i := gap(line, 0); i < len(line); i = gap(line, i) {
		start := i
		i = keyEnd(line, i)
		key := line[start:i]
		if len(key) == 0 {
			p.clear(b, row)
			return fmt.Sprintf("got %q at byte %d, want a key", line[i:i+1], i+1)
		}
		if i == len(line) || line[i] != '=' {
			if i < len(line) && line[i] == '"' {
				p.clear(b, row)
				return fmt.Sprintf("got a quote at byte %d, want \"=\" or a space behind a key", i+1)
			}
			p.set(b, row, p.byName[string(key)], record.NewValue(record.True, off+start, len(key)))
			continue
		}
		pairs++
		end := valueEnd(line, i+1)
		if end < 0 {
			p.clear(b, row)
			return fmt.Sprintf("no closing quote and space for the one at byte %d", i+2)
		}
		to, part := p.byName[string(key)], -1
		if p.clock.time >= 0 && len(key) == len("date") {
			part = clockPart(key)
		}
		if len(p.clock.to) > 0 && len(key) <= len("msg") {
			p.lookInto(key, off+i+1, line[i+1:end])
		}
		if to != nil || part >= 0 {
			v := p.value(b, off+i+1, line[i+1:end])
			p.clock.take(part, v)
			p.set(b, row, to, v)
		}
		i = end
	}
	if pairs == 0 {
		p.clear(b, row)
		return "no key=value pair"
	}
	p.set(b, row, p.clock.to, p.clock.join(b))
	complete(b, row, p.clock.to, p.unusual)
	return ""
}

// lookInto looks for a timestamp in text, the value of a key, which stands at off.
func (p *logfmt) lookInto(key []byte, off int, text []byte) {
	const audit, date = "audit(", "2026-11-24T"
	switch string(key) {
	case "msg":
		if !bytes.HasPrefix(text, []byte(audit)) {
			return
		}
		if end := bytes.IndexByte(text, ':'); end > 0 && isCanonical(text[len(audit):end]) {
			p.unusual = record.NewValue(record.Number, off+len(audit), end-len(audit))
		}
	case "t":
		if len(text) > len(date) && text[4] == '-' && text[7] == '-' && text[10] == 'T' {
			p.unusual = record.NewValue(record.String, off, len(text))
		}
	}
}

// value returns the value of text, which stands at off.
func (p *logfmt) value(b *record.Batch, off int, text []byte) record.Value {
	if len(text) == 0 || text[0] != '"' {
		if isCanonical(text) {
			return record.NewValue(record.Number, off, len(text))
		}
		return record.NewValue(record.String, off, len(text))
	}
	text, off = text[1:len(text)-1], off+1
	switch {
	case bytes.IndexByte(text, '\\') < 0:
		return record.NewValue(record.String, off, len(text))
	case isJSONText(text):
		return record.NewValue(record.Escaped, off, len(text))
	default:
		off = len(b.Data)
		b.Data = record.AppendUnescaped(b.Data, text)
		return record.NewValue(record.String, off, len(b.Data)-off)
	}
}

// isJSONText reports whether text can stand in JSON between quotes as it is.
func isJSONText(text []byte) bool {
	for i := 0; i < len(text); {
		if i = plain(text, i); i == len(text) {
			break
		}
		n := 0
		switch {
		case text[i] == '\\':
			n = escapeLen(text[i:])
		case text[i] >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(text[i:])
			if r != utf8.RuneError || size > 1 {
				n = size
			}
		}
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// gap returns the index of the first byte from line[i] on that is no space.
func gap(line []byte, i int) int {
	for i < len(line) && line[i] <= ' ' {
		i++
	}
	return i
}

// keyEnd returns where the key that begins at line[i] ends.
func keyEnd(line []byte, i int) int {
	for i < len(line) && line[i] > ' ' && line[i] != '=' && line[i] != '"' {
		i++
	}
	return i
}

// valueEnd returns where the value that begins at line[i] ends; -1 where it is
// in quotes and not closed before a space or the end.
func valueEnd(line []byte, i int) int {
	if i == len(line) || line[i] != '"' {
		for i < len(line) && line[i] > ' ' {
			i++
		}
		return i
	}
	end, _ := stringEnd(line, i+1)
	if end < 0 || end+1 < len(line) && line[end+1] > ' ' {
		return -1
	}
	return end + 1
}
