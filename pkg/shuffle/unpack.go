package shuffle

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/logctl/logctl/pkg/record"
)

// A Reader is the parser of the internal topic: it unpacks records and their fields. It
// belongs to one goroutine.
type Reader struct {
	form  *Form
	zone  *time.Location
	packs []record.Rec
	cols  [][]record.Value
	err   error
}

// NewReader returns a reader that fills the columns of plan, for which form was made.
func NewReader(form *Form, plan *record.Plan) *Reader {
	return &Reader{form: form, zone: plan.Zone, cols: make([][]record.Value, len(form.columns))}
}

// Err says why the last batch cannot be read.
func (r *Reader) Err() error { return r.err }

// Parse replaces the packs of b by the records in them.
func (r *Reader) Parse(b *record.Batch) {
	b.Zone, r.err = r.zone, nil
	r.packs = append(r.packs[:0], b.Recs...)
	rows := 0
	for i := range r.packs {
		n, err := r.form.count(b.Bytes(r.packs[i].Value))
		if err != nil {
			r.err = err
			return
		}
		rows += n
	}
	b.Recs = slices.Grow(b.Recs[:0], rows)[:rows]
	for k, col := range r.form.columns {
		r.cols[k] = b.Col(col)
	}
	row := 0
	for i := range r.packs {
		n, ok := r.unpack(b, &r.packs[i], row)
		if !ok {
			r.err = errPack
			return
		}
		row += n
	}
}

// count returns how many records a pack says that it has.
func (f *Form) count(pack []byte) (int, error) {
	if len(pack) < 4 || binary.LittleEndian.Uint32(pack) != f.id {
		return 0, errForm
	}
	n, size := binary.Uvarint(pack[4:])
	if size <= 0 || n > uint64(len(pack)) {
		return 0, errPack
	}
	return int(n), nil
}

// unpack makes records from row on of those in a pack, and returns how many they
// are; false where the pack is damaged.
func (r *Reader) unpack(b *record.Batch, pack *record.Rec, row int) (int, bool) {
	c := cursor{data: b.Data[:pack.Value.End()], at: int(pack.Value.Off) + 4}
	rows, at := int(c.uvarint()), int64(0)
	for i := range rows {
		at += c.varint()
		rec := record.Rec{Offset: pack.Offset, Stamp: at, Time: at, Part: uint32(i)}
		if r.form.whole {
			c.whole(b, &rec)
		}
		for k := range r.cols {
			r.cols[k][row+i] = c.value(r.form.whole, rec.Value)
		}
		b.Recs[row+i] = rec
	}
	return rows, !c.bad && c.at == len(c.data)
}

// A cursor reads a pack where it stands in its batch.
type cursor struct {
	data []byte // to the end of the pack
	at   int
	bad  bool
}

func (c *cursor) uvarint() uint64 {
	if c.at < len(c.data) && c.data[c.at] < 0x80 {
		c.at++
		return uint64(c.data[c.at-1])
	}
	v, n := binary.Uvarint(c.data[c.at:])
	c.bad = c.bad || n <= 0
	c.at += max(n, 0)
	return v
}

func (c *cursor) varint() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// skip moves behind n bytes and returns where they begin.
func (c *cursor) skip(n uint64) (from int) {
	from = c.at
	if n > uint64(len(c.data)-c.at) {
		c.bad, n = true, 0
	}
	c.at += int(n)
	return from
}

func (c *cursor) span() record.Span {
	n := c.uvarint()
	from := c.skip(n)
	return record.Span{Off: uint32(from), Len: uint32(c.at - from)}
}

// value reads a field, which may stand within the record.
func (c *cursor) value(whole bool, rec record.Span) record.Value {
	head, at := c.uvarint(), uint64(0)
	kind, n := record.Kind(head&(1<<kindBits-1)), head>>kindBits
	if whole {
		at = c.uvarint()
	}
	from := 0
	switch {
	case at == 0:
		from = c.skip(n)
	case n > uint64(rec.Len) || at-1 > uint64(rec.Len)-n:
		c.bad = true
	default:
		from = int(rec.Off) + int(at-1)
	}
	if c.bad = c.bad || kind > record.Array; c.bad || kind == record.Missing {
		return 0
	}
	return record.NewValue(kind, from, int(n))
}

// whole reads the record itself.
func (c *cursor) whole(b *record.Batch, rec *record.Rec) {
	flags := c.skip(1)
	if c.bad {
		return
	}
	rec.Flags = record.Flags(c.data[flags]) & kept
	rec.Stamp = rec.Time + c.varint()
	rec.Value = c.span()
	c.skip(1)
	if rec.Flags&record.HasKey != 0 {
		rec.Key = c.span()
	}
	first := uint32(len(b.Headers))
	for n := c.uvarint(); n > 0 && !c.bad; n-- {
		b.Headers = append(b.Headers, record.Header{Key: c.span(), Value: c.span()})
	}
	rec.Headers = record.Span{Off: first, Len: uint32(len(b.Headers)) - first}
}
