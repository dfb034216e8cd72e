package aggregate

import (
	"encoding/binary"
	"math"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/wire"
)

// Capture appends what the aggregates need of record i of a prepared batch, so that the
// record can be added later, when the batch is gone.
func (s *Set) Capture(dst []byte, b *record.Batch, i int) []byte {
	for _, in := range s.inputs.numbers {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Floats(in.at)[i]))
	}
	for _, in := range s.inputs.conditions {
		dst = append(dst, byte(b.Words(in.at)[i]))
	}
	for _, in := range s.inputs.values {
		v := record.Value(b.Words(in.at + 1)[i])
		text := textOf(b, v)
		dst = binary.AppendUvarint(append(dst, byte(v.Kind())), uint64(len(text)))
		dst = append(dst, text...)
	}
	return dst
}

// Replay sets what Capture has written for record i of b, so that Cells can Add it. All
// records of b must have been added to it before. Malformed bytes are an error.
func (s *Set) Replay(b *record.Batch, i int, src []byte) error {
	for _, in := range s.inputs.numbers {
		if len(src) < 8 {
			return errCell
		}
		b.Floats(in.at)[i] = math.Float64frombits(binary.LittleEndian.Uint64(src))
		src = src[8:]
	}
	for _, in := range s.inputs.conditions {
		if len(src) == 0 || src[0] > 1 {
			return errCell
		}
		b.Words(in.at)[i] = uint64(src[0])
		src = src[1:]
	}
	r := wire.Read(src)
	for _, in := range s.inputs.values {
		kind, text := readKind(&r), r.Bytes()
		off := len(b.Data)
		b.Data = append(b.Data, text...)
		b.Words(in.at)[i] = HashValue(kind, text)
		b.Words(in.at + 1)[i] = uint64(record.NewValue(kind, off, len(text)))
	}
	if !r.Done() {
		return errCell
	}
	return nil
}
