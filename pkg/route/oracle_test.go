package route_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/route"
)

// A naiveRule is a rule and how to apply it by hand.
type naiveRule struct {
	text     string // as YAML
	name     string
	priority int
	holds    func(rec map[string]any) bool
	to       []string
	team     string // what it sets
	drop     bool   // the field "secret"
}

// A maker makes random rules and records over a small world.
type maker struct{ *rand.Rand }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

// when makes a condition of the fields.
func (m maker) when() (string, func(map[string]any) bool) {
	var text []string
	var tests []func(map[string]any) bool
	for _, field := range []string{"kind", "zone"} {
		if m.IntN(3) == 0 && len(tests) > 0 {
			continue
		}
		values := []string{pick(m, "alpha", "beta", "al*", "*ta", "?amma"), pick(m, "gamma", "delta", "*e*")}[:1+m.IntN(2)]
		text = append(text, fmt.Sprintf("%s: [%s]", field, `"`+strings.Join(values, `", "`)+`"`))
		tests = append(tests, func(rec map[string]any) bool {
			s, ok := rec[field].(string)
			return ok && slices.ContainsFunc(values, func(p string) bool { ok, _ := path.Match(p, s); return ok })
		})
	}
	return "when: {" + strings.Join(text, ", ") + "}", func(rec map[string]any) bool {
		for _, t := range tests {
			if !t(rec) {
				return false
			}
		}
		return true
	}
}

// match makes a condition that is an expression.
func (m maker) match() (string, func(map[string]any) bool) {
	n := float64(m.IntN(6))
	switch m.IntN(3) {
	case 0:
		return fmt.Sprintf("match: n >= %v", n), func(rec map[string]any) bool { f, ok := rec["n"].(float64); return ok && f >= n }
	case 1:
		word := pick(m, "time", "disk", "OUT", "ll")
		return fmt.Sprintf("match: text =~ %q", word), func(rec map[string]any) bool {
			s, ok := rec["text"].(string)
			return ok && strings.Contains(s, word)
		}
	default:
		return fmt.Sprintf("match: n == %v or kind == \"beta\"", n), func(rec map[string]any) bool {
			f, ok := rec["n"].(float64)
			return ok && f == n || rec["kind"] == "beta"
		}
	}
}

func (m maker) rule(k int) naiveRule {
	r := naiveRule{name: fmt.Sprintf("r%d", k), priority: m.IntN(4)}
	cond, holds := m.when()
	if m.IntN(2) == 0 {
		cond, holds = m.match()
	}
	r.holds = holds
	for _, d := range []string{"a", "b", "c", "d"} {
		if m.IntN(3) == 0 {
			r.to = append(r.to, d)
		}
	}
	if len(r.to) == 0 {
		r.to = []string{"a"}
	}
	r.text = fmt.Sprintf("  - name: %s\n    priority: %d\n    %s\n    to: [%s]\n", r.name, r.priority, cond, strings.Join(r.to, ", "))
	if m.IntN(4) == 0 {
		r.team = r.name
		r.text += fmt.Sprintf("    set: {team: '\"%s\"'}\n", r.team)
	}
	if m.IntN(6) == 0 {
		r.drop = true
		r.text += "    drop: secret\n"
	}
	return r
}

func (m maker) record() string {
	rec := map[string]any{}
	if m.IntN(5) > 0 {
		rec["kind"] = pick(m, "alpha", "beta", "gamma", "delta", "eel")
	}
	if m.IntN(3) > 0 {
		rec["zone"] = pick(m, "alpha", "beta", "gamma")
	}
	if m.IntN(3) > 0 {
		rec["n"] = m.IntN(7)
	}
	if m.IntN(2) > 0 {
		rec["text"] = pick(m, "it timed OUT", "disk full", "all is well", "time")
	}
	if m.IntN(2) > 0 {
		rec["secret"] = m.IntN(100)
	}
	text, _ := json.Marshal(rec)
	return string(text)
}

// naive routes one record by hand.
func naive(rules []naiveRule, first bool, line string, to map[string][]string) {
	var rec map[string]any
	_ = json.Unmarshal([]byte(line), &rec)
	by := map[string][]naiveRule{}
	for _, r := range rules {
		if !r.holds(rec) {
			continue
		}
		for _, d := range r.to {
			by[d] = append(by[d], r)
		}
		if first {
			break
		}
	}
	if len(by) == 0 {
		to["rest"] = append(to["rest"], line)
	}
	for d, list := range by {
		form := maps.Clone(rec)
		changed := false
		for _, r := range list {
			if r.team != "" {
				form["team"], changed = r.team, true
			}
			if r.drop {
				delete(form, "secret")
				changed = true
			}
		}
		text := line
		if changed {
			b, _ := json.Marshal(form)
			text = string(b)
		}
		to[d] = append(to[d], text)
	}
}

// sorted writes a record with its keys in order, so that texts can be compared.
func sorted(line string) string {
	var v any
	_ = json.Unmarshal([]byte(line), &v)
	b, _ := json.Marshal(v)
	return string(b)
}

// What is routed is what a loop over all rules does with decoded records, in the
// same order, however the rows are cut.
func TestRoutesLikeALoopOverAllRules(t *testing.T) {
	for seed := range uint64(80) {
		m := maker{rand.New(rand.NewPCG(seed, 7))}
		var rules []naiveRule
		text := "rules:\n"
		n := 1 + m.IntN(40)
		if seed == 0 {
			n = 1000
		}
		for k := range n {
			rules = append(rules, m.rule(k))
			text += rules[k].text
		}
		slices.SortStableFunc(rules, func(a, b naiveRule) int { return a.priority - b.priority })
		first := m.IntN(3) == 0
		w := newTown(t)
		w.rules(t, text+"default: rest\n", route.Options{First: first})
		want := map[string][]string{}
		var lines []string
		for range 200 {
			line := m.record()
			lines = append(lines, line)
			naive(rules, first, line, want)
		}
		w.route(t, w.batch(lines...), 1+m.IntN(300))
		for _, d := range []string{"a", "b", "c", "d", "rest"} {
			var got []string
			if s := w.sinks[d]; s != nil {
				got = s.values
			}
			if len(got) != len(want[d]) {
				t.Fatalf("seed %d: %s got %d records, want %d\n%s", seed, d, len(got), len(want[d]), text)
			}
			for k := range got {
				if sorted(got[k]) != sorted(want[d][k]) {
					t.Fatalf("seed %d: %s got %s, want %s\n%s", seed, d, got[k], want[d][k], text)
				}
			}
		}
	}
}
