package record

import (
	"encoding/binary"
	"math"
)

// Kind is what a field's value is, as its codec found it.
type Kind uint8

// The kinds of values. Missing stands for an absent field and for null: they
// are one thing in every command.
const (
	Missing Kind = iota
	True
	False
	Number  // text in JSON's number syntax
	String  // text as it stands
	Escaped // the inside of a JSON string that holds backslashes
	Object  // raw JSON
	Array   // raw JSON
)

const (
	kindBits = 4
	lenBits  = 28
	maxLen   = 1<<lenBits - 1
)

// A Value says what a field holds and where its bytes stand in the arena of
// its batch. It holds no pointer, so columns of values cost the collector
// nothing, and it stays true when the arena grows.
type Value uint64

// NewValue describes the n bytes at off of a batch's arena. A value longer
// than 256 MiB is cut to that length.
func NewValue(k Kind, off, n int) Value {
	if n > maxLen {
		n = maxLen
	}
	return Value(uint64(off)<<32 | uint64(n)<<kindBits | uint64(k))
}

// Kind returns what the value is.
func (v Value) Kind() Kind { return Kind(v & (1<<kindBits - 1)) }

// Off returns where the value's bytes begin in the arena.
func (v Value) Off() int { return int(v >> 32) }

// Len returns the number of bytes of the value as written.
func (v Value) Len() int { return int(v>>kindBits) & maxLen }

// Raw returns the bytes of v as they were written: for a JSON string without
// its quotes and still escaped. The slice is valid as long as the batch is.
func (b *Batch) Raw(v Value) []byte {
	o, n := v.Off(), v.Len()
	return b.Data[o : o+n : o+n]
}

// Text returns the text of v: a string unescaped, anything else as written.
// Unescaping writes to the arena's end and may move it; it is not for
// concurrent use on one batch.
func (b *Batch) Text(v Value) []byte {
	switch v.Kind() {
	case True:
		return litTrue
	case False:
		return litFalse
	case Missing:
		return nil
	case Escaped:
		start := len(b.Data)
		b.Data = AppendUnescaped(b.Data, b.Raw(v))
		return b.Data[start:len(b.Data):len(b.Data)]
	default:
		return b.Raw(v)
	}
}

var litTrue, litFalse, litNull = []byte("true"), []byte("false"), []byte("null")

// Num returns v as a number. Text that looks like a decimal number counts as
// one ("503" is 503); everything else, infinities included, does not.
func (b *Batch) Num(v Value) (float64, bool) {
	switch v.Kind() {
	case Number, String:
		if n := v.Len(); n-1 < 8 && v.Off()+8 <= len(b.Data) {
			if f, ok := parseShort(binary.LittleEndian.Uint64(b.Data[v.Off():]), n); ok {
				return f, true
			}
		}
		return ParseNumber(b.Raw(v))
	case Escaped:
		return ParseNumber(b.Text(v))
	default:
		return 0, false
	}
}

// AppendJSON appends v as a JSON value; a missing one as null.
func (b *Batch) AppendJSON(dst []byte, v Value) []byte {
	switch v.Kind() {
	case True:
		return append(dst, litTrue...)
	case False:
		return append(dst, litFalse...)
	case Number, Object, Array:
		return append(dst, b.Raw(v)...)
	case String:
		return AppendQuoted(dst, b.Raw(v))
	case Escaped:
		dst = append(dst, '"')
		dst = append(dst, b.Raw(v)...)
		return append(dst, '"')
	default:
		return append(dst, litNull...)
	}
}

// AppendText appends text to the arena and returns it as a string value.
func (b *Batch) AppendText(text []byte) Value {
	off := len(b.Data)
	b.Data = append(b.Data, text...)
	return NewValue(String, off, len(text))
}

// AppendNumber appends f to the arena, in the shortest form that reads back
// as f. A value that JSON cannot say (NaN, an infinity) is missing.
func (b *Batch) AppendNumber(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	off := len(b.Data)
	b.Data = AppendNumber(b.Data, f)
	return NewValue(Number, off, len(b.Data)-off)
}
