package codec

import (
	"math"

	"github.com/logctl/logctl/pkg/record"
)

// A binding carries the fields of a record, which its format names, to the
// columns of a plan. Where several fields fit a column, the one wins whose
// name stands first in Field.Names; of two with one name the first that came.
type binding struct {
	byName map[string][]target
	rank   []uint8 // by column: the rank of what it holds for the record at hand
}

// A target is a column that a field may fill; the less the rank, the better.
type target struct {
	col  int
	rank uint8
}

// unfilled is the rank of a column that holds nothing yet.
const unfilled = math.MaxUint8

func newBinding(plan *record.Plan) binding {
	d := binding{make(map[string][]target), make([]uint8, len(plan.Fields))}
	for col, field := range plan.Fields {
		for rank, name := range field.Names {
			d.byName[name] = append(d.byName[name], target{col, uint8(min(rank, unfilled-1))})
		}
	}
	return d
}

// begin is called before the first field of each record.
func (d *binding) begin() {
	for i := range d.rank {
		d.rank[i] = unfilled
	}
}

// set gives v, unless it is missing, to the columns for which it is the best
// so far.
func (d *binding) set(b *record.Batch, row int, to []target, v record.Value) {
	if v.Kind() == record.Missing {
		return
	}
	for _, t := range to {
		if t.rank < d.rank[t.col] {
			d.rank[t.col] = t.rank
			b.Col(t.col)[row] = v
		}
	}
}

// complete gives v to those columns that nobody has filled.
func complete(b *record.Batch, row int, to []target, v record.Value) {
	for _, t := range to {
		if col := b.Col(t.col); col[row].Kind() == record.Missing {
			col[row] = v
		}
	}
}

// clear empties the columns of a record that turned out to be bad.
func (d *binding) clear(b *record.Batch, row int) {
	for col, rank := range d.rank {
		if rank != unfilled {
			b.Col(col)[row] = 0
		}
	}
}

// textValue describes text at off of the arena: a dash, which stands for
// nothing in most formats, is missing.
func textValue(off int, text []byte) record.Value {
	if len(text) == 1 && text[0] == '-' {
		return 0
	}
	return record.NewValue(record.String, off, len(text))
}

// numberValue describes text at off of the arena: a number if it is one in
// JSON's syntax, without exponent and of at most 15 digits, which is what a
// float64 holds exactly; else what textValue makes of it.
func numberValue(off int, text []byte) record.Value {
	if isCanonical(text) {
		return record.NewValue(record.Number, off, len(text))
	}
	return textValue(off, text)
}

// isCanonical reports whether text is a decimal as JSON writes it.
func isCanonical(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	n := digits(text)
	if n == 0 || n > 15 || n > 1 && text[0] == '0' {
		return false
	}
	if n == len(text) {
		return true
	}
	frac := digits(text[n+1:])
	return text[n] == '.' && frac > 0 && n+1+frac == len(text) && n+frac <= 15
}

// digits returns the number of digits at the start of text.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n]-'0' <= 9 {
		n++
	}
	return n
}
