package codec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
)

func parseOne(line string, strict bool, paths ...string) (b *record.Batch, reason string) {
	b = batchOf([]string{line})
	p := newNDJSON(planOf(paths...), strict)
	return b, p.parse(b, 0, b.Recs[0].Value)
}

func TestNDJSONFields(t *testing.T) {
	tests := []struct{ line, path, want string }{
		{`{"service":"a"}`, "service", `"a"`},
		{`{"app":"b"}`, "service", `"b"`},
		{`{}`, "service", `(missing)`},
		{` { } `, "service", `(missing)`},

		// The exact name wins wherever it stands, then the order of the set.
		{`{"app":"b","service":"a"}`, "service", `"a"`},
		{`{"app":"b","service_name":"c"}`, "service", `"c"`},
		{`{"service":"a","app":"b"}`, "app", `"b"`},

		// Null and absent are one; so are null and a null behind it.
		{`{"service":null,"app":"b"}`, "service", `"b"`},
		{`{"service":null,"service":"a"}`, "service", `(missing)`},
		{`{"service":null,"service":"a","app":"b"}`, "service", `"b"`},

		// Paths; TestLookup has more.
		{`{"id.orig_h":1,"id":{"orig_h":2}}`, "id.orig_h", `1`},
		{`{"id":{"orig_h":2}}`, "id.orig_h", `2`},
		{`{"tags":["x","y"]}`, "tags[-1]", `"y"`},

		// Keys are compared as the text that they stand for.
		{`{"\u0073ervice":"a"}`, "service", `"a"`},
		{`{"\u0073ervice":"a","service":"b"}`, "service", `"a"`},

		// Bytes pass as they are.
		{"{\"m\":\"\xff\x00\t\"}", "m", "\"\uFFFD\\u0000\\t\""},
		{`{"m":"\q\ud800"}`, "m", `"\q\ud800"`},

		// What is no number in JSON is text, so that nothing invalid is written.
		{`{"n":1e400}`, "n", `1e400`},
		{`{"n":-0.10E+5}`, "n", `-0.10E+5`},
		{`{"n":007}`, "n", `"007"`},
		{`{"n":1.}`, "n", `"1."`},
		{`{"n":-}`, "n", `"-"`},
		{`{"n":1e}`, "n", `"1e"`},
		{`{"n":+1}`, "n", `"+1"`},
		{`{"n":Infinity}`, "n", `"Infinity"`},
		{`{"n":nul}`, "n", `"nul"`},
		{"{\"n\":1}\r", "n", `1`},
	}
	for _, tt := range tests {
		b, reason := parseOne(tt.line, false, tt.path)
		if got := show(b, b.Col(0)[0]); got != tt.want || reason != "" {
			t.Errorf("%s: %s is %s (%s), want %s", tt.line, tt.path, got, reason, tt.want)
		}
	}
}

// Bad is bad whichever fields are read; with strict, values count too.
func TestNDJSONReasons(t *testing.T) {
	const fine = ""
	tests := []struct{ line, reason, strict string }{
		{`{}`, fine, fine},
		{`{"a":[{},[],"",0,{"b":null}]}`, fine, fine},
		{"\t{ \"a\" : [ 1 , { \"b\" : 2 } ] } \r\n", fine, fine},

		{``, `the record ends after 0 bytes, want a JSON object`, ``},
		{`  `, `the record ends after 2 bytes, want a JSON object`, ``},
		{`[1]`, `got "[" at byte 1, want a JSON object`, ``},
		{`hello`, `got "h" at byte 1, want a JSON object`, ``},
		{"\xef\xbb\xbf{}", `got "\xef" at byte 1, want a JSON object`, ``},
		{"\x00{}", `got "\x00" at byte 1, want a JSON object`, ``},

		{`{`, `the record ends after 1 bytes, want a key in quotes`, ``},
		{`{"a`, `unterminated string at byte 2`, ``},
		{`{"a"`, `the record ends after 4 bytes, want ":"`, ``},
		{`{"a":`, `the record ends after 5 bytes, want a value`, ``},
		{`{"a":1`, `the record ends after 6 bytes, want "," or "}"`, ``},
		{`{"a":1,`, `the record ends after 7 bytes, want a key in quotes`, ``},
		{`{"a":"x`, `unterminated string at byte 6`, ``},
		{`{"a":"x\"}`, `unterminated string at byte 6`, ``},
		{`{"a":"x\`, `unterminated string at byte 6`, ``},
		{`{"a":[1,`, `the record ends after 8 bytes, want a value`, ``},
		{`{"a":[1`, `the record ends after 7 bytes, want "," or "]"`, ``},
		{`{"a":{"b":1`, `the record ends after 11 bytes, want "," or "}"`, ``},

		{`{a:1}`, `got "a" at byte 2, want a key in quotes`, ``},
		{`{"a":1,}`, `got "}" at byte 8, want a key in quotes`, ``},
		{`{,"a":1}`, `got "," at byte 2, want a key in quotes`, ``},
		{`{"a" 1}`, `got "1" at byte 6, want ":"`, ``},
		{`{"a":}`, `got "}" at byte 6, want a value`, ``},
		{`{"a":,"b":1}`, `got "," at byte 6, want a value`, ``},
		{`{"a"::1}`, `got ":" at byte 6, want a value`, ``},
		{`{"a":1 "b":2}`, `got "\"" at byte 8, want "," or "}"`, ``},
		{`{"a":"x""b":2}`, `got "\"" at byte 9, want "," or "}"`, ``},
		{`{"a":1"b":2}`, `got "\"" at byte 7, want "," or "}"`, ``},
		{`{"a":1]`, `got "]" at byte 7, want "," or "}"`, ``},
		{`{"a":[1}`, `got "}" at byte 8, want "," or "]"`, ``},
		{`{"a":[1,]}`, `got "]" at byte 9, want a value`, ``},
		{`{"a":{"b":1]}`, `got "]" at byte 12, want "," or "}"`, ``},
		{`{"a":{"b"}}`, `got "}" at byte 10, want ":"`, ``},
		{`{"a":{1:2}}`, `got "1" at byte 7, want a key in quotes`, ``},
		{`{"a":1}}`, `got "}" at byte 8, want nothing after the object`, ``},
		{`{"a":1} {"b":2}`, `got "{" at byte 9, want nothing after the object`, ``},
		{"{\"a\":1}\x00", `got "\x00" at byte 8, want nothing after the object`, ``},

		{`{"a":tru}`, fine, `got "tru" at byte 6, want a JSON value`},
		{`{"a":[01]}`, fine, `got "01" at byte 7, want a JSON value`},
		{`{"a":'x'}`, fine, `got "'x'" at byte 6, want a JSON value`},
		{`{"a":1e400}`, fine, fine},
		{"{\"a\":\"x\ty\"}", fine, `control character "\t" in a string at byte 8`},
		{"{\"a\":\"x\x00y\"}", fine, `control character "\x00" in a string at byte 8`},
		{"{\"a\":\"0123456789\xff\"}", fine, `bytes that are not UTF-8 at byte 17`},
		{"{\"\xff\":1}", fine, `bytes that are not UTF-8 at byte 3`},
		{`{"a":"\q"}`, fine, `unknown escape "\\q" at byte 7`},
		{`{"a":"\u12x4"}`, fine, `unknown escape "\\u" at byte 7`},
		{`{"a":"\ud800 \u00e9 é"}`, fine, fine},
	}
	for _, tt := range tests {
		for _, fields := range [][]string{nil, {"a"}, {"b", "a.b"}} {
			if _, got := parseOne(tt.line, false, fields...); got != tt.reason {
				t.Errorf("%s: got %s, want %s", tt.line, got, tt.reason)
			}
			want := tt.strict
			if tt.reason != fine {
				want = tt.reason
			}
			if _, got := parseOne(tt.line, true, fields...); got != want {
				t.Errorf("strict: %s: got %s, want %s", tt.line, got, want)
			}
		}
	}
}

func TestNDJSONDepth(t *testing.T) {
	nest := func(n int, open, inner, close string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(close, n)
	}
	tests := []struct{ name, line, reason string }{
		{"arrays", `{"a":` + nest(9_999, "[", "", "]") + `}`, ""},
		{"objects", nest(10_000, `{"a":`, "1", "}"), ""},
		{"mixed", `{"a":` + nest(4_999, `[{"b":`, "1", "}]") + `}`, ""},
		{
			"too many arrays", `{"a":` + nest(10_000, "[", "", "]") + `}`,
			"nested deeper than 10000 levels at byte 10005",
		},
		{"too many objects", nest(10_001, `{"a":`, "1", "}"), "nested deeper than 10000 levels at byte 50001"},
		{"never closed", `{"a":` + strings.Repeat("[", 900_000), "nested deeper than 10000 levels at byte 10005"},
		{"wrong bracket", `{"a":` + nest(99, "[", "}", "]") + `}`, `got "}" at byte 105, want a value`},
	}
	for _, tt := range tests {
		if _, got := parseOne(tt.line, false, "a[0][0]"); got != tt.reason {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.reason)
		}
	}
}

// A parser that has learned gives what one that has not would give, for
// records that are nearly those that it knows.
func TestNDJSONLearnedAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	lines := appLines(50)
	for _, l := range lines[:20] {
		lines = append(lines, strings.Replace(l, `"host":`, `"a":{"b":["x",{"c":null}]},"service":null,"host":`, 1),
			strings.ReplaceAll(l, `,"`, `, "`), strings.Replace(l, `"level"`, `"app"`, 1))
	}
	known := len(lines)
	const bytes = "{}[]\",:\\ \r\x00\xffe0-.tn"
	rounds := proof.Some(20_000)
	for range rounds {
		l := []byte(lines[r.IntN(known)])
		at := r.IntN(len(l))
		switch r.IntN(4) {
		case 0:
			l = l[:at]
		case 1:
			l = append(l[:at:at], l[at+1:]...)
		case 2:
			l[at] = bytes[r.IntN(len(bytes))]
		default:
			l = append(l[:at:at], append([]byte{bytes[r.IntN(len(bytes))]}, l[at:]...)...)
		}
		lines = append(lines, string(l))
	}
	for _, strict := range []bool{false, true} {
		bad := agree(t, lines, strict, "timestamp", "service", "latency_ms", "a.b[1].c", "a.b[0]", "user_id")
		if bad < rounds/20 || bad > rounds-rounds/20 {
			t.Errorf("%d records are bad: the mutations do not test both ways", bad)
		}
	}
}

// agree parses lines with a parser that learns and, each with a fresh one,
// without, and returns how many are bad.
func agree(tb testing.TB, lines []string, strict bool, fields ...string) (bad int) {
	plan := planOf(fields...)
	warm, cold, bare := newNDJSON(plan, strict), newNDJSON(plan, strict), newNDJSON(planOf(), strict)
	b, want := batchOf(lines), batchOf(lines)
	for range 2 {
		b.Faults = b.Faults[:0]
		for row := range b.Recs {
			b.Recs[row].Flags = 0
		}
		warm.parseBatch(b)
	}
	reasons := map[int]string{}
	for _, f := range b.Faults {
		reasons[f.Row] = f.Reason
	}
	for row := range lines {
		cold.shapes.forget()
		reason := cold.parse(want, row, want.Recs[row].Value)
		bare.shapes.forget()
		if other := bare.parse(want, row, want.Recs[row].Value); other != reason {
			tb.Fatalf("%q: %q reading %q, %q reading nothing", lines[row], reason, fields, other)
		}
		if reasons[row] != reason {
			tb.Fatalf("%q: learned %q, want %q", lines[row], reasons[row], reason)
		}
		if reason != "" {
			bad++
		}
		for k := range fields {
			if got, want := b.Col(k)[row], want.Col(k)[row]; got != want {
				tb.Fatalf("%q: %s is %s, want %s", lines[row], fields[k], show(b, got), show(b, want))
			}
		}
	}
	return bad
}

// The fast path is taken: without this, agreement would prove nothing.
func TestNDJSONLearns(t *testing.T) {
	tests := []struct {
		name, first, then string
		want              bool
	}{
		{"values of other kinds", `{"a":1,"b":"x"}`, `{"a":null,"b":[{"c":"}"}]}`, true},
		{"white space, the same", `{"a": 1, "b": 2} `, "{\"a\": \"\", \"b\": -1.5e3}\r", true},
		{"escapes", `{"a":"x","b":2}`, `{"a":"\"","b":2}`, true},
		{"the empty object", `{}`, `{}`, true},
		{"keys in another order", `{"a":1,"b":2}`, `{"b":1,"a":2}`, false},
		{"cut short", `{"a":1,"b":2}`, `{"a":1,"b":2`, false},
		{"more behind it", `{"a":1,"b":2}`, `{"a":1,"b":2}}`, false},
	}
	for _, tt := range tests {
		for _, strict := range []bool{false, true} {
			b := batchOf([]string{tt.first, tt.then})
			p := newNDJSON(planOf("b"), strict)
			p.parse(b, 0, b.Recs[0].Value)
			s := b.Recs[1].Value
			if got := p.match(b.Data, int(s.Off), int(s.End())) >= 0; got != tt.want {
				t.Errorf("%s: matched is %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

// Tracks are laid down and taken, for what they can hold.
func TestNDJSONTracks(t *testing.T) {
	if !canIndex {
		t.Skip("there are none on this processor")
	}
	tests := []struct {
		name, first, then string
		want              bool
	}{
		{"other values", `{"a":1,"b":"x"}`, `{"a":-2.5e3,"b":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}`, true},
		{"nothing", `{}`, `{}`, true},
		{"white space, the same", `{"a": 1, "b": 2} `, "{\"a\": 23, \"b\": null}\r", true},
		{"objects", `{"a":{"c":1,"d":{}},"b":2}`, `{"a":{"c":7777,"d":{}},"b":2}`, true},
		{"arrays", `{"a":["x",1,[]],"b":2}`, `{"a":["",[77]],"b":2}`, true},
		{"an object that is read", `{"b":{"c":1,"d":2},"a":2}`, `{"b":{"c":111,"d":0},"a":4}`, true},
		{"a long key", `{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":1}`, `{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":23}`, true},
		{"a key with escapes", `{"a\n\":":1}`, `{"a\n\":":2}`, true},
		{"an escape", `{"a":"x","b":2}`, `{"a":"\n","b":2}`, false},
		{"an escape in the first", `{"a":"\n","b":2}`, `{"a":"\n","b":2}`, false},
		{"a mark in a scalar", `{"a":\,"b":""}`, `{"a":1,"b":"\"}`, false},
		{"other kinds", `{"a":1,"b":"x"}`, `{"a":"1","b":"x"}`, false},
		{"a long scalar", `{"a":1,"b":2}`, `{"a":12345678901234567,"b":2}`, false},
		{"a comma for a value", `{"a":1,"b":2}`, `{"a":,,"b":2}`, false},
		{"no value", `{"a":1,"b":2}`, `{"a":,"b":2}`, false},
		{"marks in the wrong array", `{"a":["x"],"b":"y"}`, `{"a":[],"b":"y\"\""}`, false},
		{"a space before the colon", `{"a" :1,"b":2}`, `{"a" :1,"b":2}`, false},
		{"more behind it", `{"a":1}`, `{"a":1}}`, false},
		{"something before it", `{"a":1}`, ` {"a":1}`, false},
	}
	for _, tt := range tests {
		p := newNDJSON(planOf("b", "a"), false)
		p.parseBatch(batchOf([]string{tt.first, tt.first}))
		b := batchOf([]string{tt.then})
		b.Data = slices.Grow(b.Data, maxStep)
		p.begin(b)
		p.index.begin(0, indexAhead)
		if got := p.follow(b.Data, 0, 0, len(tt.then)); got != tt.want {
			t.Errorf("%s: on a track is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Framing by the index is framing, and what is parsed then is the same.
func TestIndexFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pieces := append(appLines(5), "", "\r", `{"a":1}`, `{"a":"\n"}`, `{"a":`, strings.Repeat("x", 1200), `{"a":"`+strings.Repeat("y", 900)+`"}`)
	p := newNDJSON(planOf("a", "service"), false)
	for range 500 {
		var text []byte
		for range r.IntN(40) {
			text = append(append(text, pieces[r.IntN(len(pieces))]...), '\n')
		}
		text = text[:len(text)-min(len(text), r.IntN(2))]
		want := &record.Batch{Data: text, Base: 7, Line: 3}
		lineFramer{1000}.Frame(want)
		got := &record.Batch{Data: text, Base: 7, Line: 3}
		indexFramer{lineFramer{1000}, p}.Frame(got)
		if !slices.Equal(got.Recs, want.Recs) || !slices.Equal(got.Faults, want.Faults) {
			t.Fatalf("%q: framed as %v, want %v", text, got.Recs, want.Recs)
		}
		p.parseBatch(got)
		newNDJSON(planOf("a", "service"), false).parseBatch(want)
		if !slices.Equal(got.Faults, want.Faults) || !slices.Equal(got.Col(0), want.Col(0)) || !slices.Equal(got.Col(1), want.Col(1)) {
			t.Fatalf("%q: parsed otherwise", text)
		}
	}
}

// A batch may end anywhere in a record, also when what the parser has learned, and
// the memory that it uses again, are of longer ones.
func TestNDJSONCutOff(t *testing.T) {
	p := newNDJSON(planOf("service", "message"), false)
	text := []byte(strings.Join(appLines(300), "\n"))
	longer := batchOf(append(appLines(300), strings.Repeat(`"`, 5000)))
	for n := len(text); n > len(text)-proof.Some(1000); n-- {
		longer.Faults = longer.Faults[:0]
		p.parseBatch(longer)
		got, want := &record.Batch{Data: text[:n:n]}, &record.Batch{Data: text[:n:n]}
		indexFramer{lineFramer{1000}, p}.Frame(got)
		p.parseBatch(got)
		lineFramer{1000}.Frame(want)
		newNDJSON(planOf("service", "message"), false).parseBatch(want)
		if !slices.Equal(got.Faults, want.Faults) || !slices.Equal(got.Col(0), want.Col(0)) || !slices.Equal(got.Col(1), want.Col(1)) {
			t.Fatalf("the first %d bytes are parsed otherwise", n)
		}
	}
}

// Records whose keys never repeat fill the tree once, and are then let be.
func TestNDJSONLearningIsBounded(t *testing.T) {
	p := newNDJSON(planOf("a"), false)
	b := &record.Batch{}
	for i := range 100_000 {
		fmt.Fprintf(&stringWriter{b}, `{"k%d":1,"a":%d}`, i, i)
	}
	p.parseBatch(b)
	if n := len(p.shapes.nodes); n > maxShapeNodes {
		t.Errorf("%d nodes, want at most %d", n, maxShapeNodes)
	}
	if p.shapes.patience < 32*firstPatience {
		t.Errorf("patience %d after 100,000 misses: it learns too often", p.shapes.patience)
	}
	for row, v := range b.Col(0) {
		if n, _ := b.Num(v); n != float64(row) {
			t.Fatalf("row %d: got %v", row, n)
		}
	}
	for range maxPatience {
		p.shapes.miss()
	}
	b = batchOf([]string{`{"new":1}`, `{"new":1}`})
	p.shapes.forget()
	p.parseBatch(b)
	if p.match(b.Data, 0, 9) < 0 {
		t.Error("a parser that forgot does not learn again")
	}
}

type stringWriter struct{ b *record.Batch }

func (w *stringWriter) Write(s []byte) (int, error) { w.b.Add(s); return len(s), nil }

func TestNDJSONDoesNotAllocate(t *testing.T) {
	lines := appLines(200)
	for i, l := range lines[:100] {
		lines = append(lines, strings.ReplaceAll(l, `":`, fmt.Sprintf(`%d":`, i)), // keys of its own
			strings.Replace(l, `"service":`, `"attributes":{"a\n":[1,2,{"region":"x"}]},"\u0073ervice":`, 1))
	}
	b := batchOf(lines)
	p := newNDJSON(planOf("timestamp", "service", "latency_ms", "attributes.region"), false)
	for range 20 {
		p.parseBatch(b)
	}
	if n := testing.AllocsPerRun(50, func() { p.parseBatch(b) }); n != 0 {
		t.Errorf("%v allocations for %d records, want 0", n, len(lines))
	}
}

// A batch is parsed as its records are one by one; those marked before are let be.
func TestNDJSONBatch(t *testing.T) {
	b := batchOf([]string{`{"a":1}`, `{"a":`, `{"a":2}`, `x`})
	b.SetBad(2, "too long")
	var p batchParser = newNDJSON(planOf("a"), false)
	p.parseBatch(b)
	var got []string
	for row, v := range b.Col(0) {
		got = append(got, fmt.Sprint(show(b, v), " ", b.Recs[row].Live()))
	}
	if s, want := strings.Join(got, " "), "1 true (missing) false (missing) false (missing) false"; s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}
