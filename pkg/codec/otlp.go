package codec

import (
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// otlp reads logs as OpenTelemetry's collectors write them in JSON: a line is
// an ExportLogsServiceRequest, of which each log record becomes a record of
// its own. The raw value of that is the log record's JSON; key, headers and
// position are the line's. A line that is a log record by itself is taken too,
// so that what logctl passed on can be read again.
//
//	timestamp             timeUnixNano, else observedTimeUnixNano
//	level                 severityText, else the word for severityNumber
//	severity_number, trace_id, span_id
//	message               body
//	attributes.KEY        the record's attributes, whatever dots KEY has
//	resource.KEY          the resource's attributes
//	service, host         resource.service.name, resource.host.name
//	scope                 the scope's name
//
// Lists and maps among the values are given as JSON, in OTLP's notation.
type otlp struct {
	binding
	to      [otlpFields][]target
	outer   *ndjson // reads lines
	wantKey bool    // an attribute of records is asked for
	key     []byte  // the name of an attribute

	lines  []record.Rec // the batch as it came
	faults []record.Fault
	groups []otlpGroup
	shared []otlpValue // what holds for all records of a group, for all groups
}

const (
	otlpTime = iota
	otlpLevel
	otlpNumber
	otlpMessage
	otlpTrace
	otlpSpan
	otlpScope
	otlpService
	otlpHost
	otlpFields
)

var otlpNames = [otlpFields]string{
	"timestamp", "level", "severity_number", "message", "trace_id", "span_id", "scope", "service", "host",
}

// An otlpGroup is the records of one scope of one resource.
type otlpGroup struct {
	lo, hi int // rows
	shared int // what they share is otlp.shared from here to the next group's
}

type otlpValue struct {
	to []target
	v  record.Value
}

const notOTLP = "want resourceLogs[].scopeLogs[].logRecords[], or a log record with body or timeUnixNano"

// The keys of a line that are looked at.
const (
	otlpResources = iota
	otlpBody
	otlpTimeKey
	otlpObservedKey
)

func newOTLP(plan *record.Plan) *otlp {
	own := record.NewPlan()
	for _, name := range []string{"resourceLogs", "body", "timeUnixNano", "observedTimeUnixNano"} {
		own.Fields = append(own.Fields, record.Field{Path: name, Names: []string{name}})
	}
	p := &otlp{binding: newBinding(plan), outer: newNDJSON(own, false)}
	for i, name := range otlpNames {
		p.to[i] = p.byName[name]
	}
	for name := range p.byName {
		p.wantKey = p.wantKey || strings.HasPrefix(name, "attributes.")
	}
	return p
}

// parse reads the record in s, which is row's text: one log record. A request
// has several, which only parseBatch can take apart.
func (p *otlp) parse(b *record.Batch, row int, s record.Span) (reason string) {
	kind, reason := p.read(b.Data[:s.End()], int(s.Off))
	if reason == "" && kind == record.Array {
		reason = "a request of many log records within another format"
	}
	if reason != "" {
		return reason
	}
	p.begin()
	p.fill(b, row, s)
	return ""
}

// read checks the line that begins at data[start] and goes to the end of data.
// kind is Array for a request and Object for a log record.
func (p *otlp) read(data []byte, start int) (kind record.Kind, reason string) {
	if !p.outer.read(data, start) {
		return 0, p.outer.check.flaw.reason(data, start)
	}
	if p.outer.resolve(data, otlpResources).Kind() == record.Array {
		return record.Array, ""
	}
	for field := otlpBody; field <= otlpObservedKey; field++ {
		if p.outer.resolve(data, field).Kind() != record.Missing {
			return record.Object, ""
		}
	}
	return 0, notOTLP
}

// parseBatch takes the lines of b apart and finds the fields of the records.
func (p *otlp) parseBatch(b *record.Batch) {
	p.lines, p.faults = append(p.lines[:0], b.Recs...), append(p.faults[:0], b.Faults...)
	b.Recs, b.Faults = b.Recs[:0], b.Faults[:0]
	faults := p.faults
	p.groups, p.shared = p.groups[:0], p.shared[:0]
	for i := range p.lines {
		rec := &p.lines[i]
		if rec.Flags&record.Bad != 0 && len(faults) > 0 {
			b.Faults = append(b.Faults, record.Fault{Row: len(b.Recs), Reason: faults[0].Reason})
			faults = faults[1:]
		}
		if !rec.Live() || rec.Flags&record.Tombstone != 0 {
			b.Recs = append(b.Recs, *rec)
			continue
		}
		p.line(b, *rec)
	}
	for g, group := range p.groups {
		shared := p.shared[group.shared:]
		if g+1 < len(p.groups) {
			shared = p.shared[group.shared:p.groups[g+1].shared]
		}
		for row := group.lo; row < group.hi; row++ {
			p.begin()
			for _, s := range shared {
				p.set(b, row, s.to, s.v)
			}
			p.fill(b, row, b.Recs[row].Value)
		}
	}
}

// line appends the records of a line.
func (p *otlp) line(b *record.Batch, rec record.Rec) {
	row := len(b.Recs)
	data, groups, shared := b.Data[:rec.Value.End()], len(p.groups), len(p.shared)
	kind, reason := p.read(data, int(rec.Value.Off))
	switch {
	case reason != "":
	case kind == record.Object:
		p.groups = append(p.groups, otlpGroup{row, row + 1, len(p.shared)})
		b.Recs = append(b.Recs, rec)
	default:
		reason = p.request(b, rec, p.outer.resolve(data, otlpResources))
	}
	if reason != "" {
		b.Recs = append(b.Recs[:row], rec)
		p.groups, p.shared = p.groups[:groups], p.shared[:shared]
		b.SetBad(row, reason)
	}
}

// request appends the records of a request, the resources of which are given.
func (p *otlp) request(b *record.Batch, rec record.Rec, resources record.Value) (reason string) {
	data := b.Data // the line does not change, even where what is appended moves the arena
	all := items(data, resources)
	for resource, ok := all.value(); ok; resource, ok = all.value() {
		attributes := under(data, under(data, resource, "resource"), "attributes")
		scopes := items(data, under(data, resource, "scopeLogs"))
		for scope, ok := scopes.value(); ok; scope, ok = scopes.value() {
			group := otlpGroup{lo: len(b.Recs), shared: len(p.shared)}
			p.share(p.to[otlpScope], under(data, under(data, scope, "scope"), "name"))
			p.shareResource(data, attributes)
			if !appendLogs(b, rec, under(data, scope, "logRecords")) {
				return notOTLP
			}
			group.hi = len(b.Recs)
			p.groups = append(p.groups, group)
		}
	}
	return ""
}

// appendLogs appends a copy of rec for each log record of a list; false where
// one is no object.
func appendLogs(b *record.Batch, rec record.Rec, list record.Value) bool {
	data := b.Data
	logs := items(data, list)
	for one, ok := logs.value(); ok; one, ok = logs.value() {
		if one.Kind() != record.Object {
			return false
		}
		next := b.Add(data[one.Off() : one.Off()+one.Len()])
		value := next.Value
		*next = rec
		next.Value = value
	}
	return true
}

func (p *otlp) share(to []target, v record.Value) {
	if len(to) > 0 {
		p.shared = append(p.shared, otlpValue{to, v})
	}
}

// shareResource shares the attributes of a resource.
func (p *otlp) shareResource(data []byte, attributes record.Value) {
	pairs := items(data, attributes)
	for pair, ok := pairs.value(); ok; pair, ok = pairs.value() {
		key, v := under(data, pair, "key"), otlpAny(data, under(data, pair, "value"))
		p.share(p.named("resource.", data, key), v)
		switch string(data[key.Off() : key.Off()+key.Len()]) {
		case "service.name":
			p.share(p.to[otlpService], v)
		case "host.name":
			p.share(p.to[otlpHost], v)
		}
	}
}

// named returns the columns for an attribute.
func (p *otlp) named(prefix string, data []byte, key record.Value) []target {
	p.key = append(p.key[:0], prefix...)
	raw := data[key.Off() : key.Off()+key.Len()]
	if key.Kind() == record.Escaped {
		p.key = record.AppendUnescaped(p.key, raw)
	} else {
		p.key = append(p.key, raw...)
	}
	return p.byName[string(p.key)]
}

// fill finds the fields of the log record in s, which is row's text.
func (p *otlp) fill(b *record.Batch, row int, s record.Span) {
	data := b.Data
	var text, observed, number record.Value
	rest := inside(data, int(s.Off), int(s.End()), '{')
	for {
		key, _, v, ok := rest.member()
		if !ok {
			break
		}
		switch string(key) {
		case "timeUnixNano":
			p.set(b, row, p.to[otlpTime], otlpStamp(data, v))
		case "observedTimeUnixNano":
			observed = otlpStamp(data, v)
		case "severityText":
			text = v
		case "severityNumber":
			number = v
		case "body":
			p.set(b, row, p.to[otlpMessage], otlpAny(data, v))
		case "traceId":
			p.set(b, row, p.to[otlpTrace], otlpText(v))
		case "spanId":
			p.set(b, row, p.to[otlpSpan], otlpText(v))
		case "attributes":
			p.attributes(b, row, v)
		}
	}
	p.set(b, row, p.to[otlpTime], observed)
	p.set(b, row, p.to[otlpNumber], number)
	p.set(b, row, p.to[otlpLevel], otlpText(text))
	p.severity(b, row, number)
}

func (p *otlp) attributes(b *record.Batch, row int, list record.Value) {
	if !p.wantKey {
		return
	}
	data := b.Data
	pairs := items(data, list)
	for pair, ok := pairs.value(); ok; pair, ok = pairs.value() {
		if to := p.named("attributes.", data, under(data, pair, "key")); len(to) > 0 {
			p.set(b, row, to, otlpAny(data, under(data, pair, "value")))
		}
	}
}

// severity gives the level of a record without a severityText.
func (p *otlp) severity(b *record.Batch, row int, number record.Value) {
	words := [...]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
	n, ok := b.Num(number)
	if !ok || n < 1 || n > 24 || len(p.to[otlpLevel]) == 0 {
		return
	}
	off := len(b.Data)
	b.Data = append(b.Data, words[(int(n)-1)/4]...)
	p.set(b, row, p.to[otlpLevel], record.NewValue(record.String, off, len(b.Data)-off))
}

// otlpStamp returns a time of OTLP; zero says that there is none.
func otlpStamp(data []byte, v record.Value) record.Value {
	if v.Len() == 1 && data[v.Off()] == '0' {
		return 0
	}
	return v
}

// otlpText returns v unless it is the empty string, which stands for nothing.
func otlpText(v record.Value) record.Value {
	if v.Len() == 0 {
		return 0
	}
	return v
}

// otlpAny returns what an AnyValue holds. Integers are strings in OTLP/JSON.
func otlpAny(data []byte, v record.Value) record.Value {
	if v.Kind() != record.Object {
		return 0
	}
	rest := inside(data, v.Off(), v.Off()+v.Len(), '{')
	key, _, v, _ := rest.member()
	switch string(key) {
	case "intValue", "doubleValue":
		if v.Kind() == record.String {
			return numberValue(v.Off(), data[v.Off():v.Off()+v.Len()])
		}
		return v
	case "arrayValue", "kvlistValue":
		return under(data, v, "values")
	default:
		return v
	}
}

// under returns the member of an object with the given key; a missing value
// where v is no object or has none.
func under(data []byte, v record.Value, key string) record.Value {
	if v.Kind() != record.Object {
		return 0
	}
	return member(data, v, key)
}

// items goes through the values of an array; of anything else there are none.
func items(data []byte, v record.Value) elements {
	if v.Kind() != record.Array {
		return elements{}
	}
	return inside(data, v.Off(), v.Off()+v.Len(), '[')
}
