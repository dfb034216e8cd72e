package transform_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/transform"
)

func edit(t testing.TB, plan *record.Plan, spec transform.EditSpec) *transform.Edit {
	t.Helper()
	e, err := transform.NewEdit(spec, plan)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func sets(pairs ...string) (list []expr.Assignment) {
	for k := 0; k < len(pairs); k += 2 {
		list = append(list, expr.Assignment{Name: pairs[k], Src: pairs[k+1]})
	}
	return list
}

func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name       string
		specs      []transform.EditSpec
		line, want string
	}{
		{"sets", []transform.EditSpec{{Set: sets("team", `"pay"`, "ms", "ms*2")}}, `{"ms":2,"a":1}`, `{"ms":4,"a":1,"team":"pay"}`},
		{
			"drops and renames",
			[]transform.EditSpec{{Drop: []string{"a", "gone"}, Rename: []transform.Rename{{From: "b", To: "c\""}}}},
			`{"a":1,"b":{"a":2},"z":3}`, `{"c\"":{"a":2},"z":3}`,
		},
		{"drops everything", []transform.EditSpec{{Drop: []string{"a"}}}, `{"a":1}`, `{}`},
		{"the later one sets", []transform.EditSpec{{Set: sets("x", "1", "y", "1")}, {Set: sets("x", "2")}}, `{}`, `{"x":2,"y":1}`},
		{"set wins over drop", []transform.EditSpec{{Drop: []string{"x"}}, {Set: sets("x", "x+1")}}, `{"x":1}`, `{"x":2}`},
		{"duplicate keys: the first counts", []transform.EditSpec{{Set: sets("x", "x")}}, `{"x":1,"x":2}`, `{"x":1}`},
		{"text becomes an object", []transform.EditSpec{{Set: sets("x", "1")}}, `plain "text"`, `{"message":"plain \"text\"","x":1}`},
		{"text has no fields to drop", []transform.EditSpec{{Drop: []string{"x"}}}, `plain`, `plain`},
		{"masks what was set", []transform.EditSpec{{Set: sets("x", `"a@b.org"`), Redact: []string{"email"}}}, `{}`, `{"x":"[email]"}`},
		{
			"two masks",
			[]transform.EditSpec{{Redact: []string{"email"}}, {Redact: []string{"ipv4"}}},
			`{"m":"a@b.org from 10.0.0.1"}`, `{"m":"[email] from [ipv4]"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := record.NewPlan()
			var edits []*transform.Edit
			for _, s := range c.specs {
				edits = append(edits, edit(t, plan, s))
			}
			format := "ndjson"
			if !strings.HasPrefix(c.line, "{") {
				format = "plain"
			}
			b := parse(t, plan, format, c.line)
			size := len(b.Data)
			var w transform.Editor
			if got := string(w.Append(nil, b, 0, edits)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if len(b.Data) != size || string(b.Value(0)) != c.line {
				t.Error("the record itself has changed")
			}
		})
	}
	if e, err := transform.NewEdit(transform.EditSpec{}, record.NewPlan()); e != nil || err != nil {
		t.Errorf("nothing to change: %v %v", e, err)
	}
}

func TestRedact(t *testing.T) {
	all := []string{"email", "ipv4", "card", `/token=\w+/`}
	for line, want := range map[string]string{
		`{"u":"ann.b+c@mail.example.com, x"}`:      `{"u":"[email], x"}`,
		`{"u":"ann\u0040example.com"}`:             `{"u":"[email]"}`,
		`{"a@b.cd":[{"x":"<a@b.cd>"}]}`:            `{"[email]":[{"x":"<[email]>"}]}`,
		`{"u":"a@b","v":"@example.com"}`:           `{"u":"a@b","v":"@example.com"}`,
		`{"h":"10.0.3.17:5432"}`:                   `{"h":"[ipv4]:5432"}`,
		`{"h":"1.2.3.4.5 256.1.1.1 1.2.3"}`:        `{"h":"1.2.3.4.5 256.1.1.1 1.2.3"}`,
		`{"n":4111111111111111}`:                   `{"n":"[card]"}`,
		`{"n":"4111-1111 1111 1111."}`:             `{"n":"[card]."}`,
		`{"n":4111111111111112,"t":1766228400000}`: `{"n":4111111111111112,"t":1766228400000}`,
		`{"id":"a4111111111111111"}`:               `{"id":"a4111111111111111"}`,
		`{"q":"x\ttoken=ab12&y"}`:                  `{"q":"x\t[redacted]&y"}`,
		`{"esc":"\u00e9 \/ stays"}`:                `{"esc":"\u00e9 \/ stays"}`,
		`mail a@b.org from 1.2.3.4 token=z`:        `mail [email] from [ipv4] [redacted]`,
		`{"broken":"a@b.org`:                       `{"broken":"[email]"`,
		`{"":""}`:                                  `{"":""}`,
		``:                                         ``,
	} {
		r, err := transform.NewRedactor(all)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(r.Append(nil, []byte(line))); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
	for what, hint := range map[string]string{"emial": "did you mean email?", "secret": "one of email", "/(/": "RE2"} {
		_, err := transform.NewRedactor([]string{what})
		if fault.Status(err) != fault.Usage || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q: %v, hint %q", what, err, fault.HintOf(err))
		}
	}
}

// FuzzRedact checks that JSON stays JSON of the same shape, and that nothing is
// left that a plain regular expression takes for an address.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"a":"x@y.zz","n":[4111111111111111,{"b":"1.2.3.4"}]}`, `{"a":"\u0040\\\""}`, `[1,2e5,-0.5]`, `x@y.zz`} {
		f.Add(s)
	}
	r, err := transform.NewRedactor([]string{"email", "ipv4", "card"})
	if err != nil {
		f.Fatal(err)
	}
	mail := regexp.MustCompile(`[a-z0-9]@[a-z0-9]+\.[a-z]{2}`)
	f.Fuzz(func(t *testing.T, s string) {
		out := r.Append(nil, []byte(s))
		if len(s) == 0 || s[0] != '{' && s[0] != '[' || !json.Valid([]byte(s)) {
			return
		}
		if !json.Valid(out) || mail.Match(out) {
			t.Errorf("%s became %s", s, out)
		}
	})
}
