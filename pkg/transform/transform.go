// Package transform changes records one by one: it filters them, gives them
// keys, sets fields and selects them. Every part is a stream.Preparer: it needs
// neither order nor state and runs beside the parsing.
package transform

import (
	"sync"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// Where drops the records for which a condition is not true.
type Where struct{ cond *expr.Expr }

// NewWhere compiles a condition.
func NewWhere(src string, plan *record.Plan) (*Where, error) {
	cond, err := expr.CompileBool(src, plan)
	if err != nil {
		return nil, err
	}
	return &Where{cond}, nil
}

// Prepare marks records for which the condition is not true as dropped. Time goes on
// with them: where few pass, windows do not wait for the next one.
func (w *Where) Prepare(b *record.Batch) {
	for i := range b.Recs {
		if b.Recs[i].Live() && !w.cond.True(b, i) {
			b.Recs[i].Flags |= record.Dropped | record.Filtered
		}
	}
}

// Mismatches returns how many comparisons of the condition met a value of
// another type, as text beside a number.
func (w *Where) Mismatches() int64 { return w.cond.Mismatches() }

// Key gives each record a key, the text of an expression. If the value is missing, the
// record has no key.
type Key struct{ value *expr.Expr }

// NewKey compiles the expression of a key.
func NewKey(src string, plan *record.Plan) (*Key, error) {
	value, err := expr.Compile(src, plan)
	if err != nil {
		return nil, err
	}
	return &Key{value}, nil
}

// Prepare sets the keys.
func (k *Key) Prepare(b *record.Batch) {
	for i := range b.Recs {
		rec := &b.Recs[i]
		if !rec.Live() {
			continue
		}
		rec.Flags &^= record.HasKey
		v := k.value.Value(b, i)
		if v.Kind() == record.Missing {
			continue
		}
		rec.Key = record.AppendSpan(b, b.Text(v))
		rec.Flags |= record.HasKey
	}
}

// Mismatches returns how many comparisons met a value of another type.
func (k *Key) Mismatches() int64 { return k.value.Mismatches() }

// buffers are for building values: expressions may write to the arena's end
// meanwhile.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// replace puts a new value of each live record, made by build, at the end of
// the arena, a newline behind each so that runs can be written as one.
func replace(b *record.Batch, build func(dst []byte, i int) []byte) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	out := (*buf)[:0]
	for i := range b.Recs {
		rec := &b.Recs[i]
		if !rec.Live() || rec.Flags&record.Tombstone != 0 {
			continue
		}
		off := len(out)
		out = build(out, i)
		rec.Value = record.Span{Off: uint32(off), Len: uint32(len(out) - off)}
		rec.Flags |= rebased
		out = append(out, '\n')
	}
	base := uint32(len(b.Data))
	b.Data = append(b.Data, out...)
	for i := range b.Recs {
		if rec := &b.Recs[i]; rec.Flags&rebased != 0 {
			rec.Value.Off += base
			rec.Flags &^= rebased
		}
	}
	*buf = out
}

// rebased marks a record, within replace, whose value is still an offset of
// the buffer.
const rebased record.Flags = 1 << 7
