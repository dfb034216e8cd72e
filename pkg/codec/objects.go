package codec

import (
	"slices"

	"github.com/logctl/logctl/pkg/record"
)

// objects replaces records that are no JSON, or have their fields in it under other names, by
// JSON objects of all their fields, for outputs that have columns. It belongs to one goroutine.
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
	varies *recordKeys // each record has names of its own; names are all that were met
}

// recordKeys finds the names of the fields of single records.
type recordKeys struct {
	format  string     // ndjson, logfmt, ltsv or otlp: of the record, or of the message in it
	wrapper lineParser // hands the message to message; nil where there is none
	message collector
}

// newRecordKeys returns nil for a format that fixes the names of its fields.
func newRecordKeys(format string) *recordKeys {
	name, rest := splitFormat(format)
	k := &recordKeys{format: name}
	switch name {
	case "docker":
		k.format, k.wrapper = rest, newDocker(record.NewPlan(), &k.message)
	case "cri":
		k.format, k.wrapper = rest, newCRI(record.NewPlan(), &k.message)
	}
	switch k.format {
	case "ndjson", "logfmt", "ltsv", "otlp":
		return k
	}
	return nil
}

// of returns the names of record i.
func (k *recordKeys) of(b *record.Batch, i int) []string {
	if k.wrapper == nil {
		return keysOfRecord(b, i, k.format)
	}
	k.message.lines = k.message.lines[:0]
	k.wrapper.parse(b, i, lineOf(b, i))
	var names []string
	for _, line := range k.message.lines {
		var one record.Batch
		one.Add(line)
		names = keysOfRecord(&one, 0, k.format)
	}
	return append(names, "timestamp", "stream")
}

func newObjects(d *Decoder) *objects {
	return &objects{decoder: d, formats: map[formatKey]*objectParser{}}
}

// convert replaces the live records of b.
func (o *objects) convert(b *record.Batch) {
	if b.Origin == nil || b.Origin.Format == "ndjson" || b.Origin.Format == "json" {
		return
	}
	key := formatKey{b.Origin.Format, headerOf(b)}
	p := o.formats[key]
	if p == nil {
		p = &objectParser{varies: newRecordKeys(key.format)}
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
	if p.varies != nil {
		b.Data = o.view.Data
		o.learn(p, b, p.varies.of(b, i))
	}
	p.line.parse(&o.view, i, lineOf(&o.view, i))
	start := len(o.out)
	o.out = append(o.out, '{')
	for k := range p.names {
		v := o.view.Col(k)[i]
		if p.varies != nil && v.Kind() == record.Missing {
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
	p.line = o.decoder.newLine(plan, b.Origin.Format, headerOf(b))
}
