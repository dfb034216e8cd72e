package codec

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func show(b *record.Batch, v record.Value) string {
	if v.Kind() == record.Missing {
		return "(missing)"
	}
	return string(b.AppendJSON(nil, v))
}

func TestLookup(t *testing.T) {
	tests := []struct {
		object, path, want string
	}{
		{`{"a":1}`, "a", `1`},
		{`{"a":1}`, "b", `(missing)`},
		{` { "a" : "x" , "b" : [ 1 , 2 ] } `, "b[1]", `2`},

		// The literal key comes first, then the longest that leads somewhere.
		{`{"id":{"orig_h":"nested"},"id.orig_h":"literal"}`, "id.orig_h", `"literal"`},
		{`{"id":{"orig_h":"nested"}}`, "id.orig_h", `"nested"`},
		{`{"a":{"b":{"c":1},"b.c":2}}`, "a.b.c", `2`},
		{`{"a":{"b":{"c":1}}}`, "a.b.c", `1`},
		{`{"a":{"b":{"c":1}},"a.b":{"c":3}}`, "a.b.c", `3`},
		{`{"a.b":{"x":1},"a":{"b":{"c":1}}}`, "a.b.c", `1`},

		// Null is absent, so that the next way is tried.
		{`{"a.b":null,"a":{"b":1}}`, "a.b", `1`},
		{`{"a":null}`, "a", `(missing)`},

		// The first of equal keys counts, even if it is null.
		{`{"a":1,"a":2}`, "a", `1`},
		{`{"a":null,"a":2}`, "a", `(missing)`},
		{`{"o":{"a":1,"a":2}}`, "o.a", `1`},

		// Indexes count from 0, or from the end.
		{`{"a":[10,20,30]}`, "a[0]", `10`},
		{`{"a":[10,20,30]}`, "a[-1]", `30`},
		{`{"a":[10,20,30]}`, "a[-3]", `10`},
		{`{"a":[10,20,30]}`, "a[3]", `(missing)`},
		{`{"a":[10,20,30]}`, "a[-4]", `(missing)`},
		{`{"a":[]}`, "a[0]", `(missing)`},
		{`{"a":[]}`, "a[-1]", `(missing)`},
		{`{"a":[[1,[2,"]"]],{"b":"}"}]}`, "a[0][1][1]", `"]"`},
		{`{"a":[[1,2],{"b":"}"}]}`, "a[1].b", `"}"`},
		{`{"a[0]":"literal","a":[1]}`, "a[0]", `"literal"`},
		{`{"a[x]":1}`, "a[x]", `1`},
		{`{"a":{"0":1}}`, "a[0]", `(missing)`},
		{`{"a":[5]}`, "a.0", `(missing)`},
		{`{"a":[5]}`, "a.[0]", `5`},
		{`{"":[5]}`, "[0]", `(missing)`},
		{`{"[0]":5}`, "[0]", `5`},

		// Empty names are names.
		{`{"":1}`, "", `1`},
		{`{"a":{"":{"b":1}}}`, "a..b", `1`},
		{`{"a":{"":1}}`, "a.", `1`},

		// Keys are compared as the text that they stand for.
		{`{"\u0061":1}`, "a", `1`},
		{`{"o":{"\u0061\/b":1}}`, "o.a/b", `1`},
		{`{"a\"b":1}`, `a"b`, `1`},

		// Values of every kind.
		{`{"a":"x\ty"}`, "a", `"x\ty"`},
		{`{"a":-1.5e3}`, "a", `-1.5e3`},
		{`{"a":true}`, "a", `true`},
		{`{"a":false}`, "a", `false`},
		{`{"a":{"b":[1]}}`, "a", `{"b":[1]}`},
		{`{"a":NaN}`, "a", `"NaN"`},

		// What is no object has no members.
		{`[1]`, "a", `(missing)`},
		{`"a"`, "a", `(missing)`},
		{``, "a", `(missing)`},
		{`{`, "a", `(missing)`},
		{`{"a"`, "a", `(missing)`},
		{`{"a":`, "a", `(missing)`},
		{`{"a":[`, "a[0]", `(missing)`},
	}
	for _, tt := range tests {
		b := batchOf([]string{tt.object})
		if got := show(b, Lookup(b, b.Recs[0].Value, tt.path)); got != tt.want {
			t.Errorf("%s: %q is %s, want %s", tt.object, tt.path, got, tt.want)
		}
	}
}

// A path of n parts has 2^(n-1) splits; they must not all be walked.
func TestLookupLongPath(t *testing.T) {
	const n = 200
	object := strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)
	path := strings.Repeat("a.", n-1) + "a"
	b := batchOf([]string{object})
	if got := show(b, Lookup(b, b.Recs[0].Value, path)); got != "1" {
		t.Errorf("got %s, want 1", got)
	}
}

func TestMembers(t *testing.T) {
	tests := []struct{ object, want string }{
		{
			`{"a":1,"b":"x","a":null,"o":{"k":[1,{}]},"l":[],"\u0063\n":true}`,
			`a=1 b="x" a=(missing) o={"k":[1,{}]} l=[] c` + "\n" + `=true`,
		},
		{" {\t\"a\" : 1 , \"b\":2 } \r", `a=1 b=2`},
		{`{}`, ``},
		{`{ }`, ``},
		{`[1,2]`, ``},
		{``, ``},
	}
	var m Members
	for _, tt := range tests {
		b := batchOf([]string{tt.object})
		var got []string
		for m.Reset(b, b.Recs[0].Value); ; {
			key, v, ok := m.Next()
			if !ok {
				break
			}
			got = append(got, string(key)+"="+show(b, v))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.object, s, tt.want)
		}
	}
}

// TestMembersNextAs: what is expected comes as it does from Next, and what is not is
// still there.
func TestMembersNextAs(t *testing.T) {
	b := batchOf([]string{`{"a": "x","b":[1] , "c":null,"d"}`})
	var m Members
	m.Reset(b, b.Recs[0].Value)
	for _, tt := range []struct{ start, want string }{
		{`"b":`, ""}, {`"a":`, `"x"`}, {`"a":`, ""}, {`"b":`, `[1]`}, {`"c" :`, ""}, {`"c":`, "(missing)"}, {`"d":`, ""},
	} {
		got := ""
		if v, ok := m.NextAs(tt.start); ok {
			got = show(b, v)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.start, got, tt.want)
		}
	}
}

func TestMembersDoNotAllocate(t *testing.T) {
	b := batchOf([]string{`{"a":1,"\u0062":"x","o":{"k":[1,{}]}}`})
	var m Members
	walk := func() {
		m.Reset(b, b.Recs[0].Value)
		for n := 0; ; n++ {
			if _, _, ok := m.Next(); !ok {
				if n != 3 {
					t.Errorf("%d members, want 3", n)
				}
				return
			}
		}
	}
	if n := testing.AllocsPerRun(100, walk); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkMembers(b *testing.B) {
	batch := batchOf(appLines(1))
	var m Members
	b.ReportAllocs()
	for b.Loop() {
		m.Reset(batch, batch.Recs[0].Value)
		for {
			if _, _, ok := m.Next(); !ok {
				break
			}
		}
	}
}
