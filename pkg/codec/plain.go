package codec

import (
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// plainText takes a whole line as its message. Two more fields are found where
// they are easy to find: a timestamp that begins with one of the first words,
// and what says the level before it or up to 96 bytes behind it: see levelOf. No
// line is bad.
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
	switch i, end, name := levelOf(b.Bytes(s), at); {
	case name != "":
		p.set(b, row, p.level, b.AppendText([]byte(name)))
	case end > 0:
		p.set(b, row, p.level, record.NewValue(record.String, int(s.Off)+i, end-i))
	}
}
