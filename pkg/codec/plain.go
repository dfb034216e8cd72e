package codec

import (
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// plainText takes a whole line as its message. Two more fields are found where
// they are easy to find: a timestamp at the start, and the first word that
// names a level, in capitals or in brackets or right behind the timestamp,
// within the next 80 bytes. No line is bad.
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
	_, n, ok := p.clock.Leading(line, 0)
	if ok {
		p.set(b, row, p.time, record.NewValue(record.String, off, n))
	}
	if len(p.level) > 0 {
		if i, end := findLevel(line[:min(len(line), n+levelReach)], n); end > 0 {
			p.set(b, row, p.level, record.NewValue(record.String, off+i, end-i))
		}
	}
	return ""
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
