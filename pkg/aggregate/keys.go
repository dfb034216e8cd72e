package aggregate

import (
	"encoding/binary"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// Keys are the fields or expressions by which records are grouped; there may be none.
type Keys struct {
	parts  []keyPart
	single bool     // one key, a plain value
	labels [][]byte // `,"name":` of each
}

// A keyPart is one part of a group's key.
type keyPart struct {
	name  string
	value *expr.Expr
	col   int // column of the plan, -1 where it is computed
}

// CompileKeys compiles lists of keys, each a field or NAME=EXPR. Errors are usage
// errors.
func CompileKeys(by []string, plan *record.Plan) (*Keys, error) {
	ks := new(Keys)
	for _, src := range by {
		list, err := expr.Assignments(src)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			e, col, err := compile(a.Src, plan)
			if err != nil {
				return nil, err
			}
			ks.parts = append(ks.parts, keyPart{a.Name, e, col})
			ks.labels = append(ks.labels, label(a.Name))
		}
	}
	ks.single = len(ks.parts) == 1
	return ks, nil
}

// label returns how a field of a row begins.
func label(name string) []byte { return append(record.AppendQuoted([]byte{','}, name), ':') }

// Len returns how many parts a key has.
func (ks *Keys) Len() int { return len(ks.parts) }

// Names returns the names of the parts.
func (ks *Keys) Names() []string {
	names := make([]string, len(ks.parts))
	for i, p := range ks.parts {
		names[i] = p.name
	}
	return names
}

// Mismatches returns how many comparisons in keys met a value of another type.
// It may be called from any goroutine.
func (ks *Keys) Mismatches() (n int64) {
	for _, p := range ks.parts {
		n += p.value.Mismatches()
	}
	return n
}

// Prepare numbers the keys of the live records. Equal keys in a batch mostly have equal
// numbers. Parsers call it.
func (ks *Keys) Prepare(b *record.Batch) {
	if len(ks.parts) == 0 {
		return
	}
	numbers := b.Words(keyNumber)
	keys := newNumbering(b)
	if first := ks.parts[0]; ks.single && first.col >= 0 {
		for i, v := range b.Col(first.col) {
			if b.Recs[i].Live() {
				numbers[i] = keys.number(plainText(b, v))
			}
		}
		return
	}
	for i := range b.Recs {
		switch {
		case !b.Recs[i].Live():
		case ks.single:
			numbers[i] = keys.number(plainText(b, ks.parts[0].value.Value(b, i)))
		default:
			numbers[i] = keys.number(ks.join(b, i))
		}
	}
}

// Numbers returns the number of each live record's key. There are no numbers
// where there are no keys.
func (ks *Keys) Numbers(b *record.Batch) []uint64 { return b.Words(keyNumber) }

// Hashes returns the hash of the key of each number.
func (ks *Keys) Hashes(b *record.Batch) []uint64 { return b.Words(keyHash) }

// Key returns a key of b by its number: its hash, its kind and its bytes.
func (ks *Keys) Key(b *record.Batch, number uint64) (hash uint64, kind record.Kind, text []byte) {
	v := record.Value(b.Words(keyValue)[number])
	return b.Words(keyHash)[number], v.Kind(), textOf(b, v)
}

// AppendKey appends the JSON of a group's key: an array if it has several parts,
// nothing if it has none.
func (ks *Keys) AppendKey(dst []byte, kind record.Kind, text []byte) []byte {
	switch {
	case len(ks.parts) == 0:
		return dst
	case ks.single:
		return appendJSON(dst, kind, text)
	}
	sep := byte('[')
	for part := range parts(text) {
		dst = append(append(dst, sep), part...)
		sep = ','
	}
	return append(dst, ']')
}

// AppendFields appends the fields of a group's key, each with a comma before
// it.
func (ks *Keys) AppendFields(dst []byte, kind record.Kind, text []byte) []byte {
	switch {
	case len(ks.parts) == 0:
		return dst
	case ks.single:
		return appendJSON(append(dst, ks.labels[0]...), kind, text)
	}
	k := 0
	for part := range parts(text) {
		dst = append(append(dst, ks.labels[k]...), part...)
		k++
	}
	return dst
}

// Valid reports whether a group of a Table can have such a key.
func (ks *Keys) Valid(kind record.Kind, text []byte) bool {
	switch {
	case len(ks.parts) == 0:
		return kind == record.Missing && len(text) == 0
	case ks.single:
		return kind <= record.Array && kind != record.Escaped && (len(text) == 0 || kind > record.False)
	}
	n := 0
	for rest := text; len(rest) > 0; n++ {
		if len(rest) < 4 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-4) {
			return false
		}
		rest = rest[4+binary.LittleEndian.Uint32(rest):]
	}
	return kind == record.Array && n == len(ks.parts)
}

// parts yields what join has joined.
func parts(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := binary.LittleEndian.Uint32(text)
			if !yield(text[4 : 4+n]) {
				return
			}
			text = text[4+n:]
		}
	}
}

// join appends the JSON of all parts to the arena, each behind its length.
func (ks *Keys) join(b *record.Batch, i int) record.Value {
	values := make([]record.Value, 0, 8)
	for _, p := range ks.parts {
		values = append(values, plainText(b, valueOf(b, i, p.value, p.col)))
	}
	start := len(b.Data)
	for _, v := range values {
		at := len(b.Data)
		b.Data = append(b.Data, 0, 0, 0, 0)
		b.Data = appendJSON(b.Data, v.Kind(), textOf(b, v))
		binary.LittleEndian.PutUint32(b.Data[at:], uint32(len(b.Data)-at-4))
	}
	return record.NewValue(record.Array, start, len(b.Data)-start)
}
