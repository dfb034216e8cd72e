package shuffle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// A Form says which parts of a record go through the internal topic: its event time,
// the fields that the second half reads, and the record itself if that is read, too.
//
// A value of the topic is a pack of records: the id of the form (4 bytes), the number
// of records, and for each of them its time, as a difference from the one before, then
// the record itself and its fields. All numbers are varints.
type Form struct {
	columns []int // of the plan
	whole   bool
	id      uint32
}

// formVersion is part of the id of every form.
const formVersion = 1

// NewForm returns the form with what is needed to fill plan, which must be complete.
func NewForm(plan *record.Plan) *Form {
	f := &Form{whole: plan.Whole}
	id := fnv.New32a()
	fmt.Fprintf(id, "%d %v", formVersion, f.whole)
	for k, field := range plan.Fields {
		if !field.Clock {
			f.columns = append(f.columns, k)
			fmt.Fprintf(id, " %q", field.Path)
		}
	}
	f.id = id.Sum32()
	return f
}

// Over returns the form for records that are parsed with another plan, to which it adds
// the fields of made, the plan that f was made for.
func (f *Form) Over(other, made *record.Plan) *Form {
	over := &Form{whole: f.whole, id: f.id}
	for _, k := range f.columns {
		over.columns = append(over.columns, other.Column(made.Fields[k].Path))
	}
	return over
}

// head appends the beginning of a pack of so many records.
func (f *Form) head(dst []byte, rows int) []byte {
	return binary.AppendUvarint(binary.LittleEndian.AppendUint32(dst, f.id), uint64(rows))
}

// append appends record i of b. last is the time of the one before.
func (f *Form) append(dst []byte, b *record.Batch, i int, last int64) []byte {
	rec := &b.Recs[i]
	dst = binary.AppendVarint(dst, rec.Time-last)
	if f.whole {
		dst = appendWhole(dst, b, rec)
	}
	for _, k := range f.columns {
		v := b.At(k, i)
		dst = binary.AppendUvarint(dst, uint64(v.Len())<<kindBits|uint64(v.Kind()))
		if f.whole {
			at, inside := placeIn(rec.Value, v)
			if dst = binary.AppendUvarint(dst, at); inside {
				continue
			}
		}
		dst = append(dst, b.Raw(v)...)
	}
	return dst
}

// kindBits is how many bits of a field's first number are its kind.
const kindBits = 4

// placeIn returns where in a record a field stands, plus one; 0 where it does not.
func placeIn(rec record.Span, v record.Value) (at uint64, inside bool) {
	inside = v.Off() >= int(rec.Off) && v.Off()+v.Len() <= int(rec.End())
	if inside {
		at = uint64(v.Off()-int(rec.Off)) + 1
	}
	return at, inside
}

// kept are the flags that a whole record has kept.
const kept = record.HasKey | record.Tombstone | record.Truncated

func appendWhole(dst []byte, b *record.Batch, rec *record.Rec) []byte {
	dst = append(dst, byte(rec.Flags&kept))
	dst = binary.AppendVarint(dst, rec.Stamp-rec.Time)
	dst = append(wire.AppendBytes(dst, b.Bytes(rec.Value)), '\n') // as a batch has it: see record.Batch.Add
	if rec.Flags&record.HasKey != 0 {
		dst = wire.AppendBytes(dst, b.Bytes(rec.Key))
	}
	dst = binary.AppendUvarint(dst, uint64(rec.Headers.Len))
	for _, h := range b.HeadersOf(rec) {
		dst = wire.AppendBytes(wire.AppendBytes(dst, b.Bytes(h.Key)), b.Bytes(h.Value))
	}
	return dst
}

var errForm = fault.Hint(
	errors.New("the internal topic holds records of a run that wanted other fields, or of another version"),
	"end that run as it was begun, with --stop end: then none are left; or delete the topic, and with it these records")

var errPack = errors.New("a pack of records in the internal topic is damaged")
