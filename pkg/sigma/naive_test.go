package sigma_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
	"github.com/logctl/logctl/pkg/sigma"
)

// A naive is a part of a rule as Sigma writes it, and whether a record is such. It
// knows nothing of expressions.
type naive struct {
	text  string
	holds func(fields map[string]any, line string) bool
}

// A maker makes random rules and records over a small world, so that much matches
// and much nearly does.
type maker struct{ *rand.Rand }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

var texts = []string{
	"", "a", "A", "ab", "Ab*", "a?b", `a\b`, `\\x`, "-enc x", "/ENC x", "–enc", "straße", "STRASSE", "Kelvin", "long ſ",
	"5", "5.0", "12", "10.1.2.3", "::1", "true", "line\nbreak", `say "x"`,
}

var patterns = []string{
	"", "a", "aB", "*", "?", "a*", "*b", "a?b", `a\?b`, `ab\*`, `*\\b`, `a\b`, `\\\\x`, `\`, "-enc", "*-enc*", "kelvin",
	"long s", "STRAß*", "5", "1*", `*"*`, "*\n*", "??",
}

// fits reports whether a text matches a pattern from its beginning to its end.
func fits(text, pattern string, cased bool) bool {
	if pattern == "" {
		return text == ""
	}
	if pattern[0] == '*' {
		for k := 0; k <= len(text); k++ {
			if fits(text[k:], pattern[1:], cased) {
				return true
			}
		}
		return false
	}
	if text == "" {
		return false
	}
	r, n := utf8.DecodeRuneInString(text)
	if pattern[0] == '?' {
		return fits(text[n:], pattern[1:], cased)
	}
	if pattern[0] == '\\' && len(pattern) > 1 && strings.Contains(`*?\`, pattern[1:2]) {
		pattern = pattern[1:]
	}
	p, k := utf8.DecodeRuneInString(pattern)
	return (p == r || !cased && strings.EqualFold(string(p), string(r))) && fits(text[n:], pattern[k:], cased)
}

// textOf returns a value as text.
func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

// wild returns a pattern that the modifier makes of p. A backslash at its end
// stands for itself.
func wild(op, p string) string {
	if n := len(p) - len(strings.TrimRight(p, `\`)); n%2 == 1 {
		p += `\`
	}
	if op == "contains" || op == "endswith" {
		p = "*" + p
	}
	if op == "contains" || op == "startswith" {
		p += "*"
	}
	return p
}

// dashed returns what a value may be with windash.
func dashed(p string) []string {
	if !strings.Contains(p, "-enc") {
		return []string{p}
	}
	var all []string
	for _, dash := range []string{"-", "/", "–", "—", "―"} {
		all = append(all, strings.Replace(p, "-", dash, 1))
	}
	return all
}

// field makes the test of a field.
func (m maker) field() naive {
	name, op := pick(m, "f", "g", "h-i"), pick(m, "", "", "contains", "startswith", "endswith")
	key, cased, windash, all := name, m.IntN(4) == 0, m.IntN(4) == 0, m.IntN(4) == 0
	for _, mod := range []struct {
		name string
		on   bool
	}{{op, op != ""}, {"cased", cased}, {"windash", windash}, {"all", all}} {
		if mod.on {
			key += "|" + mod.name
		}
	}
	values := []string{pick(m, patterns...), pick(m, patterns...), pick(m, patterns...)}[:1+m.IntN(3)]
	return naive{quote(key) + ": " + list(values), func(fields map[string]any, _ string) bool {
		v, there := fields[name]
		if !there || v == nil {
			return false
		}
		held := 0
		for _, p := range values {
			variants := []string{p}
			if windash {
				variants = dashed(p)
			}
			for _, x := range variants {
				if fits(textOf(v), wild(op, x), cased) {
					held++
					break
				}
			}
		}
		return held > 0 && (!all || held == len(values))
	}}
}

// other makes the test of a number, or of whether there is a value.
func (m maker) other() naive {
	name := pick(m, "f", "g", "n")
	limit := pick(m, 3.0, 5, 12)
	number := func(v any) (float64, bool) {
		if f, ok := v.(float64); ok {
			return f, true
		}
		var f float64
		s, ok := v.(string)
		return f, ok && json.Unmarshal([]byte(s), &f) == nil
	}
	switch m.IntN(4) {
	case 0:
		return naive{fmt.Sprintf("%s: null", name), func(f map[string]any, _ string) bool { return f[name] == nil }}
	case 1:
		want := m.IntN(2) == 0
		return naive{fmt.Sprintf("%s|exists: %v", name, want), func(f map[string]any, _ string) bool {
			return (f[name] != nil) == want
		}}
	case 2:
		return naive{fmt.Sprintf("%s: %v", name, limit), func(f map[string]any, _ string) bool {
			n, ok := number(f[name])
			return ok && n == limit
		}}
	default:
		return naive{fmt.Sprintf("%s|gte: %v", name, limit), func(f map[string]any, _ string) bool {
			n, ok := number(f[name])
			return ok && n >= limit
		}}
	}
}

// selection makes a selection: fields, a list of such, or words.
func (m maker) selection() naive {
	if m.IntN(5) == 0 {
		words := []string{pick(m, "enc", "KELVIN", `a\b`, "st*e", `say "x"`), pick(m, "zz", "::1")}
		return naive{list(words), func(_ map[string]any, line string) bool {
			for _, w := range words {
				asJSON := strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`).Replace(w) // a pattern of it
				if fits(line, wild("contains", w), false) || fits(line, wild("contains", asJSON), false) {
					return true
				}
			}
			return false
		}}
	}
	first, second := m.field(), m.other()
	for strings.HasPrefix(strings.ReplaceAll(first.text, `"`, ""), second.text[:strings.Index(second.text, ":")+1]) {
		second = m.other() // a key stands only once
	}
	return naive{"{" + first.text + ", " + second.text + "}", func(f map[string]any, line string) bool {
		return first.holds(f, line) && second.holds(f, line)
	}}
}

// rule makes a rule of three selections.
func (m maker) rule() naive {
	var sel [3]naive
	var text strings.Builder
	for k := range sel {
		if sel[k] = m.selection(); m.IntN(3) == 0 {
			sel[k] = m.field()
			sel[k].text = "{" + sel[k].text + "}"
		}
		fmt.Fprintf(&text, "s%d: %s\n", k, sel[k].text)
	}
	type truth = func(a, b, c bool) bool
	cond := pick(m, "s0", "s0 and not s1", "s0 or s1 and s2", "(s0 or s1) and not s2", "1 of s*", "all of them", "not 1 of s1*")
	holds := map[string]truth{
		"s0":                    func(a, _, _ bool) bool { return a },
		"s0 and not s1":         func(a, b, _ bool) bool { return a && !b },
		"s0 or s1 and s2":       func(a, b, c bool) bool { return a || b && c },
		"(s0 or s1) and not s2": func(a, b, c bool) bool { return (a || b) && !c },
		"1 of s*":               func(a, b, c bool) bool { return a || b || c },
		"all of them":           func(a, b, c bool) bool { return a && b && c },
		"not 1 of s1*":          func(_, b, _ bool) bool { return !b },
	}[cond]
	return naive{rule(text.String() + "condition: " + cond), func(f map[string]any, line string) bool {
		return holds(sel[0].holds(f, line), sel[1].holds(f, line), sel[2].holds(f, line))
	}}
}

// line makes a record.
func (m maker) line() string {
	rec := map[string]any{}
	for _, name := range []string{"f", "g", "h-i", "n"} {
		switch m.IntN(8) {
		case 0:
		case 1:
			rec[name] = nil
		case 2:
			rec[name] = pick(m, 3, 5, 12.5)
		case 3:
			rec[name] = true
		default:
			rec[name] = pick(m, texts...)
		}
	}
	return quote(rec)
}

// quote returns a value as JSON, which is YAML, too.
func quote(v any) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // it cannot fail
	return strings.TrimSuffix(out.String(), "\n")
}

func list(values []string) string {
	if len(values) == 1 {
		return quote(values[0])
	}
	return quote(values)
}

// TestAgainstNaive matches random rules together, by what they cannot hold
// without, and one by one by hand.
func TestAgainstNaive(t *testing.T) {
	matched := 0
	for round := range proof.Some(200) {
		m := maker{rand.New(rand.NewPCG(uint64(round), 7))}
		var all []naive
		var conds []*expr.Expr
		plan := record.NewPlan()
		for range 30 {
			one := m.rule()
			r, err := sigma.Parse("f", []byte(one.text))
			if err != nil {
				t.Fatalf("%v in\n%s", err, one.text)
			}
			e, err := expr.CompileBool(r.Cond, plan)
			if err != nil {
				t.Fatalf("%v in\n%s", err, one.text)
			}
			all, conds = append(all, one), append(conds, e)
		}
		matcher := rules.NewSet(conds, plan).NewMatcher()
		for range 20 {
			line := m.line()
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			got := map[int32]bool{}
			for _, k := range matcher.Match(parse(t, plan, line), 0) {
				got[k] = true
			}
			matched += len(got)
			for k := range all {
				if want := all[k].holds(fields, line); got[int32(k)] != want {
					t.Fatalf("%s: %v, want %v by\n%s%s", line, !want, want, all[k].text, conds[k])
				}
			}
		}
	}
	if matched == 0 {
		t.Error("nothing ever matched")
	}
}

// parse returns a batch of one line of JSON with the fields of plan.
func parse(t testing.TB, plan *record.Plan, line string) *record.Batch {
	t.Helper()
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "t", Format: "ndjson", Modified: record.NoTime}
	b.Data = []byte(line + "\n")
	dec.NewParser(plan).Parse(b)
	return b
}
