package codec

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/record"
)

// otlp reads logs as OpenTelemetry's collectors write them in JSON: a line is
// an ExportLogsServiceRequest, and each log record in it becomes a record of
// its own, whether or not anybody reads fields: see otlp_split.go. A line that
// is a log record by itself is taken too.
//
//	timestamp             timeUnixNano, else observedTimeUnixNano
//	level                 severityText, else the word for severityNumber
//	severity_number, trace_id, span_id
//	message               body
//	attributes.KEY        the record's attributes, whatever dots KEY has
//	resource.KEY          the resource's attributes
//	service, host         resource.service.name, resource.host.name
//	scope                 the scope's name
//	KEY                   where none of these is asked for: the record's
//	                      attribute, else the resource's
//
// Lists and maps among the values are given as JSON, in OTLP's notation.
type otlp struct {
	binding
	to      [otlpFields][]target
	outer   *ndjson // reads lines
	wantKey bool    // an attribute of records may be asked for
	key     []byte  // the name of an attribute

	lines  []record.Rec // the batch as it came
	faults []record.Fault
	logs   []record.Span // by row: the log record in it
	groups []otlpGroup
	shared []otlpValue // what holds for all records of a group, for all groups
	around otlpWrap
	one    record.Batch // for parse
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

// An otlpValue is what a resource or a scope says. It stands behind what the
// record says itself where it is an attribute under its bare name.
type otlpValue struct {
	to   []target
	v    record.Value
	bare bool
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
		p.wantKey = p.wantKey || !slices.Contains(otlpNames[:], name) && !strings.HasPrefix(name, "resource.")
	}
	return p
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

func (p *otlp) share(to []target, v record.Value, bare bool) {
	if len(to) > 0 {
		p.shared = append(p.shared, otlpValue{to, v, bare})
	}
}

// shareResource shares the attributes of a resource.
func (p *otlp) shareResource(data []byte, attributes record.Value) {
	pairs := items(data, attributes)
	for pair, ok := pairs.value(); ok; pair, ok = pairs.value() {
		key, v := under(data, pair, "key"), otlpAny(data, under(data, pair, "value"))
		p.share(p.named("resource.", data, key), v, false)
		p.share(p.named("", data, key), v, true)
		switch string(data[key.Off() : key.Off()+key.Len()]) {
		case "service.name":
			p.share(p.to[otlpService], v, false)
		case "host.name":
			p.share(p.to[otlpHost], v, false)
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
	var text, observed, number, attributes record.Value
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
			attributes = v
		}
	}
	p.set(b, row, p.to[otlpTime], observed)
	p.set(b, row, p.to[otlpNumber], number)
	p.set(b, row, p.to[otlpLevel], otlpText(text))
	p.severity(b, row, number)
	p.attributes(b, row, attributes)
}

// attributes gives the attributes of a record to the columns that ask for them,
// under their bare names where nothing better is there.
func (p *otlp) attributes(b *record.Batch, row int, list record.Value) {
	if !p.wantKey {
		return
	}
	data := b.Data
	pairs := items(data, list)
	for pair, ok := pairs.value(); ok; pair, ok = pairs.value() {
		for _, prefix := range [...]string{"attributes.", ""} {
			if to := p.named(prefix, data, under(data, pair, "key")); len(to) > 0 {
				p.set(b, row, to, otlpAny(data, under(data, pair, "value")))
			}
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

// otlpKeys returns the names of the fields of a record: those that all have, and
// those of its attributes and its resource's.
func otlpKeys(b *record.Batch, s record.Span) []string {
	names := slices.Clone(otlpNames[:])
	add := func(prefix string, owner record.Value) {
		pairs := items(b.Data, under(b.Data, owner, "attributes"))
		for pair, ok := pairs.value(); ok; pair, ok = pairs.value() {
			names = append(names, prefix+string(b.Text(under(b.Data, pair, "key"))))
		}
	}
	add("attributes.", record.NewValue(record.Object, int(s.Off), int(s.Len)))
	resources := items(b.Data, Lookup(b, s, "resourceLogs"))
	for resource, ok := resources.value(); ok; resource, ok = resources.value() {
		add("resource.", under(b.Data, resource, "resource"))
		scopes := items(b.Data, under(b.Data, resource, "scopeLogs"))
		for scope, ok := scopes.value(); ok; scope, ok = scopes.value() {
			logs := items(b.Data, under(b.Data, scope, "logRecords"))
			for log, ok := logs.value(); ok; log, ok = logs.value() {
				add("attributes.", log)
			}
		}
	}
	return names
}
