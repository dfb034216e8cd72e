package record_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "503": 503, "12.50": 12.5, "-3.25": -3.25, "+7": 7, "007": 7,
		"1e3": 1000, "2.5E-3": 0.0025, "9007199254740993": 9007199254740992, "0.1": 0.1,
		"123456789012345678": 123456789012345678, "0.000000000000000001": 1e-18,
	} {
		if got, ok := record.ParseNumber([]byte(text)); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "-", "+", ".", "5.", ".5", "1.2.3", "abc", "0x10", "1_000", "inf", "NaN", "1e", "1e+", "--1", " 1", "1 ", "1e400",
	} {
		if got, ok := record.ParseNumber([]byte(text)); ok {
			t.Errorf("%q is no number, got %v", text, got)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"1", "-1.5", "1e10", "0.30000000000000004", "99999999999999999", "1.7976931348623157e308"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := record.ParseNumber([]byte(s))
		b := &record.Batch{Data: []byte(s + "........")}
		if n, isNumber := b.Num(record.NewValue(record.Number, 0, len(s))); n != got || isNumber != ok {
			t.Errorf("%q in a batch: %v %v, want %v %v", s, n, isNumber, got, ok)
		}
		if !ok {
			return
		}
		want, err := strconv.ParseFloat(s, 64)
		if err != nil || got != want {
			t.Errorf("%q: %v, strconv says %v %v", s, got, want, err)
		}
	})
}

// Numbers of a batch are read as ParseNumber reads their text, whatever stands
// around them.
func TestNumAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 200_000 {
		text := make([]byte, 1+r.IntN(9))
		for i := range text {
			text[i] = "0123456789012345678901234567890123456789.....-+eE /:\x80\xb0\xb9\x1e"[r.IntN(56)]
		}
		b := &record.Batch{Data: append(append([]byte("7."), text...), "1.234567"[:r.IntN(9)]...)}
		want, isNumber := record.ParseNumber(text)
		got, ok := b.Num(record.NewValue(record.String, 2, len(text)))
		if ok != isNumber || got != want {
			t.Fatalf("%q: %v %v, want %v %v", text, got, ok, want, isNumber)
		}
	}
}

// FuzzText checks quoting and unescaping against encoding/json.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "\x00\x1f\"\\", "é\u2028", "\xff\xfe", "\U0001f600", `\u00e9\ud83d\ude00\ud83d\n`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := record.AppendQuoted(nil, s)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil {
			t.Fatalf("%q quoted as %s: %v", s, quoted, err)
		}
		if want := string([]rune(s)); back != want {
			t.Errorf("%q comes back as %q, want %q", s, back, want)
		}
		if !bytes.Equal(record.AppendQuoted(nil, []byte(s)), quoted) {
			t.Errorf("%q is quoted otherwise as bytes", s)
		}
		inside := quoted[1 : len(quoted)-1]
		if got := record.AppendUnescaped(nil, inside); string(got) != back {
			t.Errorf("%s unescaped is %q, want %q", inside, got, back)
		}
		var direct string
		if json.Unmarshal([]byte(`"`+s+`"`), &direct) == nil {
			if got := record.AppendUnescaped(nil, []byte(s)); string([]rune(string(got))) != direct {
				t.Errorf("%q unescaped is %q, want %q", s, got, direct)
			}
		}
	})
}

func TestValues(t *testing.T) {
	var b record.Batch
	b.Data = append(b.Data, `503 text a\"b {"x":1}`...)
	for _, tt := range []struct {
		v          record.Value
		text, json string
		num        float64
		isNum      bool
	}{
		{record.NewValue(record.Number, 0, 3), "503", "503", 503, true},
		{record.NewValue(record.String, 0, 3), "503", `"503"`, 503, true},
		{record.NewValue(record.String, 4, 4), "text", `"text"`, 0, false},
		{record.NewValue(record.Escaped, 9, 4), `a"b`, `"a\"b"`, 0, false},
		{record.NewValue(record.Object, 14, 7), `{"x":1}`, `{"x":1}`, 0, false},
		{record.NewValue(record.True, 0, 0), "true", "true", 0, false},
		{0, "", "null", 0, false},
		{b.AppendNumber(0.1), "0.1", "0.1", 0.1, true},
		{b.AppendNumber(1e300), "1e+300", "1e+300", 1e300, true},
		{b.AppendNumber(math.NaN()), "", "null", 0, false},
		{b.AppendText([]byte("new")), "new", `"new"`, 0, false},
	} {
		if got := string(b.Text(tt.v)); got != tt.text {
			t.Errorf("text %q, want %q", got, tt.text)
		}
		if got := string(b.AppendJSON(nil, tt.v)); got != tt.json {
			t.Errorf("json %s, want %s", got, tt.json)
		}
		if got, ok := b.Num(tt.v); ok != tt.isNum || got != tt.num {
			t.Errorf("%s: number %v %v, want %v %v", tt.json, got, ok, tt.num, tt.isNum)
		}
	}
}

func BenchmarkParseNumber(b *testing.B) {
	text := []byte("123.45")
	b.ReportAllocs()
	for b.Loop() {
		record.ParseNumber(text)
	}
}

func BenchmarkNum(b *testing.B) {
	batch := &record.Batch{Data: []byte("123.45,8.1,503,17.5,1024,9,12345.67,        ")}
	var values []record.Value
	off := 0
	for text := range bytes.SplitSeq(bytes.TrimRight(batch.Data, ", "), []byte(",")) {
		values = append(values, record.NewValue(record.Number, off, len(text)))
		off += len(text) + 1
	}
	b.ReportAllocs()
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		batch.Num(values[r.IntN(len(values))])
	}
}
