package session

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
)

// A verdict is a condition on sessions that are over. Its fields are those of the
// row; any other is true where the session had an event of that type.
type verdict struct {
	cond *expr.Expr
	plan *record.Plan
	one  record.Batch // of the row that is judged
}

// newVerdict compiles a condition; nil where there is none.
func newVerdict(src string) (*verdict, error) {
	if strings.TrimSpace(src) == "" {
		return nil, nil
	}
	v := &verdict{plan: record.NewPlan()}
	var err error
	v.cond, err = expr.CompileBool(src, v.plan)
	return v, err
}

// wantsOther reports whether the condition reads something else than fields of
// these names.
func (v *verdict) wantsOther(names []string) bool {
	return v != nil && slices.ContainsFunc(v.plan.Fields, func(f record.Field) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			rest, ok := strings.CutPrefix(f.Path, name)
			return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	})
}

// holds reports whether the condition is true of the fields of a row and an object
// of the types.
func (v *verdict) holds(fields, types []byte) bool {
	b := &v.one
	b.Reset()
	b.Data = append(append(append(b.Data, '{'), fields...), '}')
	b.AddSpan(record.Span{Len: uint32(len(b.Data))})
	at := record.AppendSpan(b, types)
	for k, f := range v.plan.Fields {
		value := codec.Lookup(b, b.Recs[0].Value, f.Path)
		if value.Kind() == record.Missing && codec.Lookup(b, at, f.Path).Kind() != record.Missing {
			value = record.NewValue(record.True, 0, 0)
		}
		b.Col(k)[0] = value
	}
	return v.cond.True(b, 0)
}

// judge completes the row of a session that is over, and writes an event where it
// was abandoned. Its fields begin at start.
func (o *Op) judge(b *record.Batch, start int, n uint32) (event []byte) {
	o.row.other = append(o.row.other[:0], "{}"...)
	if k := o.fields.types; k >= 0 {
		o.row.other = o.fields.set.AppendValue(o.row.other[:0], k, aggregate.Row{Cells: o.cells, Group: n})
	}
	fields := b.Data[start:]
	abandoned := o.fields.abandon.holds(fields, o.row.other)
	if abandoned {
		event = append(append(event, `{"event":"abandoned",`...), fields...)
		event = append(event, '}')
	}
	b.Data = append(append(b.Data, `,"abandoned":`...), trueOrFalse(abandoned)...)
	return event
}

// SetAbandoned sets a sink for the events of abandoned sessions, which otherwise follow
// their rows.
func (o *Op) SetAbandoned(to stream.Sink) { o.abandoned = to }

// writeAbandoned writes an event.
func (o *Op) writeAbandoned(event, key []byte, time int64, out stream.Output) error {
	if o.abandoned != nil {
		b := record.NewBatch()
		b.Origin = &record.Origin{Source: "sessionize"}
		rec := b.Add(event)
		rec.Time, rec.Key, rec.Flags = time, record.AppendSpan(b, key), record.HasKey
		return o.abandoned.Write(b.All())
	}
	row, err := o.writer.Row(out)
	if err != nil {
		return err
	}
	row.Data = append(row.Data, event...)
	o.writer.End(time, key)
	o.stats.rows.Add(1)
	return nil
}

func trueOrFalse(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
