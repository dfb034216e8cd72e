package proof

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/logctl/logctl/pkg/record"
)

// An Event is a record of the tests of operators: a time, an offset, and fields by
// their paths. A field is a number, a text, a boolean or a Raw.
type Event struct {
	At     int64
	Offset int64
	Fields map[string]any
}

// Raw is a value of any kind, as a codec leaves it.
type Raw struct {
	Kind record.Kind
	Text string
}

// File is where batches come from.
var File = &record.Origin{Source: "app.log"}

// Batch returns the batch that a parser would make of events.
func Batch(plan *record.Plan, origin *record.Origin, events []Event) *record.Batch {
	b := &record.Batch{Origin: origin}
	var text []byte
	for i := range events {
		text = events[i].append(text[:0])
		rec := b.Add(text)
		rec.Time, rec.Offset = events[i].At, events[i].Offset
	}
	for k, f := range plan.Fields {
		col := b.Col(k)
		for i := range events {
			if v := events[i].Fields[f.Path]; v != nil {
				col[i] = valueOf(b, v)
			}
		}
	}
	return b
}

// append appends the event as a JSON object.
func (e *Event) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(e.Fields)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendQuote(dst, name), ':')
		switch v := e.Fields[name].(type) {
		case string:
			dst = strconv.AppendQuote(dst, v)
		case int:
			dst = strconv.AppendInt(dst, int64(v), 10)
		case float64:
			dst = record.AppendNumber(dst, v)
		case bool:
			dst = strconv.AppendBool(dst, v)
		case Raw:
			dst = strconv.AppendQuote(dst, v.Text)
		default:
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}

// valueOf puts a value into the arena of b.
func valueOf(b *record.Batch, v any) record.Value {
	switch v := v.(type) {
	case string:
		return b.AppendText([]byte(v))
	case int:
		return b.AppendNumber(float64(v))
	case float64:
		return b.AppendNumber(v)
	case bool:
		return record.NewValue(map[bool]record.Kind{true: record.True, false: record.False}[v], 0, 0)
	case Raw:
		at := b.AppendText([]byte(v.Text))
		return record.NewValue(v.Kind, at.Off(), at.Len())
	}
	panic("no such kind of field")
}

// At returns the time that text says, in ns since 1970.
func At(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}
