package codec

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/record"
)

// nasty are records that parsers have got wrong.
func nasty() []string {
	return []string{
		`{"timestamp":"2026-04-18T04:00:00Z","service":"a","latency_ms":8.91,"a":{"b":[1,2]}}`,
		`{"a":1,"a":2,"service":null,"service":"x","app":"y"}`,
		`{"\u0061":1,"a":2,"s\u0065rvice":"x"}`,
		`{"a":{"b.c":1,"b":{"c":2}},"a.b":{"c":3},"a.b.c":null}`,
		`{"a":[[],[1,{"b":"]}"}],-1,"\\"]}`,
		`{"a":"\\\"\\","b":"\\\\"}`,
		`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
		`{"a":` + strings.Repeat(`{"a":`, 200) + `1` + strings.Repeat("}", 201),
		`{"a":1e400,"b":-0,"c":123456789012345678901234567890,"d":0.1E-7}`,
		`{"a":01,"b":1.,"c":.5,"d":+1,"e":NaN,"f":tru}`,
		"{\"a\":\"\x00\",\"b\":\"\xff\xc0\x80\",\"\xff\":1}",
		"{\"a\":\"tab\there\"}\r",
		`{"a":"\ud800","b":"\ud83d\ude00","c":"\q","d":"\u12"}`,
		` { "a" : 1 , "b" : [ 1 , 2 ] } `,
		`{"a":1}{"a":2}`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `{"a":[1}`, `{"a":"x`, `{"a":1`, `{"a"`, `{`, `{}`, ``, `[]`, `null`,
		`{"":1,"a":{"":2}}`,
		`{"a":"xxxxxxx\","b":"yyyyyyyy"}`,
	}
}

// FuzzNDJSON compares with encoding/json: what it takes is not bad, strict or
// not, and holds the same values; what strict takes, it takes.
func FuzzNDJSON(f *testing.F) {
	for _, line := range nasty() {
		for _, path := range []string{"a", "a.b.c", "a[-1]", "service"} {
			f.Add([]byte(line), path)
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, path string) {
		plan := planOf(path, "service")
		b := &record.Batch{}
		b.Add(line)
		s := b.Recs[0].Value
		reason := newNDJSON(plan, false).parse(b, 0, s)
		strictly := newNDJSON(plan, true).parse(b, 0, s)
		valid := json.Valid(line) && line[space(line, 0)] == '{'
		switch {
		case valid && reason != "":
			t.Fatalf("%q is valid, got %s", line, reason)
		case valid && utf8.Valid(line) && strictly != "":
			t.Fatalf("%q is valid, got %s with strict", line, strictly)
		case strictly == "" && (!valid || !utf8.Valid(line)):
			t.Fatalf("%q is not valid, strict takes it", line)
		case reason != "" && strictly == "":
			t.Fatalf("%q: got %s, strict takes it", line, reason)
		}
		if !valid || !utf8.Valid(line) {
			return
		}
		want := decodeTree(t, line)
		for k, field := range plan.Fields {
			if v := b.Col(k)[0]; !want.field(field.Names).same(t, b, v) {
				t.Fatalf("%q: %q is %s", line, field.Path, show(b, v))
			}
		}
		if v := Lookup(b, s, path); !want.descend(path).same(t, b, v) {
			t.Fatalf("%q: Lookup of %q is %s", line, path, show(b, v))
		}
		var m Members
		m.Reset(b, s)
		for i, key := range want.keys {
			expecting := m
			k, v, ok := m.Next()
			start := string(record.AppendQuoted(nil, k)) + ":"
			if as, ok := expecting.NextAs(start); ok && (as != v || expecting.rest.i != m.rest.i) {
				t.Fatalf("%q: member %d is %s when %q is expected", line, i, show(b, as), start)
			}
			null := want.members[i] == nil && v.Kind() == record.Missing
			if !ok || string(k) != key || !null && !want.members[i].same(t, b, v) {
				t.Fatalf("%q: member %d is %q: %s, want %q", line, i, k, show(b, v), key)
			}
		}
		if k, _, ok := m.Next(); ok {
			t.Fatalf("%q: one member too many: %q", line, k)
		}
	})
}

// FuzzNDJSONLearned compares a parser that learns with one that does not, over
// batches of lines.
func FuzzNDJSONLearned(f *testing.F) {
	f.Add(strings.Join(nasty(), "\n"), "a.b.c")
	f.Add(strings.Join(appLines(3), "\n")+"\n"+appLines(1)[0][:200], "service")
	for _, line := range nasty() {
		f.Add(line+"\n"+line+"\n"+strings.Replace(line, `1`, `{"b":[]}`, 1)+"\n"+line[:len(line)/2], "a[-1]")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		lines := strings.Split(text, "\n")
		agree(t, lines, false, path, "service")
		agree(t, lines, true, path, "service")
	})
}
