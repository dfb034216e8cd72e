package codec

import (
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// plainText takes a whole line as its message. Two more fields are found where
// they are easy to find: a timestamp that begins with one of the first words,
// and the first word that names a level, in capitals or in brackets or first in
// the line or right behind the timestamp, up to 80 bytes behind that. The letter
// that klog has before its timestamp is a level. No line is bad.
type plainText struct {
	binding
	clock                stamp.Parser
	time, level, message []target
}

func newPlain(plan *record.Plan) *plainText {
	p := &plainText{binding: newBinding(plan)}
	p.time, p.level, p.message = p.byName["timestamp"], p.byName["level"], p.byName["message"]
	return p
}

// levelReach is how far behind the timestamp a level is looked for.
const levelReach = 80

// parse reads the record in s, which is row's text.
func (p *plainText) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	line, off := b.Bytes(s), int(s.Off)
	p.set(b, row, p.message, record.NewValue(record.String, off, len(line)))
	if len(p.time) == 0 && len(p.level) == 0 {
		return ""
	}
	// Only the length of the stamp is of interest here, so any year will do.
	_, start, n, ok := p.clock.Find(line, 0)
	if ok {
		p.set(b, row, p.time, record.NewValue(record.String, off+start, n))
	}
	if len(p.level) > 0 {
		p.findLevel(b, row, s, record.Span{Off: uint32(start), Len: uint32(n)})
	}
	return ""
}

// findLevel sets the level of the record in s, in which a timestamp, of no length
// where there is none, stands at at.
func (p *plainText) findLevel(b *record.Batch, row int, s, at record.Span) {
	line, off := b.Bytes(s), int(s.Off)
	if name := klogLevel(line[at.Off:at.End()]); name != "" {
		p.set(b, row, p.level, b.AppendText([]byte(name)))
		return
	}
	i, end := findLevel(line[:at.Off], 0)
	if end == 0 {
		i, end = findLevel(line[:min(len(line), int(at.End())+levelReach)], int(at.End()))
	}
	if end > 0 {
		p.set(b, row, p.level, record.NewValue(record.String, off+i, end-i))
	}
}

// klogLevel returns the level that begins a timestamp of klog's.
func klogLevel(stamp []byte) string {
	if len(stamp) < 2 || stamp[1]-'0' > 9 {
		return ""
	}
	switch stamp[0] {
	case 'I':
		return "info"
	case 'W':
		return "warning"
	case 'E':
		return "error"
	case 'F':
		return "fatal"
	default:
		return ""
	}
}

// findLevel returns where the level stands in text from i on; end is 0 where
// there is none.
func findLevel(text []byte, i int) (start, end int) {
	first := true
	for i < len(text) {
		if !isNameByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && isNameByte(text[i]) {
			i++
		}
		word := text[start:i]
		if len(word) >= 3 && len(word) <= 9 {
			capitals := word[1] < 'a' && word[0] < 'a'
			bracketed := start > 0 && text[start-1] == '[' && i < len(text) && text[i] == ']'
			if (capitals || bracketed || first) && isLevel(word) {
				return start, i
			}
		}
		first = false
	}
	return 0, 0
}

// isNameByte reports whether c can stand in the name of a thread, a class or a
// file, in which no level is looked for.
func isNameByte(c byte) bool {
	return c|0x20-'a' < 26 || c-'0' <= 9 || c == '_' || c == '.' || c == '-' || c == '$' || c == '/' || c >= 0x80
}

// isLevel reports whether word, of up to nine letters, names a level.
func isLevel(word []byte) bool {
	var lower [9]byte
	n := copy(lower[:], word)
	for i := range n {
		lower[i] |= 0x20
	}
	switch string(lower[:n]) {
	case "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "severe", "critical", "crit", "fatal",
		"panic", "alert", "emerg", "emergency", "verbose":
		return true
	default:
		return false
	}
}
