package expr

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/logctl/logctl/pkg/human"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// nsPerMs is how many nanoseconds a millisecond has: durations are numbers of
// milliseconds to users.
const nsPerMs = 1e6

var (
	null     = Val{Null: true}
	litTrue  = []byte("true")
	litFalse = []byte("false")
)

func boolVal(ok bool) Val {
	if ok {
		return Val{Type: Bool, Num: 1}
	}
	return Val{Type: Bool}
}

// numVal returns f, or missing where ok is false or f is not finite.
func numVal(f float64, ok bool) Val {
	if f, ok = finite(f, ok); !ok {
		return null
	}
	return Val{Type: Num, Num: f}
}

func nsVal(t Type, ns int64, ok bool) Val {
	if !ok {
		return null
	}
	return Val{Type: t, NS: ns}
}

func textVal(t []byte, ok bool) Val {
	if !ok {
		return null
	}
	return Val{Type: Text, Text: t}
}

// rawVal wraps the value of a field.
func rawVal(v record.Value) Val {
	if v.Kind() == record.Missing {
		return null
	}
	return Val{raw: v}
}

// finite turns NaN and the infinities into missing: JSON has no such numbers.
func finite(f float64, ok bool) (float64, bool) {
	return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// toTest reports whether v is true: true itself, or the text of it.
func toTest(b *record.Batch, v Val) bool {
	switch {
	case v.raw != 0:
		return rawTest(b, v.raw)
	case v.Null:
		return false
	case v.Type == Text:
		return string(v.Text) == "true"
	default:
		return v.Type == Bool && v.Num != 0
	}
}

func rawTest(b *record.Batch, v record.Value) bool {
	switch v.Kind() {
	case record.True:
		return true
	case record.String:
		return v.Len() == len(litTrue) && string(b.Raw(v)) == "true"
	case record.Escaped:
		return rawEquals(b, v, "true")
	default:
		return false
	}
}

// toNum returns v as a number: text that looks like one, times and durations
// in milliseconds.
func toNum(b *record.Batch, v Val) (float64, bool) {
	switch {
	case v.raw != 0:
		return b.Num(v.raw)
	case v.Null:
		return 0, false
	}
	switch v.Type {
	case Num:
		return v.Num, true
	case Text:
		return record.ParseNumber(v.Text)
	case Time, Duration:
		return toMs(v.NS), true
	default:
		return 0, false
	}
}

// toText returns v as text, which may be written to the arena's end.
func toText(b *record.Batch, v Val) ([]byte, bool) {
	switch {
	case v.raw != 0:
		return b.Text(v.raw), v.raw.Kind() != record.Missing
	case v.Null:
		return nil, false
	}
	mark := len(b.Data)
	switch v.Type {
	case Bool:
		if v.Num != 0 {
			return litTrue, true
		}
		return litFalse, true
	case Num:
		b.Data = record.AppendNumber(b.Data, v.Num)
	case Time:
		b.Data = stamp.AppendIn(b.Data, v.NS, b.Zone)
	case Duration:
		b.Data = appendDuration(b.Data, v.NS)
	default:
		return v.Text, true
	}
	return since(b, mark), true
}

// since returns what was appended to the arena behind mark.
func since(b *record.Batch, mark int) []byte { return b.Data[mark:len(b.Data):len(b.Data)] }

// toTime returns v as a time: a time, or text or a number that package stamp
// reads as one.
func toTime(b *record.Batch, i int, v Val) (int64, bool) {
	if v.raw == 0 && (v.Null || v.Type == Time) {
		return v.NS, !v.Null
	}
	if v.raw == 0 && v.Type != Num && v.Type != Text {
		return 0, false
	}
	if k := v.raw.Kind(); v.raw != 0 && (k < record.Number || k > record.Escaped) {
		return 0, false
	}
	text, _ := toText(b, v)
	var p stamp.Parser
	return p.Parse(text, reference(b, i))
}

// reference returns when record i was surely no news: see stamp.Parser.
func reference(b *record.Batch, i int) int64 {
	if s := b.Recs[i].Stamp; s != record.NoTime || b.Origin == nil {
		return s
	}
	return b.Origin.Modified
}

// toDuration returns v as a duration: a duration, text such as 1h30m, or a
// number of milliseconds.
func toDuration(b *record.Batch, v Val) (int64, bool) {
	if v.raw == 0 && (v.Null || v.Type == Duration) {
		return v.NS, !v.Null
	}
	if v.raw == 0 && v.Type == Time {
		return 0, false
	}
	if f, ok := toNum(b, v); ok {
		return fromFloat(f * nsPerMs)
	}
	if k := v.raw.Kind(); v.raw != 0 && k != record.String && k != record.Escaped || v.raw == 0 && v.Type != Text {
		return 0, false
	}
	text, _ := toText(b, v)
	return parseDuration(text)
}

// parseDuration looks at the ends of text first: an error would allocate.
func parseDuration(text []byte) (int64, bool) {
	if len(text) == 0 || len(text) > 64 || text[0] != '-' && !isDigit(text[0]) || isDigit(text[len(text)-1]) {
		return 0, false
	}
	d, err := human.ParseDuration(unsafe.String(unsafe.SliceData(text), len(text)))
	return int64(d), err == nil
}

// toMs returns nanoseconds as milliseconds. A float has no room for all digits of the
// present time, but it has for those of whole milliseconds.
func toMs(ns int64) float64 {
	return float64(ns/nsPerMs) + float64(ns%nsPerMs)/nsPerMs
}

// fromFloat returns f as nanoseconds; false where it is beyond them.
func fromFloat(f float64) (int64, bool) {
	if !(math.Abs(f) < 1<<63) {
		return 0, false
	}
	return int64(math.Round(f)), true
}

func appendJSON(dst []byte, b *record.Batch, v Val) []byte {
	switch {
	case v.raw != 0:
		return b.AppendJSON(dst, v.raw)
	case v.Null:
		return append(dst, "null"...)
	}
	switch v.Type {
	case Bool:
		return strconv.AppendBool(dst, v.Num != 0)
	case Num:
		return record.AppendNumber(dst, v.Num)
	case Time:
		return append(stamp.AppendIn(append(dst, '"'), v.NS, b.Zone), '"')
	case Duration:
		return record.AppendNumber(dst, toMs(v.NS))
	default:
		return record.AppendQuoted(dst, v.Text)
	}
}

// intoArena puts v at mark, where the arena ended before v was computed, and
// frees what was needed meanwhile.
func intoArena(b *record.Batch, v Val, mark int) record.Value {
	if v.Null {
		b.Data = b.Data[:mark]
		return 0
	}
	kind := record.String
	switch v.Type {
	case Text: // it may stand in the arena behind mark: append moves it
		b.Data = append(b.Data[:mark], v.Text...)
	case Bool:
		kind = record.False
		if v.Num != 0 {
			kind = record.True
		}
		b.Data = strconv.AppendBool(b.Data[:mark], v.Num != 0)
	case Time:
		b.Data = stamp.AppendIn(b.Data[:mark], v.NS, b.Zone)
	default:
		kind = record.Number
		b.Data = appendJSON(b.Data[:mark], b, v)
	}
	return record.NewValue(kind, mark, len(b.Data)-mark)
}

// rawEquals reports whether the text of v is want. Text that holds escapes is
// unescaped only where its length and first byte leave the question open.
func rawEquals(b *record.Batch, v record.Value, want string) bool {
	switch v.Kind() {
	case record.String, record.Number:
		return v.Len() == len(want) && string(b.Raw(v)) == want
	case record.Missing:
		return false
	case record.Escaped:
		raw := b.Raw(v)
		if want == "" || len(raw) <= len(want) || len(raw) > 6*len(want) || raw[0] != '\\' && raw[0] != want[0] {
			return false
		}
	}
	return string(b.Text(v)) == want
}
