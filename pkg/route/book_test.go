package route_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/route"
)

func TestBook(t *testing.T) {
	text := `# the rules of the house
rules:
  # first things first
  - name: a
    match: x == 1
    to: one # and only
  - {name: b, match: x == 2, to: two}
default: rest
tests: []
`
	open := func(text string) *route.Book {
		t.Helper()
		b, err := route.OpenBook("rules.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(b *route.Book) string {
		t.Helper()
		out, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	b := open(text)
	if name, added, err := b.Put([]byte(`{"name":"c","match":"x == 3","to":["three"]}`)); name != "c" || !added || err != nil {
		t.Errorf("put c: %q %v %v", name, added, err)
	}
	if name, added, err := b.Put([]byte("name: b\nmatch: x == 22\nto: two")); name != "b" || added || err != nil {
		t.Errorf("put b: %q %v %v", name, added, err)
	}
	want := strings.Replace(text, "  - {name: b, match: x == 2, to: two}\n", "  - name: b\n    match: x == 22\n    to: two\n"+
		`  - {"name": "c", "match": "x == 3", "to": ["three"]}`+"\n", 1)
	if d := cmp.Diff(want, write(b)); d != "" {
		t.Error(d)
	}
	if !b.Delete("c") || b.Delete("c") {
		t.Error("c was there once")
	}
	if _, _, err := b.Put([]byte("name: d\nmatch: x ==\nto: two\nfoo: 1")); err == nil || !strings.Contains(err.Error(), "rule:4:1") {
		t.Errorf("a wrong rule: %v", err)
	}
	entries, err := b.Entries()
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v %v", entries, err)
	}
	again, err := route.FromEntries(entries)
	if err != nil {
		t.Fatal(err)
	}
	f, err := route.Parse("again", again, nil)
	if err != nil || len(f.Rules) != 2 || f.Rules[1].Cond != "x == 22" || f.Default[0] != "rest" {
		t.Errorf("%v from\n%s", err, again)
	}
	for _, none := range []string{"", "# nothing", "a: b: c", "{"} {
		if _, err := route.FromEntries(map[string][]byte{"x": []byte(none)}); err == nil || !strings.HasPrefix(err.Error(), `rule "x":1:1: want YAML`) {
			t.Errorf("%q is no rule: %v", none, err)
		}
	}
	if _, err := route.FromEntries(map[string][]byte{"x": []byte("name: y")}); err == nil {
		t.Error("a key must be the name of its rule")
	}
	if _, err := route.FromEntries(map[string][]byte{"x": []byte("match: has(a)")}); err == nil || !strings.Contains(err.Error(), "has no name") {
		t.Errorf("a rule without a name: %v", err)
	}
	if got := write(open("")); got != "{}\n" && got != "rules: []\n" {
		t.Errorf("an empty file: %q", got)
	}
}

// TestBookKeepsLongKeys: a rule that came as JSON is read again, in a file and from a
// topic, however long its keys are and whatever is in them.
func TestBookKeepsLongKeys(t *testing.T) {
	key := strings.Repeat("k", 2000) + ": \"é😀"
	rule := `{"name":"x","when":{` + strconv.Quote(key) + `:"\/\ud83d\ude00"},"to":"y"}`
	b, err := route.OpenBook("rules.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Put([]byte(rule)); err != nil {
		t.Fatal(err)
	}
	file, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := b.Entries()
	if err != nil {
		t.Fatal(err)
	}
	again, err := route.FromEntries(entries)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := route.FromEntries(map[string][]byte{"x": []byte(rule)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := route.ParseRule("rule", []byte(rule))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{file, again, direct} {
		f, err := route.Parse("f", text, nil)
		if err != nil || len(f.Rules) != 1 || f.Rules[0].Cond != want.Cond {
			t.Errorf("%v from\n%s", err, text)
		}
	}
	if !strings.Contains(want.Cond, "k: ") || !strings.Contains(want.Cond, `"/😀"`) {
		t.Errorf("the rule is %s", want.Cond)
	}
}
