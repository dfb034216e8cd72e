package route_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/route"
)

func TestErrorsNameLineAndColumn(t *testing.T) {
	for text, want := range map[string]string{
		"rules:\n  - nme: x":                     `f:2:5: unknown key "nme"|did you mean name?`,
		"rules: {a: b}":                          `f:1:8: want a list of rules|as in`,
		"- a":                                    `f:1:1: want keys and values, not a list|`,
		"rules:\n  - name: x\n   to: y":          `f:1: did not find expected '-' indicator|the file is YAML`,
		"rules: [{name: x, match: a == 1}]":      `f:1:9: rule "x" sends nowhere|to: 'null:' drops`,
		"rules: [{name: x, to: y}]":              `f:1:9: rule "x" matches nothing|when:`,
		"rules: [{match: a == 1, to: y}]":        `f:1:9: a rule has no name|name:`,
		"rules: [{name: x, match: a ==, to: y}]": `f:1:30: rule "x": expression: want a value, not the end|`,
		"rules: [{name: x, match: latency, when: {}, to: 'kafka:'}]":                      `f:1:49: endpoint "kafka:": "" is no topic name|letters`,
		"rules: [{name: x, match: wat(a), to: y}]":                                        `f:1:26: rule "x": expression: unknown function "wat"|`,
		"rules: [{name: x, match: a == 1, to: y, set: {t: lowr(a)}}]":                     `f:1:50: rule "x": "t": expression: unknown function "lowr"|lower`,
		"rules: [{name: x, match: a == 1, to: y, sample: 2}]":                             `f:1:49: want a number between 0 and 1, not "2"|`,
		"rules: [{name: x, match: a == 1, to: y, limit: fast}]":                           `f:1:48: "fast" is no rate|as in`,
		"rules: [{name: x, match: a == 1, to: y, redact: emial}]":                         `f:1:49: redact: unknown "emial"|did you mean email?`,
		"rules: [{name: x, match: a == 1, to: y, set: {b: '1'}, drop: [a, b]}]":           `f:1:66: the field "b" is set, and dropped too|leave one`,
		"rules: [{name: x, match: a == 1, to: y, rename: {b: c}, set: {b: '1'}}]":         `f:1:63: the field "b" is renamed, and set too|under another name`,
		"rules: [{name: x, match: a == 1, to: y, drop: b, rename: {b: c}}]":               `f:1:59: the field "b" is dropped, and renamed too|leave one`,
		"rules: [{name: x, match: a == 1, to: y, set: {c: '1'}, rename: {b: c}}]":         `f:1:68: two values become the field "c"|another name`,
		"rules: [{name: x, match: a == 1, to: y, rename: {a: c, b: c}}]":                  `f:1:59: two values become the field "c"|another name`,
		"rules: [{name: x, match: a == 1, to: y, drop: [c, c], rename: {a: c}, name: z}]": `f:1:71: the key "name"|`,
		"rules: [{name: x, when: {a: []}, to: y}]":                                        `f:1:29: the list of values is empty|`,
		"rules: [{name: x, when: {a: [{}]}, to: y}]":                                      `f:1:30: want a value|`,
		"rules: [{name: x, when: &a {b: *a}, to: y}]":                                     `f: anchor 'a' value contains itself|`,
		"rules: [{name: x, name: y}]":                                                     `f:1:19: the key "name" stands here twice|leave`,
		"rules: [{name: x, match: a == 1, to: {}}]":                                       `f:1:38: want text, not keys and values|`,
		"rules: [{name: x, match: a == 1, to: null}]":                                     `f:1:38: want text, not |`,
		"rules: [{name: x, sigma: [a], to: y}]":                                           `f:1:26: want text, not a list|`,
		"rules: [{name: x, sigma: a.yml, to: y}]":                                         `f:1:26: sigma: a.yml: rules that come by HTTP|names`,
		"default: [kafka:a]\ntests: [{record: {}}]":                                       `f:2:9: test "line 2" expects nothing|`,
	} {
		f, err := route.Parse("f", []byte(text), nil)
		if err == nil {
			_, err = route.Compile(f, route.Options{})
		}
		message, hint, _ := strings.Cut(want, "|")
		if fault.Status(err) != fault.Usage || !strings.HasPrefix(err.Error(), message) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%s\n got %v, hint %q\nwant %s", text, err, fault.HintOf(err), want)
		}
	}
}

func TestSigmaThatCannotBeRead(t *testing.T) {
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	_, err := route.Parse("f", []byte("rules: [{name: x, sigma: a.yml, to: y}]"), none)
	if err == nil || err.Error() != "f:1:26: sigma: file does not exist" {
		t.Errorf("got %v, want the place and what is wrong", err)
	}
}

func TestWhen(t *testing.T) {
	for when, want := range map[string]string{
		`{level: [ERROR, FATAL]}`:       `level in ["ERROR", "FATAL"]`,
		`{status: 500, ok: true, x: ~}`: `status == 500 and ok == true and not has(x)`,
		`{a: [1.5, "2", x*]}`:           `(a =~ "^x" or a in [1.5, "2"])`,
		`{a.b: {c: d}}`:                 `a.b.c == "d"`,
		`{id: 9007199254740993}`:        `id == 9007199254740993`,
		`{id: [9007199254740993, 2]}`:   `id in [9007199254740993, 2]`,
		`{name: 'a?c.*\*'}`:             `name =~ "(?s)^a.c\\..*\\*$"`,
		`{name: '*x*'}`:                 `name =~ "x"`,
		`{"odd name": x, _topic: in}`:   "`odd name` == \"x\" and _topic == \"in\"",
		`{n: [0x1F, 0o17, -0b11, 007]}`: `n in [31, 15, -3, 7]`,
		`{date: 2026-01-01}`:            `date == "2026-01-01"`,
	} {
		r, err := route.ParseRule("f", []byte("{name: x, to: y, when: "+when+"}"))
		if err != nil || r.Cond != want {
			t.Errorf("%s: %v\n got %s\nwant %s", when, err, r.Cond, want)
		}
	}
}

// A batch goes by the rules that it was parsed for, whatever is in force when it
// is decided and sent.
func TestRulesChangeBetweenBatches(t *testing.T) {
	w := newTown(t)
	w.rules(t, "rules: [{name: x, match: a == 1, to: old}]\ndefault: rest", route.Options{})
	before := w.batch(`{"a":1,"b":1}`, `{"b":1}`)
	w.rules(t, "rules: [{name: x, match: b == 1, to: new}, {name: y, match: a == 1, to: old, set: {c: b}}]", route.Options{})
	after := w.batch(`{"a":1,"b":1}`, `{"b":1}`)
	w.route(t, before, 10)
	w.route(t, after, 10)
	for name, want := range map[string]string{
		"old": `[{"a":1,"b":1} {"a":1,"b":1,"c":1}]`, "rest": `[{"b":1}]`, "new": `[{"a":1,"b":1} {"b":1}]`,
	} {
		if got := fmt.Sprint(w.sinks[name].values); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if hits := w.stats.Of("x").Hits.Load(); hits != 3 {
		t.Errorf("rule x has %d hits over its two versions, want 3", hits)
	}
}

// More destinations than bits in a word.
func TestManyDestinations(t *testing.T) {
	w := newTown(t)
	text := "rules:\n"
	for k := range 200 {
		text += fmt.Sprintf("  - {name: r%d, match: n >= %d, to: d%d, set: {k: '%d'}}\n", k, k, k, k)
	}
	w.rules(t, text, route.Options{Default: []string{"rest"}})
	w.route(t, w.batch(`{"n":150}`, `{"n":-1}`, `{"n":3}`), 2)
	for k := range 200 {
		var want []string
		if k <= 150 {
			want = append(want, fmt.Sprintf(`{"n":150,"k":%d}`, k))
		}
		if k <= 3 {
			want = append(want, fmt.Sprintf(`{"n":3,"k":%d}`, k))
		}
		if got := w.sinks[fmt.Sprintf("d%d", k)].values; !slices.Equal(got, want) {
			t.Fatalf("d%d: %v, want %v", k, got, want)
		}
	}
	if got := w.sinks["rest"].values; len(got) != 1 {
		t.Errorf("rest: %v", got)
	}
}

// Limits go by the time of the records: a second lets so many through, whatever
// the clock on the wall, and once only where records come out of order.
func TestLimit(t *testing.T) {
	for name, place := range map[string]func(k int) int{
		"in order":       func(k int) int { return k },
		"by two and two": func(k int) int { return k%2*10 + k/2 },
	} {
		w := newTown(t)
		w.rules(t, "rules: [{name: slow, match: has(n), to: few, limit: 2/s}, {name: all, match: n < 3, to: [few, all]}]\ndefault: rest",
			route.Options{})
		var lines []string
		for k := range 20 { // five a second
			n := place(k)
			lines = append(lines, fmt.Sprintf(`{"ts":"2026-01-01T00:00:%02d.%d00Z","n":%d}`, n/5, n%5*2, n))
		}
		w.route(t, w.batch(lines...), 3)
		if got := w.sinks["all"].values; len(got) != 3 {
			t.Errorf("%s: a rule without a limit has sent %d of 3", name, len(got))
		}
		// Three by the other rule; then what two a second allow in four seconds, no more than
		// a second's worth at once.
		if got := len(w.sinks["few"].values); got < 7 || got > 11 {
			t.Errorf("%s: %d of 20 records in four seconds went through a limit of two a second:\n%v",
				name, got, w.sinks["few"].values)
		}
		if w.stats.Of("slow").Limited.Load() == 0 || w.sinks["rest"] == nil || len(w.sinks["rest"].values) > 0 {
			t.Errorf("%s: what a limit leaves out is counted, and does not go to the default", name)
		}
	}
}

// A limit is kept also while rules change; another one begins anew.
func TestLimitOverChanges(t *testing.T) {
	w := newTown(t)
	text := "rules: [{name: slow, match: has(n), to: few, limit: 1/h}]\ndefault: rest"
	for k, limit := range []string{"1/h", "1/h", "1/h", "1/m", "1/h"} {
		w.rules(t, strings.Replace(text, "1/h", limit, 1), route.Options{})
		w.route(t, w.batch(fmt.Sprintf(`{"ts":"2026-01-01T00:00:%02dZ","n":%d}`, k, k)), 1)
	}
	if got := fmt.Sprint(w.sinks["few"].values); strings.Count(got, "n") != 2 || !strings.Contains(got, `"n":3`) {
		t.Errorf("one an hour, and the first of one a minute: %s", got)
	}
}

// A sample is the same whenever, and by whom, a record is read.
func TestSample(t *testing.T) {
	lines := make([]string, 20_000)
	for k := range lines {
		lines[k] = `{"same":"heartbeat"}`
	}
	text := "rules: [{name: x, match: has(same), to: some, sample: 0.02}, {name: y, match: has(same), to: others, sample: 0.02}]"
	var runs [2]*town
	for k := range runs {
		runs[k] = newTown(t)
		runs[k].rules(t, text, route.Options{})
		runs[k].route(t, runs[k].batch(lines...), 7)
	}
	if a, b := len(runs[0].sinks["some"].values), len(runs[1].sinks["some"].values); a != b || a < 300 || a > 500 {
		t.Errorf("%d and %d of 20000 records at 0.02", a, b)
	}
	if n := runs[0].stats.Sampled.Load(); n < 39_000 {
		t.Errorf("%d were left out", n)
	}
}

func TestDestinationFails(t *testing.T) {
	w := newTown(t)
	w.rules(t, "rules: [{name: x, match: has(a), to: [one, two]}]", route.Options{})
	w.sinks["one"].err = errors.New("disk full")
	b := w.batch(`{"a":1}`)
	r := &route.Router{Live: &w.live, Stats: &w.stats}
	r.Prepare(b)
	if err := r.Process(b.All(), w); err == nil || len(w.sinks["two"].values) > 0 {
		t.Errorf("%v; behind what fails nothing is written", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"rules: [{name: x, when: {a: [b*, 1, ~]}, to: [y, 'kafka:z'], set: {c: d}, redact: [/x/], sample: .5, limit: 1/s}]",
		"rules:\n  - &r {name: x, match: a == 1, to: y}\n  - *r\ndefault: [a]\ntests: [{record: {a: 1}, to: y, sends: {y: 1}}]",
		"rules: [{name: x, match: |\n  a == 1\n, to: y}]", "{", "a: *b", "? [a]\n: b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file, err := route.Parse("f", []byte(s), nil)
		if err == nil {
			_, err = route.Compile(file, route.Options{Explain: true})
		}
		if err != nil && (fault.Status(err) != fault.Usage || !strings.HasPrefix(err.Error(), "f:")) {
			t.Errorf("%q: %v", s, err)
		}
	})
}
