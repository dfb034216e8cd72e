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
	plan := record.NewPlan()
	keys, err := aggregate.CompileKeys([]string{"a", "b"}, plan)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	parser := dec.NewParser(plan)
	for _, c := range []struct{ line, named string }{
		{`{"a":"x","b":"y"}`, `x,y`},
		{`{"a":"x","b":"y"}`, ` [ "x", "y" ] `},
		{`{"a":"x,y","b":"z,"}`, `x,y,z,`},
		{`{"a":"","b":""}`, `,`},
		{`{"a":5,"b":"5"}`, `5,5`},
		{`{"a":null,"b":true}`, `null,true`},
		{`{"b":"é/\"q\""}`, `null,é/"q"`},
		{`{"a":[1,2],"b":{"x":1}}`, `[1,2],{"x":1}`},
	} {
		b := record.NewBatch()
		b.Origin = &record.Origin{Format: "ndjson"}
		b.Add([]byte(c.line))
		parser.Parse(b)
		keys.Prepare(b)
		_, kind, text := keys.Key(b, keys.Numbers(b)[0])
		var tried []string
		found := false
		keys.Search(c.named, func(_ uint64, k record.Kind, candidate []byte) bool {
			found = found || k == kind && string(candidate) == string(text)
			tried = append(tried, fmt.Sprintf("%q", candidate))
			return !found
		})
		if !found {
			t.Errorf("%s: %q is not among %s", c.named, text, strings.Join(tried, " "))
		}
	}
	if n := len(keys.Candidates(strings.Repeat("1,", 1000), 64)); n > 64 {
		t.Errorf("%d candidates", n)
	}
}
