package window

import (
	"slices"
	"strings"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// A having is a condition that rows have to meet.
type having struct {
	cond   *expr.Expr
	parser codec.Parser
}

// rowOrigin is that of rows while they are read as records.
var rowOrigin = &record.Origin{Source: "rows", Format: "ndjson"}

// newHaving compiles a condition over the fields of a row.
func (o *Op) newHaving(src string) (*having, error) {
	plan := record.NewPlan()
	plan.Zone = o.zone
	cond, err := expr.CompileBool(src, plan)
	if err != nil {
		return nil, err
	}
	names := o.names()
	for _, f := range plan.Fields {
		first := strings.FieldsFunc(f.Path, func(r rune) bool { return r == '.' || r == '[' })
		if !slices.Contains(names, f.Path) && !slices.Contains(names, first[0]) {
			return nil, fault.Usagef(fault.DidYouMean(f.Path, names), "--having %q: rows have no field %q, only %s", src, f.Path,
				strings.Join(names, ", "))
		}
	}
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		return nil, err
	}
	return &having{cond, dec.NewParser(plan)}, nil
}

// filter drops the rows that do not meet the condition, and returns how many there
// are left.
func (h *having) filter(rows record.Rows) (left int) {
	b := rows.Batch
	for i := range b.Recs { // a parser takes the time of a record from its stamp
		b.Recs[i].Stamp = b.Recs[i].Time
	}
	b.Origin = rowOrigin
	h.parser.Parse(b)
	b.Origin = nil
	for i := range b.Recs {
		b.Recs[i].Stamp = record.NoTime
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if h.cond.True(b, i) {
			left++
		} else {
			b.Recs[i].Flags |= record.Dropped
		}
	}
	return left
}
