package aggregate

import (
	"math"
	"sync/atomic"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// The operator's own columns of words. Those of keys stand first (see
// numbering), those of inputs follow.
const (
	keyNumber = iota
	keyHash
	keyValue
	keyPlace
	keyFirst
	keySecond
	firstInput
)

// An input is an argument of aggregates, evaluated once for all of them. A
// number stands in a column of floats, NaN where it is missing; a condition in
// a column of words, as 0 or 1; a value in two columns, hash and record.Value.
type input struct {
	value *expr.Expr
	col   int // column of the plan, -1 where it is computed
	at    int // the operator's own column

	texts atomic.Int64 // values of the column that are no numbers, where it is of them
}

type inputs struct{ numbers, conditions, values []*input }

// number gives each input its columns. It returns the first free column of words.
func (in *inputs) number() int {
	for k, x := range in.numbers {
		x.at = k
	}
	at := firstInput
	for _, x := range in.conditions {
		x.at = at
		at++
	}
	for _, x := range in.values {
		x.at = at
		at += 2
	}
	return at
}

func (in *input) prepareNumbers(b *record.Batch) {
	to := b.Floats(in.at)
	if in.col >= 0 {
		texts := int64(0)
		for i, v := range b.Col(in.col) {
			f, ok := b.Num(v)
			if !ok {
				f = math.NaN()
				if v.Kind() != record.Missing && b.Recs[i].Live() {
					texts++
				}
			}
			to[i] = f
		}
		in.texts.Add(texts)
		return
	}
	for i := range b.Recs {
		f, ok := math.NaN(), false
		if b.Recs[i].Live() {
			f, ok = in.value.Num(b, i)
		}
		if !ok || math.IsInf(f, 0) {
			f = math.NaN()
		}
		to[i] = f
	}
}

func (in *input) prepareConditions(b *record.Batch) {
	to := b.Words(in.at)
	for i := range b.Recs {
		to[i] = 0
		if b.Recs[i].Live() && in.holds(b, i) {
			to[i] = 1
		}
	}
}

// holds reports whether a condition is true. A plain field, as in count(user),
// counts where it is there and not false.
func (in *input) holds(b *record.Batch, i int) bool {
	if in.col < 0 {
		return in.value.True(b, i)
	}
	v := b.Col(in.col)[i]
	return v.Kind() != record.Missing && v.Kind() != record.False && string(b.Raw(v)) != "false"
}

func (in *input) prepareValues(b *record.Batch) {
	hashes, values := b.Words(in.at), b.Words(in.at+1)
	for i := range b.Recs {
		if b.Recs[i].Live() {
			v := plainText(b, valueOf(b, i, in.value, in.col))
			hashes[i], values[i] = HashValue(v.Kind(), textOf(b, v)), uint64(v)
		}
	}
}

func valueOf(b *record.Batch, i int, e *expr.Expr, col int) record.Value {
	if col >= 0 {
		return b.Col(col)[i]
	}
	return e.Value(b, i)
}

// plainText returns v with its text as it stands: however a string is escaped,
// it is the same key.
func plainText(b *record.Batch, v record.Value) record.Value {
	if v.Kind() != record.Escaped {
		return v
	}
	return unescaped(b, v)
}

func unescaped(b *record.Batch, v record.Value) record.Value {
	n := len(b.Text(v))
	return record.NewValue(record.String, len(b.Data)-n, n)
}

// textOf returns the bytes of a value that its kind does not tell.
func textOf(b *record.Batch, v record.Value) []byte {
	switch v.Kind() {
	case record.Missing, record.True, record.False:
		return nil
	default:
		return b.Raw(v)
	}
}

// appendJSON appends a value given by its kind and text.
func appendJSON(dst []byte, kind record.Kind, text []byte) []byte {
	switch kind {
	case record.Missing:
		return append(dst, "null"...)
	case record.True:
		return append(dst, "true"...)
	case record.False:
		return append(dst, "false"...)
	case record.String:
		return record.AppendQuoted(dst, text)
	default:
		return append(dst, text...)
	}
}
