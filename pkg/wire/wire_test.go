package wire_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/logctl/logctl/pkg/wire"
)

// written is one of each.
func written() []byte {
	dst := binary.AppendUvarint(nil, math.MaxUint64)
	dst = binary.AppendVarint(dst, math.MinInt64)
	dst = binary.AppendUvarint(dst, 300)
	dst = append(wire.AppendBytes(dst, "text"), 7)
	dst = wire.AppendFloat(dst, -0.5)
	dst = binary.LittleEndian.AppendUint64(dst, 9)
	return wire.AppendBytes(dst, []byte{})
}

type values struct {
	unsigned, word, limited uint64
	signed                  int64
	text, empty             string
	one                     byte
	float                   float64
}

func read(r *wire.Reader) (v values) {
	v.unsigned, v.signed, v.limited = r.Uvarint(), r.Varint(), r.Uint(300)
	v.text, v.one, v.float, v.word, v.empty = string(r.Bytes()), r.Byte(), r.Float(), r.Word(), string(r.Bytes())
	return v
}

// What was appended is read in the same order.
func TestReader(t *testing.T) {
	r := wire.Read(append(written(), "rest"...))
	want := values{math.MaxUint64, 9, 300, math.MinInt64, "text", "", 7, -0.5}
	if got := read(&r); got != want || r.Failed() || r.Done() || string(r.Rest()) != "rest" {
		t.Errorf("read %+v, failed: %t, before %q; want %+v", got, r.Failed(), r.Rest(), want)
	}
	if r.Take(4); !r.Done() {
		t.Error("nothing is left, and it is not done")
	}
}

// What is cut off anywhere fails, and nothing is read behind that.
func TestCutOff(t *testing.T) {
	all := written()
	for n := range all {
		r := wire.Read(all[:n])
		if read(&r); !r.Failed() || r.Done() || len(r.Rest()) > 0 || r.Byte() != 0 || r.Uvarint() != 0 {
			t.Errorf("with %d of %d bytes it reads on", n, len(all))
		}
	}
}

// What cannot be fails: a number above its limit, one of too many bytes, a text
// that is longer than what is left.
func TestNotWritten(t *testing.T) {
	for name, read := range map[string]func(*wire.Reader){
		"limit":    func(r *wire.Reader) { r.Uint(0x7e) },
		"overflow": func(r *wire.Reader) { r.Take(1); r.Uvarint() },
		"text":     func(r *wire.Reader) { r.Bytes() },
		"check":    func(r *wire.Reader) { r.Check(false); r.Check(true) },
	} {
		r := wire.Read([]byte("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
		if read(&r); !r.Failed() {
			t.Errorf("%s: read as a number", name)
		}
	}
}
