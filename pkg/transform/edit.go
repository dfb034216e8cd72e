package transform

import (
	"slices"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// An EditSpec says what an Edit changes.
type EditSpec struct {
	Set    []expr.Assignment // fields and the expressions of their values
	Drop   []string          // fields that are left out
	Rename []Rename
	Redact []string // what is masked wherever it occurs: see NewRedactor
}

// A Rename is another name of a field.
type Rename struct{ From, To string }

// An Edit is a set of changes: fields to drop, rename or set, and text to mask. It is
// immutable and may be shared. It writes a changed copy and leaves the record as it is,
// so that a record can go to several places in several forms.
type Edit struct {
	set    []field
	drop   []string
	rename []rename
	redact *Redactor
}

type rename struct {
	from   string
	quoted []byte // the new name as JSON, with its colon
}

// NewEdit compiles changes. It returns nil if there are none.
func NewEdit(spec EditSpec, plan *record.Plan) (*Edit, error) {
	e := &Edit{drop: spec.Drop}
	for _, a := range spec.Set {
		value, err := expr.Compile(a.Src, plan)
		if err != nil {
			return nil, err
		}
		e.set = append(e.set, field{a.Name, quotedName(a.Name), value})
	}
	for _, r := range spec.Rename {
		if r.From == "" || r.To == "" {
			return nil, fault.Usagef("as in rename: {old: new}", "rename %q to %q: want two names", r.From, r.To)
		}
		e.rename = append(e.rename, rename{r.From, quotedName(r.To)})
	}
	var err error
	if len(spec.Redact) > 0 {
		e.redact, err = NewRedactor(spec.Redact)
	}
	if len(e.set)+len(e.drop)+len(e.rename) == 0 && e.redact == nil {
		return nil, err
	}
	return e, err
}

func quotedName(name string) []byte { return append(record.AppendQuoted(nil, name), ':') }

// Mismatches returns how many comparisons met a value of another type.
func (e *Edit) Mismatches() int64 { return mismatches(e.set) }

// An Editor applies edits. It belongs to one goroutine.
type Editor struct {
	buf     []byte
	text    []byte
	done    []string // fields that are set already
	members codec.Members
}

// Append appends record i with all edits applied. Each edit computes from the original
// record; if two contradict each other, the later one counts. If fields are set, a
// record that is no JSON object becomes one, with its text as "message". dst must not
// be in the arena, which is left as it was.
func (w *Editor) Append(dst []byte, b *record.Batch, i int, edits []*Edit) []byte {
	text := b.Value(i)
	if slices.ContainsFunc(edits, (*Edit).shapes) {
		w.buf = w.object(w.buf[:0], b, i, edits)
		text = w.buf
	}
	for _, e := range edits {
		if e.redact != nil {
			w.text = e.redact.Append(w.text[:0], text)
			w.text, w.buf = w.buf, w.text
			text = w.buf
		}
	}
	return append(dst, text...)
}

// shapes reports whether e changes what fields there are.
func (e *Edit) shapes() bool { return len(e.set)+len(e.drop)+len(e.rename) > 0 }

// object appends record i with its fields dropped, renamed and set.
func (w *Editor) object(dst []byte, b *record.Batch, i int, edits []*Edit) []byte {
	w.done = w.done[:0]
	start := len(dst)
	dst = append(dst, '{')
	w.members.Reset(b, b.Recs[i].Value)
	for {
		key, v, ok := w.members.Next()
		if !ok {
			break
		}
		dst = w.member(dst, start, key, valueAt{b, i, v}, edits)
	}
	if !w.members.Whole() {
		if !slices.ContainsFunc(edits, func(e *Edit) bool { return len(e.set) > 0 }) {
			return append(dst[:start], b.Value(i)...) // there are no fields to drop or to rename
		}
		w.done = w.done[:0]
		dst = append(append(dst[:start], '{'), `"message":`...)
		dst = record.AppendQuoted(dst, b.Value(i))
	}
	for k, e := range edits {
		for f := range e.set {
			if name := e.set[f].name; !slices.Contains(w.done, name) {
				w.done = append(w.done, name)
				dst = appendSet(separate(dst, start), setterOf(edits[k:], name), b, i)
			}
		}
	}
	return append(dst, '}')
}

// A valueAt is the value of a member of record i.
type valueAt struct {
	b *record.Batch
	i int
	v record.Value
}

// member appends one member as the edits leave it.
func (w *Editor) member(dst []byte, start int, key []byte, at valueAt, edits []*Edit) []byte {
	if set := setterOf(edits, string(key)); set != nil {
		if slices.Contains(w.done, set.name) {
			return dst // a duplicate key: the first one counts
		}
		w.done = append(w.done, set.name)
		return appendSet(separate(dst, start), set, at.b, at.i)
	}
	var to []byte
	for _, e := range edits {
		if slices.ContainsFunc(e.drop, func(d string) bool { return d == string(key) }) {
			return dst
		}
		for k := range e.rename {
			if e.rename[k].from == string(key) {
				to = e.rename[k].quoted
			}
		}
	}
	dst = separate(dst, start)
	if to == nil {
		dst = append(record.AppendQuoted(dst, key), ':')
	} else {
		dst = append(dst, to...)
	}
	return at.b.AppendJSON(dst, at.v)
}

// setterOf returns the last of the fields that edits set under a name, or nil.
func setterOf(edits []*Edit, name string) *field {
	for _, e := range slices.Backward(edits) {
		for k := range e.set {
			if e.set[k].name == name {
				return &e.set[k]
			}
		}
	}
	return nil
}

func appendSet(dst []byte, f *field, b *record.Batch, i int) []byte {
	return f.value.AppendJSON(append(dst, f.quoted...), b, i)
}
