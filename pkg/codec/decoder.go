package codec

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// A Decoder turns the bytes of partitions into records with fields. It does
// not change after New and may be shared.
type Decoder struct {
	opt   Options
	start *regexp.Regexp // of Options.Multiline, or nil
}

// New returns a decoder. A format or a pattern that is none is wrong usage.
func New(opt Options) (*Decoder, error) {
	if err := checkFormat(opt.Format); err != nil {
		return nil, err
	}
	if opt.Format == "auto" {
		opt.Format = ""
	}
	if opt.MaxRecord == 0 {
		opt.MaxRecord = DefaultMaxRecord
	}
	d := &Decoder{opt: opt}
	if opt.Multiline == "" {
		return d, nil
	}
	var err error
	d.start, err = compileStart(opt.Multiline)
	return d, err
}

// Framer returns what finds the ends of the records of an origin that Begin
// has seen.
func (d *Decoder) Framer(o *record.Origin) Framer {
	name, _ := splitFormat(o.Format)
	switch {
	case d.opt.Envelope:
		return lineFramer{d.opt.MaxRecord}
	case name == "json":
		return documentFramer{holderNamed(o.Header), d.opt.MaxRecord}
	case name == "csv":
		return csvFramer{',', d.opt.MaxRecord}
	case name == "ssv":
		return csvFramer{';', d.opt.MaxRecord}
	case name == "zeek":
		return zeekFramer{lineFramer{d.opt.MaxRecord}}
	case name == "w3c":
		return w3cFramer{lineFramer{d.opt.MaxRecord}}
	case d.start != nil:
		return multiFramer{d.start, d.opt.MaxRecord}
	default:
		return lineFramer{d.opt.MaxRecord}
	}
}

// NewParser returns a parser for the fields of plan. Where the plan has none
// and Options.Check is not set, nobody is to look into the records: they are framed, opened where they are
// envelopes, and given a time; none is bad and no line is empty.
func (d *Decoder) NewParser(plan *record.Plan) Parser {
	p := &parser{decoder: d, plan: plan, formats: map[formatKey]*formatParser{}}
	if d.opt.Envelope {
		p.envelope = newEnvelope()
	}
	if d.opt.Objects {
		p.objects = newObjects(d)
	}
	return p
}

// parser finds the fields of records of any format, as their origins say.
type parser struct {
	decoder  *Decoder
	plan     *record.Plan
	envelope *envelope // nil where records are not in envelopes
	objects  *objects  // nil where records stay as they are
	clock    stamp.Parser

	formats map[formatKey]*formatParser
	last    *record.Origin // the one that at is for
	header  string         // likewise, Batch.Header
	at      *formatParser
}

// A formatKey is what a parser of a format depends on.
type formatKey struct{ format, header string }

type formatParser struct {
	framer     Framer
	line       lineParser
	batch      batchParser // the same, where it takes batches, or nil
	structured bool        // an empty line is no record
	always     bool        // which lines are records, only the parser knows
	document   bool        // records may go over lines, and become one each
}

// Parse finds the fields and the times of the records of b.
func (p *parser) Parse(b *record.Batch) {
	p.use(b.Origin, b.Header)
	b.Zone = p.plan.Zone
	if len(b.Recs) == 0 && len(b.Data) > 0 {
		p.at.framer.Frame(b)
	}
	if p.at.document {
		pack(b)
	}
	if p.envelope != nil {
		p.envelope.open(b)
	}
	if len(p.plan.Fields) > 0 || p.decoder.opt.Check || p.objects != nil || p.at.always {
		p.fields(b)
	}
	p.times(b)
	if p.objects != nil {
		p.objects.convert(b)
	}
	byRow := func(x, y record.Fault) int { return cmp.Compare(x.Row, y.Row) }
	if !slices.IsSortedFunc(b.Faults, byRow) {
		slices.SortStableFunc(b.Faults, byRow)
	}
}

// use makes ready for batches of o with a header of their own, if any.
func (p *parser) use(o *record.Origin, header string) {
	if o == p.last && header == p.header && p.at != nil {
		return
	}
	if o == nil {
		o = &record.Origin{Format: "plain", Modified: record.NoTime}
	}
	key := formatKey{o.Format, cmp.Or(header, o.Header)}
	at, ok := p.formats[key]
	if !ok {
		at = p.decoder.newFormat(p.plan, o, key.header)
		p.formats[key] = at
	}
	p.last, p.header, p.at = o, header, at
}

func (d *Decoder) newFormat(plan *record.Plan, o *record.Origin, header string) *formatParser {
	f := &formatParser{framer: d.Framer(o), line: d.newLine(plan, o.Format, header), structured: isStructured(o.Format)}
	f.batch, _ = f.line.(batchParser)
	_, f.document = f.framer.(documentFramer)
	f.always = Splits(o.Format) || hasHashHeader(o.Format)
	lines, isLines := f.framer.(lineFramer)
	if p, ok := f.line.(*ndjson); ok && isLines && canIndex && !d.opt.Envelope && (len(plan.Fields) > 0 || d.opt.Check) {
		f.framer = indexFramer{lines, p}
	}
	return f
}

// newLine returns the parser of a format that New or detect has named.
func (d *Decoder) newLine(plan *record.Plan, format, header string) lineParser {
	name, rest := splitFormat(format)
	switch name {
	case "ndjson", "json":
		return newNDJSON(plan, d.opt.Strict)
	case "csv":
		return newCSV(plan, ',', header, rest)
	case "ssv":
		return newCSV(plan, ';', header, rest)
	case "zeek":
		return newZeek(plan, header)
	case "w3c":
		return newW3C(plan, header)
	case "tsv":
		return newTSV(plan, header, rest)
	case "ltsv":
		return newLTSV(plan)
	case "logfmt":
		return newLogfmt(plan)
	case "common", "combined":
		return newAccess(plan)
	case "syslog":
		return newSyslog(plan)
	case "otlp":
		return newOTLP(plan)
	case "docker":
		return newDocker(plan, d.newLine(plan, rest, ""))
	case "cri":
		return newCRI(plan, d.newLine(plan, rest, ""))
	case "regex":
		if p, err := newRegex(plan, rest); err == nil {
			return p
		}
	}
	return newPlain(plan)
}

// fields has the fields of all records found.
func (p *parser) fields(b *record.Batch) {
	hidden := p.hide(b)
	if p.at.batch != nil {
		p.at.batch.parseBatch(b)
	} else {
		for row := range b.Recs {
			if !b.Recs[row].Live() {
				continue
			}
			if reason := p.at.line.parse(b, row, lineOf(b, row)); reason != "" {
				b.SetBad(row, reason)
			}
		}
	}
	if hidden {
		for row := range b.Recs {
			if b.Recs[row].Flags&record.Tombstone != 0 {
				b.Recs[row].Flags &^= record.Dropped
			}
		}
	}
}

// lineOf returns the text of a record without the carriage return of a line end
// of two bytes, which belongs to no field.
func lineOf(b *record.Batch, row int) record.Span {
	s := b.Recs[row].Value
	if s.Len > 0 && b.Data[s.End()-1] == '\r' {
		s.Len--
	}
	return s
}

// hide drops the empty lines of a structured format, for good, and tombstones,
// which have no fields, until the others are parsed.
func (p *parser) hide(b *record.Batch) (tombstones bool) {
	for row := range b.Recs {
		rec := &b.Recs[row]
		if rec.Value.Len > 1 || !rec.Live() {
			continue
		}
		switch {
		case rec.Flags&record.Tombstone != 0:
			rec.Flags |= record.Dropped
			tombstones = true
		case p.at.structured && (rec.Value.Len == 0 || b.Data[rec.Value.Off] == '\r'):
			rec.Flags |= record.Dropped
			b.Empty++
		}
	}
	return tombstones
}

// times gives every record its event time: what the time column says, else the
// time that the source gave it, else when it arrived. Text in the column that
// is no time makes a record bad.
func (p *parser) times(b *record.Batch) {
	var col []record.Value
	if p.plan.Time >= 0 {
		col = b.Col(p.plan.Time)
	}
	for row := range b.Recs {
		rec := &b.Recs[row]
		rec.Time = rec.Stamp
		if rec.Stamp == record.NoTime {
			rec.Time = b.Arrived
		}
		if col == nil || !rec.Live() {
			continue
		}
		if col[row].Kind() == record.Missing {
			if rec.Stamp == record.NoTime {
				rec.Flags |= record.Undated
			}
			continue
		}
		ref := rec.Stamp
		if ref == record.NoTime {
			ref = p.last.Modified
		}
		if ref == record.NoTime {
			ref = b.Arrived // a pipe was written when it is read
		}
		text := b.Text(col[row])
		ns, ok := p.clock.Parse(text, ref)
		if !ok {
			b.SetBad(row, noTime(text))
			continue
		}
		rec.Time = ns
	}
}

// noTime is why a record with text for its time is bad.
func noTime(text []byte) string {
	return "timestamp " + strconv.Quote(shorten(text)) + ": no time format fits"
}
