package codec

import (
	"bytes"
	"fmt"

	"github.com/logctl/logctl/pkg/record"
)

// ltsv finds fields in lines of label:value pairs between tabs (ltsv.org). There are
// neither quotes nor escapes; a value may be empty, which is missing, as is a dash. A
// field without a label makes the line bad; an empty one, such as behind the last tab,
// is none.
type ltsv struct {
	binding
	clock dayClock
}

func newLTSV(plan *record.Plan) *ltsv {
	p := &ltsv{binding: newBinding(plan)}
	p.clock = newDayClock(p.byName["timestamp"], logfmtClock[:], "")
	return p
}

// parse reads the record in s, which is row's text.
func (p *ltsv) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.begin()
	p.clock.begin()
	line, off := bytes.TrimSuffix(b.Bytes(s), []byte{'\r'}), int(s.Off)
	pairs := 0
	for i := 0; i < len(line); {
		end := fieldEnd(line, i, '\t')
		if end == i {
			i++
			continue
		}
		n := labelLen(line[i:end])
		if n == 0 {
			p.clear(b, row)
			return fmt.Sprintf("no label:value at byte %d", i+1)
		}
		pairs++
		label := line[i : i+n]
		to, part := p.byName[string(label)], -1
		if p.clock.time >= 0 {
			part = clockPart(label)
		}
		if to != nil || part >= 0 {
			v := ltsvValue(off+i+n+1, line[i+n+1:end])
			p.clock.take(part, v)
			p.set(b, row, to, v)
		}
		i = end + 1
	}
	if pairs == 0 {
		return "no label:value"
	}
	p.set(b, row, p.clock.to, p.clock.join(b))
	return ""
}

func ltsvValue(off int, text []byte) record.Value {
	if len(text) == 0 {
		return 0
	}
	return numberValue(off, text)
}

// labelLen returns the length of the label that a field begins with, before a colon;
// 0 where there is none.
func labelLen(field []byte) int {
	for i, c := range field {
		switch {
		case c == ':':
			return i
		case c|0x20-'a' >= 26 && c-'0' > 9 && c != '_' && c != '.' && c != '-':
			return 0
		}
	}
	return 0
}

// isLTSV reports whether line has two fields or more and each a label, which begins with
// a letter.
func isLTSV(line []byte) bool {
	labels := 0
	for field := range bytes.SplitSeq(line, []byte{'\t'}) {
		switch {
		case len(field) == 0:
		case labelLen(field) == 0 || !isName(field[:1]):
			return false
		default:
			labels++
		}
	}
	return labels > 1
}

// ltsvKeys returns the labels of a line.
func ltsvKeys(line []byte) (keys []string) {
	for field := range bytes.SplitSeq(line, []byte{'\t'}) {
		if n := labelLen(field); n > 0 {
			keys = append(keys, string(field[:n]))
		}
	}
	return withTimestamp(keys, "")
}
