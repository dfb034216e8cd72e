package codec

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// objects replaces records that are no JSON by JSON objects of all their
// fields, for outputs that have columns. It belongs to one goroutine.
type objects struct {
	decoder *Decoder
	formats map[formatKey]*objectParser
	view    record.Batch // of the records at hand, for columns of its own
	out     []byte
}

// An objectParser finds all fields of the records of one format.
type objectParser struct {
	names  []string
	quoted [][]byte // "name": as JSON
	line   lineParser
	varies bool // each record has names of its own; names are all that were met
}

func newObjects(d *Decoder) *objects {
	return &objects{decoder: d, formats: map[formatKey]*objectParser{}}
}

// holdsJSON reports whether the records of a format are JSON as they stand.
func holdsJSON(format string) bool {
	name, _ := splitFormat(format)
	return name == "ndjson" || name == "otlp" || name == "docker"
}

// convert replaces the live records of b.
func (o *objects) convert(b *record.Batch) {
	if b.Origin == nil || holdsJSON(b.Origin.Format) {
		return
	}
	key := formatKey{b.Origin.Format, b.Origin.Header}
	p := o.formats[key]
	if p == nil {
		name, _ := splitFormat(key.format)
		p = &objectParser{varies: name == "logfmt"}
		o.formats[key] = p
		o.learn(p, b, FieldNames(b))
	}
	o.view.Reset()
	o.view.Data, o.view.Recs = b.Data, append(o.view.Recs, b.Recs...)
	o.out = o.out[:0]
	for i := range b.Recs {
		if rec := &b.Recs[i]; rec.Live() && rec.Flags&record.Tombstone == 0 {
			o.object(p, b, i)
		}
	}
	b.Data, o.view.Data = append(o.view.Data, o.out...), nil
	base := uint32(len(b.Data) - len(o.out))
	for i := range b.Recs {
		if rec := &b.Recs[i]; rec.Live() && rec.Flags&record.Tombstone == 0 {
			rec.Value = o.view.Recs[i].Value
			rec.Value.Off += base
		}
	}
}

// object appends the object of record i to out and notes in the view where it
// stands there.
func (o *objects) object(p *objectParser, b *record.Batch, i int) {
	if p.varies {
		b.Data = o.view.Data
		o.learn(p, b, keysOfRecord(b, i, "logfmt"))
	}
	p.line.parse(&o.view, i, lineOf(&o.view, i))
	start := len(o.out)
	o.out = append(o.out, '{')
	for k := range p.names {
		v := o.view.Col(k)[i]
		if p.varies && v.Kind() == record.Missing {
			continue
		}
		if len(o.out) > start+1 {
			o.out = append(o.out, ',')
		}
		o.out = append(o.out, p.quoted[k]...)
		o.out = o.view.AppendJSON(o.out, v)
	}
	o.out = append(o.out, '}')
	o.view.Recs[i].Value = record.Span{Off: uint32(start), Len: uint32(len(o.out) - start)}
	o.out = append(o.out, '\n')
}

// learn adds names to those that p finds.
func (o *objects) learn(p *objectParser, b *record.Batch, names []string) {
	known := len(p.names)
	for _, name := range names {
		if !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
			p.quoted = append(p.quoted, append(record.AppendQuoted(nil, name), ':'))
		}
	}
	if p.line != nil && len(p.names) == known {
		return
	}
	plan := record.NewPlan()
	for _, name := range p.names {
		plan.Fields = append(plan.Fields, record.Field{Path: name, Names: []string{name}})
	}
	p.line = o.decoder.newLine(plan, b.Origin.Format, b.Origin.Header)
}
