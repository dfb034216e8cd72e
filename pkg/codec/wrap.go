package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/record"
)

// docker unwraps the lines of Docker's json-file driver and has inner find the
// fields of what was logged:
//
//	{"log":"message\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"}
//
// cri does so for the files that container runtimes write under Kubernetes:
//
//	2016-10-06T00:17:09.669794202Z stdout F message
//
// The wrapper's time and stream are fields where the message has none that
// fits. Both cut long lines (at 16 KiB): the pieces, which CRI marks with P and
// Docker by a missing newline, are records of their own and are not joined, so
// that a piece of JSON is bad.
type docker struct {
	wrapper
	outer *ndjson
}

type cri struct{ wrapper }

// A wrapper is what docker and cri share.
type wrapper struct {
	inner        lineParser
	time, stream []target
}

func newWrapper(plan *record.Plan, inner lineParser) wrapper {
	d := newBinding(plan)
	return wrapper{inner, d.byName["timestamp"], d.byName["stream"]}
}

// The fields of a Docker line.
const (
	dockerLog = iota
	dockerStream
	dockerTime
)

func newDocker(plan *record.Plan, inner lineParser) *docker {
	own := record.NewPlan()
	for _, name := range []string{"log", "stream", "time"} {
		own.Fields = append(own.Fields, record.Field{Path: name, Names: []string{name}})
	}
	return &docker{newWrapper(plan, inner), newNDJSON(own, false)}
}

// parse reads the record in s, which is row's text.
func (p *docker) parse(b *record.Batch, row int, s record.Span) (reason string) {
	data := b.Data[:s.End()]
	if !p.outer.read(data, int(s.Off)) {
		return p.outer.check.flaw.reason(data, int(s.Off))
	}
	log := p.outer.resolve(data, dockerLog)
	if log.Kind() != record.String && log.Kind() != record.Escaped {
		return `no text under "log": want {"log":"...","stream":"...","time":"..."}`
	}
	stream, time := p.outer.resolve(data, dockerStream), p.outer.resolve(data, dockerTime)
	inside, partial := unwrapLog(b, log)
	return p.within(b, row, inside, wrapping{time, stream, partial})
}

// unwrapLog returns where the text of a log value stands, without its line
// end. Text with escapes other than that is written behind the records.
func unwrapLog(b *record.Batch, log record.Value) (s record.Span, partial bool) {
	raw := b.Raw(log)
	text, ended := bytes.CutSuffix(raw, []byte(`\n`))
	if bytes.IndexByte(text, '\\') < 0 {
		return record.Span{Off: uint32(log.Off()), Len: uint32(len(text))}, !ended
	}
	off := len(b.Data)
	b.Data = record.AppendUnescaped(b.Data, raw)
	text, ended = bytes.CutSuffix(b.Data[off:], []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return record.Span{Off: uint32(off), Len: uint32(len(text))}, !ended
}

// A wrapping is what a wrapper says of a message.
type wrapping struct {
	time, stream record.Value
	partial      bool
}

func newCRI(plan *record.Plan, inner lineParser) *cri { return &cri{newWrapper(plan, inner)} }

// parse reads the record in s, which is row's text.
func (p *cri) parse(b *record.Batch, row int, s record.Span) (reason string) {
	const want = `want "TIME stdout|stderr F|P message"`
	line := b.Bytes(s)
	time := wordEnd(line, 0)
	stream := wordEnd(line, min(time+1, len(line)))
	tag := wordEnd(line, min(stream+1, len(line)))
	if time == 0 || tag <= stream+1 {
		return want
	}
	name, mark := line[time+1:stream], line[stream+1]
	if string(name) != "stdout" && string(name) != "stderr" || mark != 'F' && mark != 'P' {
		return want
	}
	start := min(tag+1, len(line))
	inside := record.Span{Off: s.Off + uint32(start), Len: s.Len - uint32(start)}
	return p.within(b, row, inside, wrapping{
		time:    record.NewValue(record.String, int(s.Off), time),
		stream:  record.NewValue(record.String, int(s.Off)+time+1, len(name)),
		partial: mark == 'P',
	})
}

// within has the inner parser look at the message and adds what is known
// besides.
func (p *wrapper) within(b *record.Batch, row int, s record.Span, w wrapping) (reason string) {
	reason = p.inner.parse(b, row, s)
	switch {
	case reason != "" && w.partial:
		return "a piece of a line that the container runtime cut: " + reason
	case reason != "":
		return "in the container's log: " + reason
	}
	complete(b, row, p.time, w.time)
	complete(b, row, p.stream, w.stream)
	return ""
}
