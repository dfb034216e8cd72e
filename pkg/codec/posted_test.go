package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/codec"
)

func TestPosted(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1}`:                              `{"a":1}:0`,
		" {\"a\":\n {\"b\":\r\n[1,\t2]} }\n":   "{\"a\":  {\"b\":  [1,\t2]} }:0",
		"{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}":    `{"a":1}:0 {"b":2}:0 {"c":3}:0`,
		`{"a":1}{}`:                            `{"a":1}:0 {}:0 empty`,
		`[{"a":1}, {"b":2} ]`:                  `{"a":1}:0 {"b":2}:0`,
		`[]`:                                   ``,
		"\uFEFF[{ }]":                          `{ }:0 empty`,
		`{"id":"x","ts":1,"service":null}`:     `{"id":"x","ts":1,"service":null}:3=x`,
		`{"eventId":7,"id":"y","app":""}`:      `{"eventId":7,"id":"y","app":""}:5=7`,
		`{"\u0069d":"x","a":{"time":1}}`:       `{"\u0069d":"x","a":{"time":1}}:1=x`,
		`{"id":null,"event_id":"z","id":"no"}`: `{"id":null,"event_id":"z","id":"no"}:1=z`,
	} {
		text := []byte(body)
		objects, err := codec.NewPosted("id", "timestamp", "service").Split(text, nil)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		var got []string
		for _, o := range objects {
			line := string(text[o.Off:o.End()]) + ":" + string('0'+rune(o.Has))
			if o.First != 0 {
				line += "=" + string(text[o.First.Off():o.First.Off()+o.First.Len()])
			}
			if o.Empty {
				line += " empty"
			}
			got = append(got, line)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", body, s, want)
		}
	}
}

// TestPostedSaysWhere: what is wrong with a body is said with its line and byte.
func TestPostedSaysWhere(t *testing.T) {
	for body, want := range map[string]codec.PostedError{
		"":                             {1, 1, "the record ends after 0 bytes, want a JSON object"},
		"hello":                        {1, 1, `got "h" at byte 1, want a JSON object`},
		`{"a":1`:                       {1, 7, `the record ends after 6 bytes, want "," or "}"`},
		"{\"a\":1}\n{\"b\":}\n{}":      {2, 6, `got "}" at byte 6, want a value`},
		`{"a":01}`:                     {1, 6, `got "01" at byte 6, want a JSON value`},
		"{\"a\":\"\xff\"}":             {1, 7, "bytes that are not UTF-8 at byte 7"},
		"{\"a\":1}\n{\"b\":\n \n":      {2, 6, "the record ends after 5 bytes, want a value"},
		`[{"a":1},]`:                   {1, 10, `got "]" at byte 10, want a JSON object`},
		`[{"a":1}`:                     {1, 9, `the record ends after 8 bytes, want "," or "]"`},
		"[{\"a\":1},\n {\"b\":1}] 7":   {2, 11, `got "7" at byte 11, want nothing after the array`},
		`[1]`:                          {1, 2, `got "1" at byte 2, want a JSON object`},
		`{"a":1},{"b":2}`:              {1, 8, `got "," at byte 8, want a JSON object`},
		"{\"a\":1}\n\n{\"b\" 2}":       {3, 6, `got "2" at byte 6, want ":"`},
		"[" + `{"a":"b` + "\n" + `"}]`: {1, 9, `control character "\n" in a string at byte 9`},
	} {
		_, err := codec.NewPosted("id").Split([]byte(body), nil)
		got, ok := errors.AsType[*codec.PostedError](err)
		if !ok || *got != want {
			t.Errorf("%q: got %+v, want %+v", body, got, want)
		}
	}
}

// FuzzPosted compares with encoding/json: what is taken, and what the objects are.
func FuzzPosted(f *testing.F) {
	for _, body := range []string{
		`{"a":1}`, "{\"a\":[1,{}]}\n{\"b\":\"\\u00e9\"}", `[{"id":null},{"ts":-1.5e3}]`, `[]`, ``, `[{"a":1},]`, `{"a":1} x`, `[{}]]`,
	} {
		f.Add([]byte(body))
	}
	p := codec.NewPosted("id", "timestamp")
	f.Fuzz(func(t *testing.T, body []byte) {
		want, valid := oracleObjects(bytes.TrimPrefix(body, []byte("\uFEFF")))
		got, err := p.Split(body, nil)
		if (err == nil) != valid {
			t.Fatalf("taken %v (%v), encoding/json says %v", err == nil, err, valid)
		}
		if err != nil {
			e, _ := errors.AsType[*codec.PostedError](err)
			if lines := bytes.Count(body, []byte("\n")) + 1; e.Line < 1 || e.Line > lines || e.Byte < 1 || e.Byte > len(body)+1 {
				t.Fatalf("line %d, byte %d of %d lines and %d bytes", e.Line, e.Byte, lines, len(body))
			}
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%d objects, want %d", len(got), len(want))
		}
		for i, o := range got {
			object := body[o.Off:o.End()]
			if bytes.ContainsAny(object, "\r\n") {
				t.Fatalf("object %d is no line: %q", i, object)
			}
			var a, b bytes.Buffer
			if json.Compact(&a, object) != nil || json.Compact(&b, want[i]) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Fatalf("object %d is %s, want %s", i, object, want[i])
			}
			if o.Empty != (b.String() == "{}") {
				t.Fatalf("object %d, %s: empty %v", i, object, o.Empty)
			}
			if id := hasField(b.Bytes(), "id", "eventId", "event_id", "messageId"); id != (o.Has&1 != 0) {
				t.Fatalf("object %d, %s: has an id %v, want %v", i, object, o.Has&1 != 0, id)
			}
		}
	})
}

// oracleObjects returns the objects of a body as encoding/json reads them.
func oracleObjects(body []byte) (objects []json.RawMessage, valid bool) {
	if !utf8.Valid(body) {
		return nil, false
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		if json.Unmarshal(body, &objects) != nil {
			return nil, false
		}
	} else {
		d := json.NewDecoder(bytes.NewReader(body))
		for {
			var o json.RawMessage
			err := d.Decode(&o)
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, false
			}
			objects = append(objects, o)
		}
		if len(objects) == 0 {
			return nil, false
		}
	}
	for _, o := range objects {
		if o[0] != '{' {
			return nil, false
		}
	}
	return objects, true
}

// hasField reports whether an object has a member of one of the names that is
// not null.
func hasField(object []byte, names ...string) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token()
	for d.More() {
		key, _ := d.Token()
		var v json.RawMessage
		_ = d.Decode(&v)
		for _, n := range names {
			if key == n && string(v) != "null" {
				return true
			}
		}
	}
	return false
}
