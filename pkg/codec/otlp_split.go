package codec

import (
	"bytes"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
)

// A request of several log records is split into as many requests of one, each
// with all that it says of resource and scope: nothing is lost, and any reader
// of OTLP/JSON can read them. A request of one stays as it is, byte for byte,
// so that to split twice is to split once.

// parse reads the record in s, which is row's text: a log record or a request
// of one. More than one only parseBatch can take apart.
func (p *otlp) parse(b *record.Batch, row int, s record.Span) (reason string) {
	p.one.Reset()
	p.one.Data = b.Data
	p.one.AddSpan(s)
	p.split(&p.one)
	switch {
	case len(p.one.Faults) > 0:
		return p.one.Faults[0].Reason
	case len(p.one.Recs) > 1:
		return "a request of many log records within another format"
	}
	for _, group := range p.groups {
		p.group(b, row, p.shared[group.shared:], p.logs[0])
	}
	return ""
}

// parseBatch takes the lines of b apart and finds the fields of the records.
func (p *otlp) parseBatch(b *record.Batch) {
	p.split(b)
	for g, group := range p.groups {
		shared := p.shared[group.shared:]
		if g+1 < len(p.groups) {
			shared = p.shared[group.shared:p.groups[g+1].shared]
		}
		for row := group.lo; row < group.hi; row++ {
			p.group(b, row, shared, p.logs[row])
		}
	}
}

// group finds the fields of a record of a group.
func (p *otlp) group(b *record.Batch, row int, shared []otlpValue, log record.Span) {
	if len(p.byName) == 0 {
		return
	}
	p.begin()
	for _, s := range shared {
		if !s.bare {
			p.set(b, row, s.to, s.v)
		}
	}
	p.fill(b, row, log)
	for _, s := range shared {
		if s.bare {
			p.set(b, row, s.to, s.v)
		}
	}
}

// split replaces the lines of b by their records, and notes what these share.
func (p *otlp) split(b *record.Batch) {
	p.lines, p.faults = append(p.lines[:0], b.Recs...), append(p.faults[:0], b.Faults...)
	b.Recs, b.Faults = b.Recs[:0], b.Faults[:0]
	faults := p.faults
	p.groups, p.shared, p.logs = p.groups[:0], p.shared[:0], p.logs[:0]
	for i := range p.lines {
		rec := &p.lines[i]
		if rec.Flags&record.Bad != 0 && len(faults) > 0 {
			b.Faults = append(b.Faults, record.Fault{Row: len(b.Recs), Reason: faults[0].Reason})
			faults = faults[1:]
		}
		if !rec.Live() || rec.Flags&record.Tombstone != 0 {
			p.add(b, *rec, record.Span{})
			continue
		}
		p.line(b, *rec)
	}
}

// add appends a record, and where in it the log record stands.
func (p *otlp) add(b *record.Batch, rec record.Rec, log record.Span) {
	b.Recs, p.logs = append(b.Recs, rec), append(p.logs, log)
}

// line appends the records of a line. A carriage return of its end is not part
// of what is looked at.
func (p *otlp) line(b *record.Batch, rec record.Rec) {
	row := len(b.Recs)
	end := int(rec.Value.End())
	if end > 0 && b.Data[end-1] == '\r' {
		end--
	}
	data, groups, shared := b.Data[:end], len(p.groups), len(p.shared)
	kind, reason := p.read(data, int(rec.Value.Off))
	switch {
	case reason != "":
	case kind == record.Object:
		p.groups = append(p.groups, otlpGroup{row, row + 1, len(p.shared)})
		p.add(b, rec, record.Span{Off: rec.Value.Off, Len: uint32(end) - rec.Value.Off})
	default:
		reason = p.request(b, rec, data, p.outer.resolve(data, otlpResources))
	}
	if reason != "" {
		b.Recs, p.logs = b.Recs[:row], p.logs[:row]
		p.groups, p.shared = p.groups[:groups], p.shared[:shared]
		p.add(b, rec, record.Span{})
		b.SetBad(row, reason)
	}
}

// request appends the records of a request, the resources of which are given.
// data ends with it, and does not change, even where what is appended moves the
// arena.
func (p *otlp) request(b *record.Batch, rec record.Rec, data []byte, resources record.Value) (reason string) {
	request := record.NewValue(record.Object, int(rec.Value.Off), len(data)-int(rec.Value.Off))
	first, most := len(b.Recs), len(b.Data)+otlpMost
	all := items(data, resources)
	for resource, ok := all.value(); ok; resource, ok = all.value() {
		attributes := under(data, under(data, resource, "resource"), "attributes")
		scopes := items(data, under(data, resource, "scopeLogs"))
		for scope, ok := scopes.value(); ok; scope, ok = scopes.value() {
			group := otlpGroup{lo: len(b.Recs), shared: len(p.shared)}
			p.share(p.to[otlpScope], under(data, under(data, scope, "scope"), "name"), false)
			p.shareResource(data, attributes)
			p.around.set(data, request, resource, scope)
			if reason := p.wrapLogs(b, rec, items(data, under(data, scope, "logRecords")), most); reason != "" {
				return reason
			}
			group.hi = len(b.Recs)
			p.groups = append(p.groups, group)
		}
	}
	switch len(b.Recs) - first {
	case 0:
		rec.Flags |= record.Dropped
		b.Empty++
		p.add(b, rec, record.Span{})
	case 1:
		b.Recs[first], p.logs[first] = rec, p.around.last
	}
	for i := range b.Recs[first:] {
		b.Recs[first+i].Part = uint32(i)
	}
	return ""
}

// otlpMost bounds what a request may become when it is split: what its records
// share is there for each.
const otlpMost = 64 << 20

// wrapLogs appends a record for each of some log records, a copy of rec but for
// its value. The arena is not to get longer than most.
func (p *otlp) wrapLogs(b *record.Batch, rec record.Rec, logs elements, most int) (reason string) {
	for one, ok := logs.value(); ok; one, ok = logs.value() {
		if one.Kind() != record.Object {
			return notOTLP
		}
		off, log := len(b.Data), logs.data[one.Off():one.Off()+one.Len()]
		in := off + len(p.around.before)
		b.Data = append(append(append(b.Data, p.around.before...), log...), otlpAfter...)
		if len(b.Data) > most {
			return "split into its log records it is longer than " + human.Bytes(otlpMost)
		}
		rec.Value = record.Span{Off: uint32(off), Len: uint32(len(b.Data) - off - 1)}
		p.around.last = record.Span{Off: uint32(one.Off()), Len: uint32(one.Len())}
		p.add(b, rec, record.Span{Off: uint32(in), Len: uint32(len(log))})
	}
	return ""
}

// An otlpWrap is what stands before the one log record of a request.
type otlpWrap struct {
	before []byte
	last   record.Span // the last log record that was wrapped, where it stood
}

// otlpAfter closes what an otlpWrap opens, and ends the line.
const otlpAfter = "]}]}]}\n"

// set opens the objects of a request down to the list of log records, with
// their other members.
func (w *otlpWrap) set(data []byte, request, resource, scope record.Value) {
	w.before = w.before[:0]
	w.open(data, request, "resourceLogs")
	w.open(data, resource, "scopeLogs")
	w.open(data, scope, "logRecords")
}

// open appends the members of an object except one, which comes last and is a
// list.
func (w *otlpWrap) open(data []byte, object record.Value, list string) {
	w.before = append(w.before, '{')
	rest := inside(data, object.Off(), object.Off()+object.Len(), '{')
	for {
		from := rest.i
		key, escaped, _, ok := rest.member()
		if !ok {
			break
		}
		if string(key) != list && !(escaped && unescapesTo(key, list)) {
			w.before = append(w.before, bytes.TrimRight(data[from:rest.i], " \t\r\n,")...)
			w.before = append(w.before, ',')
		}
	}
	w.before = append(w.before, '"')
	w.before = append(w.before, list...)
	w.before = append(w.before, "\":["...)
}
