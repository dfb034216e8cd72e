package codec

import (
	"encoding/base64"
	"fmt"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// An envelope is a line of JSON that carries a record with what Kafka knows of
// it, through a pipe or a file:
//
//	{"topic":"t","partition":0,"offset":7,"key":"k","time":"2026-11-24T10:00:00.000Z",
//	 "headers":[["name","value"]],"value":"text"}
//
// on one line. A key or a value that is not UTF-8 is key_base64 or
// value_base64 instead; headers, where one of them is not, are all in base64
// under headers_base64. A key that is null or absent is none; a value that is
// null is a tombstone. Beyond what logctl writes, a value may be any JSON: its
// text is the record. Topic, partition and offset are for the reader's
// information; the record's own are those of the line.
//
// envelope opens them: it puts key, headers, time and value of each record in
// the place of its line. It belongs to one goroutine.
type envelope struct {
	line  *ndjson
	clock stamp.Parser
}

// The keys of an envelope that are read, as fields of envelope.line.
const (
	envelopeKey = iota
	envelopeKey64
	envelopeTime
	envelopeHeaders
	envelopeHeaders64
	envelopeValue
	envelopeValue64
	envelopeFields
)

var envelopeNames = [envelopeFields]string{
	"key", "key_base64", "time", "headers", "headers_base64", "value", "value_base64",
}

func newEnvelope() *envelope {
	plan := record.NewPlan()
	for _, name := range envelopeNames {
		plan.Fields = append(plan.Fields, record.Field{Path: name, Names: []string{name}})
	}
	return &envelope{line: newNDJSON(plan, false)}
}

// open opens the envelopes of all records of b. Empty lines are dropped.
func (e *envelope) open(b *record.Batch) {
	for row := range b.Recs {
		rec := &b.Recs[row]
		if !rec.Live() {
			continue
		}
		if rec.Value.Len == 0 || rec.Value.Len == 1 && b.Data[rec.Value.Off] == '\r' {
			rec.Flags |= record.Dropped
			b.Empty++
			continue
		}
		if reason := e.record(b, rec); reason != "" {
			b.SetBad(row, "envelope: "+reason)
		}
	}
}

// record opens the envelope of one record. The record changes only where all
// of it is right.
func (e *envelope) record(b *record.Batch, rec *record.Rec) (reason string) {
	data, start := b.Data[:rec.Value.End()], int(rec.Value.Off)
	if !e.line.read(data, start) {
		return e.line.check.flaw.reason(data, start)
	}
	var at [envelopeFields]record.Value
	for k := range at {
		at[k] = e.line.slots[e.line.fields[k][0].slot]
	}
	opened := *rec
	first := len(b.Headers)
	reason = e.fill(b, &opened, at)
	if reason != "" {
		b.Headers = b.Headers[:first]
		return reason
	}
	*rec = opened
	return ""
}

func (e *envelope) fill(b *record.Batch, rec *record.Rec, at [envelopeFields]record.Value) (reason string) {
	if v := at[envelopeTime]; v.Kind() != record.Missing {
		text := b.Text(v)
		ns, ok := e.clock.Parse(text, record.NoTime)
		if !ok {
			return noTime(text)
		}
		rec.Stamp = ns
	}
	rec.Flags &^= record.HasKey | record.Tombstone
	if reason = e.key(b, rec, at[envelopeKey], at[envelopeKey64]); reason != "" {
		return reason
	}
	rec.Headers = record.Span{Off: uint32(len(b.Headers))}
	for k := envelopeHeaders; k <= envelopeHeaders64; k++ {
		if reason = addHeaders(b, at[k], k == envelopeHeaders64); reason != "" {
			return reason
		}
	}
	rec.Headers.Len = uint32(len(b.Headers)) - rec.Headers.Off
	return e.value(b, rec, at[envelopeValue], at[envelopeValue64])
}

func (e *envelope) key(b *record.Batch, rec *record.Rec, key, key64 record.Value) (reason string) {
	encoded := key64.Kind() != record.Missing
	if encoded {
		key = key64
	}
	if key.Kind() == record.Missing {
		return ""
	}
	rec.Flags |= record.HasKey
	rec.Key, reason = bytesOf(b, key, encoded)
	if reason != "" {
		return "key: " + reason
	}
	return ""
}

// value puts the value behind the records, with a newline behind it, so that
// runs of values can be written as one; unless it stands in the line as it is.
func (e *envelope) value(b *record.Batch, rec *record.Rec, value, value64 record.Value) (reason string) {
	switch encoded := value64.Kind() != record.Missing; {
	case encoded || value.Kind() == record.String || value.Kind() == record.Escaped:
		if encoded {
			value = value64
		}
		if rec.Value, reason = bytesOf(b, value, encoded); reason != "" {
			return "value: " + reason
		}
		if int(rec.Value.End()) == len(b.Data) {
			b.Data = append(b.Data, '\n')
		}
	case value == 0:
		return `no "value": want {"key":...,"headers":...,"time":...,"value":...}`
	case value.Kind() == record.Missing:
		rec.Flags |= record.Tombstone
		rec.Value = record.Span{Off: rec.Value.Off}
	default:
		rec.Value = record.Span{Off: uint32(value.Off()), Len: uint32(value.Len())}
	}
	return ""
}

// addHeaders appends the pairs of v to b.Headers.
func addHeaders(b *record.Batch, v record.Value, encoded bool) (reason string) {
	const want = "headers: want an array of pairs of text"
	if v.Kind() == record.Missing {
		return ""
	}
	if v.Kind() != record.Array {
		return want
	}
	for pairs := items(b.Data, v); ; {
		pair, ok := pairs.value()
		if !ok {
			return ""
		}
		var spans [2]record.Span
		n := 0
		for parts := items(b.Data, pair); ; {
			part, ok := parts.value()
			if !ok {
				break
			}
			if n == len(spans) || part.Kind() != record.String && part.Kind() != record.Escaped {
				return want
			}
			if spans[n], reason = bytesOf(b, part, encoded); reason != "" {
				return "headers: " + reason
			}
			n++
		}
		if n != len(spans) {
			return want
		}
		b.Headers = append(b.Headers, record.Header{Key: spans[0], Value: spans[1]})
	}
}

// bytesOf returns where the bytes stand that v is the text of: in the arena as
// it is, or behind its end.
func bytesOf(b *record.Batch, v record.Value, encoded bool) (s record.Span, reason string) {
	off, n := v.Off(), v.Len()
	if v.Kind() == record.Escaped {
		off = len(b.Data)
		b.Data = record.AppendUnescaped(b.Data, b.Raw(v))
		n = len(b.Data) - off
	}
	if encoded {
		text := b.Data[off : off+n]
		off = len(b.Data)
		data, err := base64.StdEncoding.AppendDecode(b.Data, text)
		if err != nil {
			return record.Span{}, fmt.Sprintf("%q is not base64", shorten(text))
		}
		b.Data = data
		n = len(b.Data) - off
	}
	return record.Span{Off: uint32(off), Len: uint32(n)}, ""
}

// openEnvelopes returns the values of lines that are envelopes.
func openEnvelopes(lines [][]byte) [][]byte {
	b, e := &record.Batch{}, newEnvelope()
	for _, line := range lines {
		b.Add(line)
	}
	e.open(b)
	var values [][]byte
	for row := range b.Recs {
		if rec := &b.Recs[row]; rec.Live() && rec.Value.Len > 0 {
			values = append(values, b.Value(row))
		}
	}
	return values
}
