package store

import (
	"bytes"
	"strconv"
	"unsafe"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// insert writes the live rows.
func (t *rowTable) insert(rows record.Rows) error {
	if _, err := table.Live(rows, t.whole); err != nil {
		return err
	}
	for i := rows.Lo; i < rows.Hi; i++ {
		if !rows.Recs[i].Live() {
			continue
		}
		if err := t.add(rows.Batch, i); err != nil {
			return err
		}
	}
	return t.flush()
}

// add adds record i to the image, or inserts it by itself where it is too large.
func (t *rowTable) add(b *record.Batch, i int) error {
	t.shape.Row(b, i)
	if t.image != nil {
		t.row.begin()
		t.setRow(&t.row, b, i)
		if t.image.add(&t.row) {
			return nil
		}
		if err := t.flush(); err != nil {
			return err
		}
		if t.image.add(&t.row) {
			return nil
		}
	}
	t.setRow(t.one, b, i)
	return t.one.finish()
}

// flush inserts the rows of the image.
func (t *rowTable) flush() error {
	switch {
	case t.image == nil || t.image.rows == 0:
		return nil
	case t.copy == nil || t.image.odd:
		return t.image.take(t.move)
	default:
		return t.image.take(t.copy)
	}
}

// An arguments is what takes the values of a row, numbered from 1: a statement, or a row
// of an image.
type arguments interface {
	setNull(i int)
	setText(i int, v []byte)
	numbers
}

type numbers interface {
	setInt(i int, v int64)
	setFloat(i int, v float64)
}

// setRow sets the values of record i, which the shape holds.
func (t *rowTable) setRow(s arguments, b *record.Batch, i int) {
	setOrigin(s, 1, b.Origin)
	if o := b.Origin; o != nil && table.HasPlace(o) {
		s.setInt(3, b.Recs[i].Offset)
	} else {
		s.setNull(3)
	}
	n := len(t.origin) + 1
	if n > 4 {
		s.setInt(4, int64(b.Recs[i].Part))
	}
	for _, v := range t.shape.Cells {
		setValue(s, n, b, v)
		n++
	}
	if t.extra = t.shape.AppendRest(t.extra[:0]); len(t.extra) > 0 {
		s.setText(n, t.extra)
	} else {
		s.setNull(n)
	}
}

// setOrigin sets arguments n and n+1, which the rows of an origin have in common.
func setOrigin(s arguments, n int, o *record.Origin) {
	if o == nil {
		s.setNull(n)
		s.setNull(n + 1)
		return
	}
	s.setText(n, unsafe.Slice(unsafe.StringData(o.Source), len(o.Source)))
	s.setInt(n+1, int64(o.Partition))
}

// setValue sets an argument to a value of a record.
func setValue(s arguments, n int, b *record.Batch, v record.Value) {
	switch v.Kind() {
	case record.Missing:
		s.setNull(n)
	case record.True:
		s.setInt(n, 1)
	case record.False:
		s.setInt(n, 0)
	case record.Number:
		raw := b.Raw(v)
		if i, ok := integer(raw); ok {
			s.setInt(n, i)
		} else if f, ok := b.Num(v); ok && f-f == 0 {
			s.setFloat(n, f)
		} else {
			s.setText(n, raw)
		}
	default:
		s.setText(n, b.Text(v))
	}
}

// integer returns a number that is whole and written so.
func integer(raw []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(raw, minus)
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) == 19 {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return n, err == nil
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}

var minus = []byte{'-'}
