package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// Keys of several parts are found by their parts with commas between them, whatever
// they hold, and by their JSON.
func TestKeysAreFound(t *testing.T) {
	for _, c := range []struct {
		by    []string
		cases []named
	}{
		{[]string{"a"}, []named{
			{`{"a":"x"}`, `x`},
			{`{"a":"x"}`, `"x"`},
			{`{"a":"5"}`, `5`},
			{`{"a":5}`, `5`},
			{`{"a":-1.50}`, `-1.50`},
			{`{"a":null}`, `null`},
			{`{}`, `null`},
			{`{"a":"null"}`, `null`},
			{`{"a":true}`, `true`},
			{`{"a":false}`, `false`},
			{`{"a":[1,"2"]}`, `[1,"2"]`},
			{`{"a":{"x":1}}`, `{"x":1}`},
			{`{"a":""}`, ``},
		}},
		{[]string{"a", "b"}, []named{
			{`{"a":"x","b":"y"}`, `x,y`},
			{`{"a":"x","b":"y"}`, ` [ "x", "y" ] `},
			{`{"a":"x,y","b":"z,"}`, `x,y,z,`},
			{`{"a":"","b":""}`, `,`},
			{`{"a":5,"b":"5"}`, `5,5`},
			{`{"a":null,"b":true}`, `null,true`},
			{`{"b":"é/\"q\""}`, `null,é/"q"`},
			{`{"a":[1,2],"b":{"x":1}}`, `[1,2],{"x":1}`},
		}},
	} {
		plan := record.NewPlan()
		keys, err := aggregate.CompileKeys(c.by, plan)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := codec.New(codec.Options{Format: "ndjson"})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.cases {
			n.find(t, keys, dec.NewParser(plan))
		}
		if n := len(keys.Candidates(strings.Repeat("1,", 1000), 64)); n > 64 {
			t.Errorf("%d candidates", n)
		}
	}
}

// A named is the name of the key of a record.
type named struct{ line, name string }

func (n named) find(t *testing.T, keys *aggregate.Keys, parser codec.Parser) {
	t.Helper()
	b := record.NewBatch()
	b.Origin = &record.Origin{Format: "ndjson"}
	b.Add([]byte(n.line))
	parser.Parse(b)
	keys.Prepare(b)
	_, kind, text := keys.Key(b, keys.Numbers(b)[0])
	var tried []string
	found := false
	keys.Search(n.name, func(_ uint64, k record.Kind, candidate []byte) bool {
		found = found || k == kind && string(candidate) == string(text)
		tried = append(tried, fmt.Sprintf("%q", candidate))
		return !found
	})
	if !found {
		t.Errorf("%s: %s %q is not among %s", n.name, n.line, text, strings.Join(tried, " "))
	}
}
