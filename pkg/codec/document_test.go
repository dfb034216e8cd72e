package codec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
)

// What begins like a document is one where lines do not tell its records.
func TestDetectDocuments(t *testing.T) {
	tests := []struct{ sample, format string }{
		{`[{"a":1},{"a":2}]`, "json"},
		{"[\n{\"a\":1}\n]\n", "json"},
		{"\uFEFF[ ]\n", "json"},
		{"[{\"a\":1},\n{\"a\":2}", "json"},
		{"[{\"a\":1}]\n[{\"a\":2}]\n", "plain"},
		{"[1,\n2]", "plain"},
		{"[]\n[]\n", "plain"},
		{"[{\"a\":1}] started\n[{\"a\":2}] ended\n", "plain"},
		{"[{\"a\" 1}] started\nplain\n", "plain"},
		{"[{\"a\" 1},{\"a\":2}]\n", "json"},
		{"[\n{\"a\" 1},\n{\"a\":2}]\n", "json"},
		{"{\n \"a\": 1\n}\n", "json"},
		{"{\"a\":1}\n{\n \"a\": 1\n}\n", "json"},
		{"{\n \"a\": 1,\n", "json"},
		{"{\n \"a\": 1\n}\n{\n \"a\" 1\n}\n", "json"},
		{"{\n \"a\": 1\n}\nstarted\nended\n", "plain"},
		{"[\n{\"a\": 1}\n]\nstarted\nended\n", "plain"},
		{`{"a":1}{"a":2}`, "json"},
		{"{\"a\":1},\n{\"a\":2},\n", "json"},
		{"{\"Events\":[{\"a\":1}]\n}", "json Events"},
		{"{\"a\":1}\n{\"a\":2}\n", "ndjson"},
		{"{\"a\":1}\n\n {\"a\":2}\n", "ndjson"},
		{"{\"a\":1\n{\"a\":2}\n{\"a\":3}\n", "ndjson"},
		{"{\"a\":\"1\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n", "ndjson"},
		{"{\"a\":1}", "ndjson"},
		{`{"Records":[{"a":1},{"a":2}]}`, "json Records"},
		{`{"Records":[]}`, "json Records"},
		{`{"Records":[{"a":1},{"a":`, "json Records"},
		{`{"Records":[{"a":1}]}{"Records":[{"a":2}]}`, "json Records"},
		{`{"Records":[{"a":1}],"other":1}`, "ndjson"},
		{`{"other":1,"Records":[{"a":1}]}`, "ndjson"},
		{`{"Records":[1]}`, "ndjson"},
		{"{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"a\":2}]}\n", "ndjson"},
		{`{"apiVersion":"v1","items":[{"a":1}],"kind":"List"}`, "json items"},
		{"{\n\"kind\":\"List\",\n\"metadata\":{},\n\"items\":[", "json items"},
		{`{"items":[{"a":1}],"kind":"List"}`, "ndjson"},
		{"{\n\"value\":[{\"a\":1}],\"nextLink\":\"x\"}", "json value"},
	}
	for _, tt := range tests {
		var o record.Origin
		decoder(t, codec.Options{}).Begin([]byte(tt.sample), &o)
		if got := strings.TrimSpace(o.Format + " " + o.Header); got != tt.format {
			t.Errorf("%q: got %s, want %s", tt.sample, got, tt.format)
		}
	}
}

// documents reads text as a document in pieces, and says of each record what became of it.
func documents(t *testing.T, text string, step func() int) (got []string) {
	t.Helper()
	const most = 40
	d := decoder(t, codec.Options{Format: "json", MaxRecord: most})
	var o record.Origin
	d.Begin([]byte(text), &o)
	f := d.Framer(&o)
	p := d.NewParser(record.NewPlan())
	base, line := int64(0), int64(1)
	for carry, ended := "", false; !ended; {
		n := min(step(), len(text))
		carry, text = carry+text[:n], text[n:]
		ended = text == ""
		cut := f.Cut([]byte(carry))
		if ended {
			cut = len(carry)
		}
		b := &record.Batch{Data: []byte(carry[:cut]), Base: base, Line: line, Origin: &o}
		p.Parse(b)
		faults := b.Faults
		for i, rec := range b.Recs {
			what := fmt.Sprintf("%d:%d %s", rec.Line, rec.Offset, b.Value(i))
			if rec.Flags&record.Bad != 0 {
				what, faults = what+" BAD: "+faults[0].Reason, faults[1:]
			}
			got = append(got, what)
		}
		base, line = base+int64(cut), line+int64(strings.Count(carry[:cut], "\n"))
		carry = carry[cut:]
	}
	return got
}

func TestDocuments(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"spread over lines", "[\n  {\n \"a\": \"x y\",\t\"b\" : [ 1 ] }\r\n, {}\n]\n", []string{
			`2:4 {"a":"x y","b":[1]}`, `4:36 {}`,
		}},
		{"no space at all", `{"a":1}{"a":"}{"}`, []string{`1:0 {"a":1}`, `1:7 {"a":"}{"}`}},
		{"a list and what is beside it", "{\"kind\":\"List\",\"metadata\":{\"a\":[1]},\n\"items\":[{\"a\":1}\n,{\"kind\":\"x\"}],\"apiVersion\":1}", []string{
			`2:46 {"a":1}`, `3:55 {"kind":"x"}`,
		}},
		{"what should not be beside it", `{"Records":[{"a":1}]}{"Records":[{"a":2}],"n":2}{"Records":[{"a":3}]}`, []string{
			`1:12 {"a":1}`, `1:33 {"a":2}`, `1:42 "n":2} BAD: got "\"" at byte 1, want a JSON object`, `1:60 {"a":3}`,
		}},
		{"a broken one among lines", "[\n {\"a\":1},\n {\"a\":\n  {} x\n },\n {\"a\":3}\n]", []string{
			`2:3 {"a":1}`, "3:13 {\"a\":\n  {} x\n }, BAD: got \"x\" at byte 12, want \",\" or \"}\"", `6:31 {"a":3}`,
		}},
		{"a broken one in a line", `[{"a":1},{"a":x y,"b":{}},{"a":3}]`, []string{
			`1:1 {"a":1}`, `1:9 {"a":x y,"b":{}}, BAD: got "y" at byte 8, want "," or "}"`, `1:26 {"a":3}`,
		}},
		{"a brace is missing", "{\n \"a\":1\n\n{\n \"a\":2\n}\n", []string{
			"1:0 {\n \"a\":1\n\n BAD: got \"{\" at byte 11, want \",\" or \"}\"", `4:10 {"a":2}`,
		}},
		{"a quote is missing", "[{\"a\":\"1},\n{\"a\":\"2\"}]", []string{
			"1:1 {\"a\":\"1},\n BAD: a line ends within a string at byte 10", `2:11 {"a":"2"}`,
		}},
		{"cut off", `[{"a":1},{"a":`, []string{`1:1 {"a":1}`, `1:9 {"a": BAD: the record ends after 5 bytes, want a value`}},
		{"cut off between two", "[{\"a\":1},\n", []string{`1:1 {"a":1}`}},
		{"no objects", "[{\"a\":1}, 5 ,\"x, {y}\",null\n]", []string{
			`1:1 {"a":1}`, `1:10 5  BAD: got "5" at byte 1, want a JSON object`,
			`1:13 "x, {y}" BAD: got "\"" at byte 1, want a JSON object`,
			`1:22 null BAD: got "n" at byte 1, want a JSON object`,
		}},
		{"too long", `[{"a":"` + strings.Repeat("x", 40) + `{"},{"a":2}]`, []string{
			`1:1 {"a":"` + strings.Repeat("x", 34) + " BAD: " + codec.TooLong(40), `1:51 {"a":2}`,
		}},
	}
	for _, tt := range tests {
		got := documents(t, tt.text, func() int { return len(tt.text) })
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
	}
}

// A writer of random documents that encoding/json can read.
type documentWriter struct {
	*rand.Rand
	out bytes.Buffer
}

func (w *documentWriter) space() {
	for w.IntN(3) == 0 {
		w.out.WriteByte(" \t\r\n"[w.IntN(4)])
	}
}

func (w *documentWriter) one(texts ...string) { w.out.WriteString(texts[w.IntN(len(texts))]) }

func (w *documentWriter) value(depth int) {
	switch n := w.IntN(4); {
	case n == 0 && depth > 0:
		w.object(depth - 1)
	case n == 1 && depth > 0:
		w.list("[", "]", func() { w.value(depth - 1) })
	case n == 2:
		w.one(`"x"`, `"a \" {"`, `"],["`, `"\\"`, `"}"`, `"\n"`, `""`)
	default:
		w.one("1", "-2.5e3", "true", "false", "null")
	}
}

func (w *documentWriter) list(from, to string, element func()) {
	w.out.WriteString(from)
	w.space()
	for n := w.IntN(4); n > 0; n-- {
		element()
		w.space()
		if n > 1 {
			w.out.WriteByte(',')
			w.space()
		}
	}
	w.out.WriteString(to)
}

func (w *documentWriter) object(depth int) {
	w.list("{", "}", func() {
		w.one(`"a"`, `"b"`, `"time"`, `"\""`)
		w.space()
		w.out.WriteByte(':')
		w.space()
		w.value(depth)
	})
}

// document writes one and returns what its records are by encoding/json.
func (w *documentWriter) document(t *testing.T) (text string, records []string) {
	w.out.Reset()
	w.space()
	if w.IntN(2) == 0 {
		w.list("[", "]", func() { w.object(2) })
		var all []json.RawMessage
		if err := json.Unmarshal(w.out.Bytes(), &all); err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			records = append(records, compact(t, one))
		}
		return w.out.String(), records
	}
	for range w.IntN(5) {
		w.object(2)
		w.space()
	}
	for dec := json.NewDecoder(bytes.NewReader(w.out.Bytes())); ; {
		var one json.RawMessage
		if err := dec.Decode(&one); err == io.EOF {
			return w.out.String(), records
		} else if err != nil {
			t.Fatal(err)
		}
		records = append(records, compact(t, one))
	}
}

func compact(t *testing.T, value []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The records of a document are those that encoding/json finds, wherever it is cut into
// pieces; and where it is broken, the pieces make no difference either.
func TestDocumentsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	w := &documentWriter{Rand: r}
	for range proof.Some(2000) {
		text, want := w.document(t)
		whole := documents(t, text, func() int { return len(text) })
		for i, got := range whole {
			_, value, _ := strings.Cut(got, " ")
			_, reason, bad := strings.Cut(got, " BAD: ")
			if i >= len(want) || value != want[i] && !(bad && reason == codec.TooLong(40)) {
				t.Fatalf("%q\n got %q\nwant %q", text, whole, want)
			}
		}
		if len(whole) != len(want) {
			t.Fatalf("%q\n got %q\nwant %q", text, whole, want)
		}
		if n := len(text); n > 0 && r.IntN(2) == 0 {
			broken := []byte(text)
			broken[r.IntN(n)] = "{}[],:\"\\ \nx"[r.IntN(11)]
			text = string(broken[:n-r.IntN(3)%n])
			whole = documents(t, text, func() int { return len(text) })
		}
		for _, most := range []int{1, 3, 25} {
			if got := documents(t, text, func() int { return 1 + r.IntN(most) }); !slices.Equal(got, whole) {
				t.Fatalf("%q\nin pieces %q\n    whole %q", text, got, whole)
			}
		}
	}
}

// Whatever a document is, all of its bytes are in a record or part records, no record
// has more than one line, and pieces make no difference.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		`[{"a":1},{"b":[1,{}]}]`, "{\n\"a\":1}\n{\"b\"\n", `{"Records":[{"a":1}],"x":1}`, "[5,\"{\\\"\",{\"a\":tru e},{\"a\":1}]",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		whole := documents(t, text, func() int { return len(text) })
		if got := documents(t, text, func() int { return max(step, 1) }); !slices.Equal(got, whole) {
			t.Fatalf("in pieces %q\n    whole %q", got, whole)
		}
		for _, rec := range whole {
			if !strings.Contains(rec, " BAD: ") && strings.Contains(rec, "\n") {
				t.Fatalf("%q goes over lines", rec)
			}
		}
		checkParts(t, text)
	})
}

// checkParts checks that between records there is nothing but what parts them.
func checkParts(t *testing.T, text string) {
	t.Helper()
	d := decoder(t, codec.Options{Format: "json"})
	var o record.Origin
	d.Begin([]byte(text), &o)
	if o.Header != "" {
		return
	}
	b := &record.Batch{Data: []byte(text)}
	d.Framer(&o).Frame(b)
	from := 0
	for i := range b.Recs {
		v := b.Recs[i].Value
		if rest := strings.Trim(text[from:v.Off], " \t\r\n,[]"); rest != "" && rest != "\uFEFF" {
			t.Fatalf("%q is in no record", rest)
		}
		from = int(v.End())
	}
	if rest := strings.Trim(text[from:], " \t\r\n,[]"); rest != "" && rest != "\uFEFF" {
		t.Fatalf("%q is in no record", rest)
	}
}
