package transform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/transform"
)

// parse returns a batch of lines of a format, with the fields of plan.
func parse(t testing.TB, plan *record.Plan, format string, lines ...string) *record.Batch {
	t.Helper()
	dec, err := codec.New(codec.Options{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "t", Format: format, Modified: record.NoTime}
	b.Data = []byte(strings.Join(lines, "\n") + "\n")
	dec.NewParser(plan).Parse(b)
	return b
}

func values(b *record.Batch) (live []string) {
	for i := range b.Recs {
		if b.Recs[i].Live() {
			live = append(live, string(b.Value(i)))
		}
	}
	return live
}

func set(t testing.TB, src string, plan *record.Plan) *transform.Set {
	t.Helper()
	s, err := transform.NewSet(src, plan)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSet(t *testing.T) {
	for _, c := range []struct{ name, src, format, line, want string }{
		{"adds", `x="y"`, "ndjson", `{"a":1}`, `{"a":1,"x":"y"}`},
		{"to an empty object", `x=1`, "ndjson", ` { } `, `{"x":1}`},
		{"keeps the place", `a=a+1`, "ndjson", `{"z":0,"a":1,"b":2}`, `{"z":0,"a":2,"b":2}`},
		{"escaped key", `a="n"`, "ndjson", `{"\u0061":1,"b\n":2}`, `{"a":"n","b\n":2}`},
		{"duplicate keys: the first counts", `a=a`, "ndjson", `{"a":1,"b":2,"a":3,"b":4}`, `{"a":1,"b":2,"b":4}`},
		{"from the record as it came", `a=b, b=a`, "ndjson", `{"a":1,"b":"x\ty"}`, `{"a":"x\ty","b":1}`},
		{"missing is null", `a=gone`, "ndjson", `{"a":1}`, `{"a":null}`},
		{"nested values stand", `a=o`, "ndjson", `{"o":{"k":[1,{}]},"n":null}`, `{"o":{"k":[1,{}]},"n":null,"a":{"k":[1,{}]}}`},
		{"space before the object", `x=1`, "ndjson", "  {\"a\":1}\t", `{"a":1,"x":1}`},
		{"text", `x=1`, "plain", `say "hi"`, `{"message":"say \"hi\"","x":1}`},
		{"text like an object", `x=1`, "plain", `{"a":1} and more`, `{"message":"{\"a\":1} and more","x":1}`},
		{"half an object", `a=2`, "plain", `{"a":1,"b":[`, `{"message":"{\"a\":1,\"b\":[","a":2}`},
		{"text with a message of its own", `message=upper(message)`, "plain", `hi`, `{"message":"HI"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := record.NewPlan()
			s := set(t, c.src, plan)
			b := parse(t, plan, c.format, c.line)
			s.Prepare(b)
			if got := values(b); len(got) != 1 || got[0] != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestSetIsSeenBehind checks that a filter behind it sees what was set.
func TestSetIsSeenBehind(t *testing.T) {
	plan := record.NewPlan()
	s := set(t, `n=n*2`, plan)
	where, err := transform.NewWhere(`n > 5`, plan)
	if err != nil {
		t.Fatal(err)
	}
	b := parse(t, plan, "ndjson", `{"n":2}`, `{"n":3}`, `{"n":"x"}`)
	s.Prepare(b)
	where.Prepare(b)
	if got := fmt.Sprint(values(b)); got != `[{"n":6}]` {
		t.Errorf("got %s", got)
	}
}

func TestSelect(t *testing.T) {
	plan := record.NewPlan()
	s, err := transform.NewSelect(`b, n=a+1, t="q\"q", gone`, plan)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Names()); got != "[b n t gone]" {
		t.Errorf("names %s", got)
	}
	b := parse(t, plan, "ndjson", `{"a":1,"b":"x\u0041"}`, `{"a":`, `{"b":{"c":1}}`)
	b.AddSpan(record.Span{}).Flags = record.Tombstone
	s.Prepare(b)
	want := []string{`{"b":"x\u0041","n":2,"t":"q\"q","gone":null}`, `{"b":{"c":1},"n":null,"t":"q\"q","gone":null}`, ""}
	if got := values(b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKey(t *testing.T) {
	plan := record.NewPlan()
	k, err := transform.NewKey(`user`, plan)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{`{"user":"ann"}`, `{"user":"b\u0041"}`, `{"user":7}`, `{"user":true}`, `{"user":""}`, `{}`}
	b := parse(t, plan, "ndjson", lines...)
	b.Recs[5].Flags |= record.HasKey // as it came: it has no user, and so none
	k.Prepare(b)
	for i, want := range []string{"ann", "bA", "7", "true", "", "none"} {
		got := "none"
		if rec := &b.Recs[i]; rec.Flags&record.HasKey != 0 {
			got = string(b.Bytes(rec.Key))
		}
		if got != want {
			t.Errorf("record %d: key %q, want %q", i, got, want)
		}
		if string(b.Value(i)) != lines[i] {
			t.Errorf("record %d has become %s", i, b.Value(i))
		}
	}
}

func TestWrongLists(t *testing.T) {
	for _, src := range []string{`a=1, a=2`, `a=`, `nofunction(a)`} {
		if _, err := transform.NewSet(src, record.NewPlan()); err == nil {
			t.Errorf("%q is taken", src)
		}
	}
}

// TestTogether has batches prepared side by side by the same parts.
func TestTogether(t *testing.T) {
	plan := record.NewPlan()
	where, err := transform.NewWhere(`msg =~ "^h" and lower(msg) != "x"`, plan)
	if err != nil {
		t.Fatal(err)
	}
	all := []stream.Preparer{where, set(t, `n=len(msg), msg=upper(msg)`, plan)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				b := parse(t, plan, "ndjson", `{"msg":"hi\tyou"}`, `{"msg":"no"}`)
				for _, p := range all {
					p.Prepare(b)
				}
				if got := fmt.Sprint(values(b)); got != `[{"msg":"HI\tYOU","n":6}]` {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	wg.Wait()
}

// A member is one of an object, as encoding/json reads it.
type member struct {
	key   string
	value any
}

// members reads an object with its members in order, those of one key too.
func members(text []byte) (all []member) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	_, _ = dec.Token()
	for dec.More() {
		key, _ := dec.Token()
		var v any
		if dec.Decode(&v) != nil {
			return nil
		}
		all = append(all, member{key.(string), v})
	}
	return all
}

func first(all []member, key string) any {
	for _, m := range all {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// naiveSet does what `a=b, b="q\"", c=a` asks for.
func naiveSet(came []member) (want []member) {
	done := map[string]bool{}
	to := map[string]any{"a": first(came, "b"), "b": `q"`, "c": first(came, "a")}
	for _, m := range came {
		v, isSet := to[m.key]
		switch {
		case !isSet:
			want = append(want, m)
		case !done[m.key]:
			done[m.key] = true
			want = append(want, member{m.key, v})
		}
	}
	for _, key := range []string{"a", "b", "c"} {
		if !done[key] {
			want = append(want, member{key, to[key]})
		}
	}
	return want
}

// FuzzFields compares set and select with what encoding/json makes of it.
func FuzzFields(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1,"b":2}`, ` {"b" : "x\u00e9\n" , "z":[1, {"a":2}]}`, `{"a":null,"a":1,"b":{"b":1}}`,
		`{"\u0061":true,"c":"\ud83d\ude00","d":1e400}`, "{\"a\":\"\xff\",\"\xfe\":-0.5}", `{"":"","a.b":1}`,
	} {
		f.Add(s)
	}
	plan := record.NewPlan()
	s := set(f, `a=b, b="q\"", c=a`, plan)
	sel, err := transform.NewSelect(`b, n=a`, plan)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if !json.Valid([]byte(line)) || strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(strings.TrimLeft(line, " \t"), "{") {
			t.Skip()
		}
		came := members([]byte(line))
		b := parse(t, plan, "ndjson", line)
		if len(b.Faults) > 0 {
			t.Fatalf("%s: %v", line, b.Faults)
		}
		s.Prepare(b)
		compare(t, line, b.Value(0), naiveSet(came))

		b = parse(t, plan, "ndjson", line)
		sel.Prepare(b)
		compare(t, line, b.Value(0), []member{{"b", first(came, "b")}, {"n", first(came, "a")}})
	})
}

func compare(t *testing.T, line string, got []byte, want []member) {
	t.Helper()
	if !json.Valid(got) {
		t.Fatalf("%s becomes %s, which is no JSON", line, got)
	}
	if g := members(got); !reflect.DeepEqual(g, want) {
		t.Fatalf("%s becomes %s: %v, want %v", line, got, g, want)
	}
}
