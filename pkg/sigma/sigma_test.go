package sigma_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/sigma"
)

// rule returns a rule with the given detection, whose lines are indented by it.
func rule(detection string) string {
	return "title: T\nlevel: high\nlogsource: {product: windows}\ndetection:\n  " +
		strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ") + "\n"
}

// TestCond shows what detections become.
func TestCond(t *testing.T) {
	for _, c := range []struct{ detection, want string }{
		{"s: {EventID: 4625}\ncondition: s", `EventID == 4625`},
		{"s: {EventID: [1, '2']}\ncondition: s", `(EventID == 1 or EventID =~ "(?i)^2$")`},
		{`s: {Image|endswith: '\cmd.exe'}` + "\ncondition: s", `Image =~ "(?i)(?s)\\\\cmd\\.exe$"`},
		{`s: {Image|startswith: 'C:\Temp\'}` + "\ncondition: s", `Image =~ "(?i)^C:\\\\Temp\\\\"`},
		{"s: {a|contains|all: [x, y]}\ncondition: s", `(a =~ "(?i)x" and a =~ "(?i)y")`},
		{"s: {a: 'x*y?'}\ncondition: s", `a =~ "(?i)(?s)^x.*y.$"`},
		{`s: {a: '*\*x\\*'}` + "\ncondition: s", `a =~ "(?i)(?s)\\*x\\\\.*$"`},
		{"s: {a|cased: X, b: y}\ncondition: s", `(a =~ "^X$" and b =~ "(?i)^y$")`},
		{"s: {a: null, b: '', c: true}\ncondition: s", `(not has(a) and b =~ "(?i)^$" and c =~ "(?i)^true$")`},
		{"s: {a|exists: true, b|exists: false}\ncondition: s", `(has(a) and not has(b))`},
		{"s: {a|re|i: 'x\\d+'}\ncondition: s", `a =~ "(?i)x\\d+"`},
		{"s: {a|gte: 5, a|lt: 7.5}\ncondition: s", `(a >= 5 and a < 7.5)`},
		{"s: {a|cidr: [10.0.0.0/8, '::1/128']}\ncondition: s", `(in_network(a, "10.0.0.0/8") or in_network(a, "::1/128"))`},
		{"s: {a|windash|contains: ' -enc '}\ncondition: s", "a =~ \"(?i) [-/–—―]enc \""},
		{"s: {cs-uri-query|contains: x}\ncondition: s", "`cs-uri-query` =~ \"(?i)x\""},
		{"s: [foo, 'a b']\ncondition: s", `(_value =~ "(?i)foo" or _value =~ "(?i)a b")`},
		{"s: {'|all': [foo, bar]}\ncondition: s", `(_value =~ "(?i)foo" and _value =~ "(?i)bar")`},
		{`s: ['a\b']` + "\ncondition: s", `(_value =~ "(?i)a\\\\b" or _value =~ "(?i)a\\\\\\\\b")`},
		{"s: [{a: 1}, {b: 2}]\ncondition: s", `(a == 1 or b == 2)`},
		{"s: {a: 1}\nf1: {b: 2}\nf2: {c: 3}\ncondition: s and not 1 of f*", `(a == 1 and not ((b == 2 or c == 3)))`},
		{"s: {a: 1}\nt: {b: 2}\n_u: {c: 3}\ncondition: all of them", `(a == 1 and b == 2)`},
		{"s: {a: 1}\nt: {b: 2}\nu: {c: 3}\ncondition: s or t and u", `(a == 1 or (b == 2 and c == 3))`},
		{"s: {a: 1}\nt: {b: 2}\nu: {c: 3}\ncondition: (s OR t) AND any of u", `((a == 1 or b == 2) and c == 3)`},
		{"s: {a: 1}\nt: {b: 2}\ncondition: [s, t]", `(a == 1 or b == 2)`},
		{"s: {a|base64: 'foo\\*'}\ncondition: s", `a =~ "(?i)^Zm9vKg==$"`},
		{
			"s: {a|base64offset|contains: '/bin/bash'}\ncondition: s",
			`(a =~ "(?i)L2Jpbi9iYXNo" or a =~ "(?i)9iaW4vYmFza" or a =~ "(?i)vYmluL2Jhc2")`,
		},
		{"s: {a|wide|base64|contains: ping}\ncondition: s", `a =~ "(?i)cABpAG4AZwA="`},
		{"s: {a|utf16be|base64|contains|cased: ping}\ncondition: s", `a =~ "AHAAaQBuAGc="`},
		{"s: {a|utf16|base64|startswith: ping}\ncondition: s", `a =~ "(?i)^//5wAGkAbgBnAA=="`},
		{
			"s: {a|fieldref: b.c, d|fieldref|endswith|cased: [e-f, g]}\ncondition: s",
			"(lower(a) == lower(b.c) and (ends_with(d, `e-f`) or ends_with(d, g)))",
		},
	} {
		r, err := sigma.Parse("f", []byte(rule(c.detection)))
		if err != nil {
			t.Errorf("%s: %v", c.detection, err)
			continue
		}
		if r.Cond != c.want || r.Title != "T" || r.Level != "high" {
			t.Errorf("%s:\n got %s\nwant %s", c.detection, r.Cond, c.want)
		}
		if _, err := expr.CompileBool(r.Cond, record.NewPlan()); err != nil {
			t.Errorf("%s: %v", c.detection, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want, hint string }{
		{"title: T", "f:1:1: a Sigma rule has a detection", "as in detection"},
		{"detection: {s: {a: 1}, condition: s}", "f:1:1: a Sigma rule has a title", ""},
		{"title: T\ncorrelation: {type: event_count}", "f:2:1: correlation: Sigma's correlations are not supported", "one record"},
		{"title: T\naction: global", "f:2:1: action: Sigma's collections are not supported", ""},
		{"title: T\nlevel: hihg", `f:2:8: unknown level "hihg"`, "did you mean high?"},
		{rule("s: {a: 1}\ncondition: s") + "---\ntitle: U", "f:8:1: a line --- begins something else, which does not count", "a file of its own"},
		{rule("s: {a|contans: x}\ncondition: s"), `f:5:7: unknown modifier "contans"`, "did you mean contains?"},
		{rule("s: {a|expand: x}\ncondition: s"), "f:5:7: the modifier expand is not supported", ""},
		{rule("s: {a|contains|endswith: x}\ncondition: s"), "f:5:7: the modifiers contains and endswith do not go together", ""},
		{rule("s: {a|i: x}\ncondition: s"), "f:5:7: the modifiers i, m and s belong behind re", "as in field|re|i"},
		{rule("s: {a|re: '(?=x)'}\ncondition: s"), "f:5:13: regular expression: invalid or unsupported Perl syntax", "RE2"},
		{rule("s: {a|cidr: 10.0.0}\ncondition: s"), `f:5:15: "10.0.0" is no network`, ""},
		{rule("s: {a|base64: 'x*y'}\ncondition: s"), "f:5:17: want text to encode, without * and ?", "stand for themselves"},
		{rule("s: {a|base64offset: xy}\ncondition: s"), `f:5:23: "xy" is too short: want 3 bytes to encode`, ""},
		{rule("s: {a|base64|re: x}\ncondition: s"), "f:5:7: base64 goes with contains, startswith and endswith only", ""},
		{rule("s: {a|wide|contains: xyz}\ncondition: s"), "f:5:7: what is encoded in UTF-16 is to be in base64", "as in field|wide|base64offset|contains"},
		{rule("s: {a|fieldref|gt: b}\ncondition: s"), "f:5:7: fieldref goes with contains", ""},
		{rule("s: {a|lt: x}\ncondition: s"), `f:5:13: lt wants a number, not "x"`, ""},
		{rule("s: {a|exists: 1}\ncondition: s"), `f:5:17: exists wants true or false, not "1"`, ""},
		{rule("s: {a|contains: null}\ncondition: s"), "f:5:19: nothing is no value that contains takes", ""},
		{rule("s: {a: []}\ncondition: s"), "f:5:10: the list of values is empty: nothing would match", ""},
		{rule("s: {a: {b: 1}}\ncondition: s"), "f:5:10: want a value, not a list or keys", ""},
		{rule("s: {}\ncondition: s"), "f:5:6: the selection is empty", ""},
		{rule("s: {'a`': 1}\ncondition: s"), "f:5:7: field \"a`\": a backquote cannot be part of a name", ""},
		{rule("s: {a: 1}"), "f:5:3: the detection has no condition", ""},
		{rule("s: {a: 1}\ntimeframe: 5m\ncondition: s"), "f:6:3: timeframe is not supported", ""},
		{rule("sel: {a: 1}\ncondition: sle"), `f:6:14: condition: unknown selection "sle"`, "did you mean sel?"},
		{rule("s: {a: 1}\ncondition: s | count() > 5"), "f:6:14: condition: aggregations (behind |) are not supported", "one record"},
		{rule("s: {a: 1}\ncondition: s and"), "f:6:14: condition: want a selection, not the end", ""},
		{rule("s: {a: 1}\ncondition: (s"), "f:6:14: condition: want and, or, or ), not the end", ""},
		{rule("s: {a: 1}\ncondition: 2 of them"), `f:6:14: condition: want 1, any or all before of, not "2"`, ""},
		{rule("s: {a: 1}\ncondition: 1 of x*"), "f:6:14: condition: no selection is called x*", ""},
		{rule("s: {a: 1}\ncondition: " + strings.Repeat("not ", 101) + "s"), "f:6:14: condition: nested too deeply", ""},
		{rule("s: {a: " + strings.Repeat("x", 600_000) + "}\ncondition: s or s"), "f:6:14: condition: the rule is too large", ""},
	} {
		_, err := sigma.Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%.80q:\n got %v|%s\nwant %s|%s", c.text, err, fault.HintOf(err), c.want, c.hint)
		}
	}
}

// FuzzParse makes sure that what is read can be compiled.
func FuzzParse(f *testing.F) {
	f.Add(rule("s: {a|contains|all: ['x*', '\\?'], b|windash: ' -x', c: null}\nk: [w]\ncondition: s and not 1 of k*"))
	f.Add(rule("s: [{a|re|i: x.y}, {b|cidr: 10.0.0.0/8, c|gte: 0x10}]\ncondition: [all of them, (s)]"))
	f.Add(rule("s: {a|wide|base64offset|contains: xyz, b|fieldref|endswith: c-d}\ncondition: s"))
	f.Fuzz(func(t *testing.T, text string) {
		r, err := sigma.Parse("f", []byte(text))
		if err != nil {
			return
		}
		if _, err := expr.CompileBool(r.Cond, record.NewPlan()); err != nil {
			t.Errorf("%q became %s: %v", text, r.Cond, err)
		}
	})
}
