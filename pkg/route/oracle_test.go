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
	var match []naiveRule
	for _, r := range rules {
		if r.holds(rec) && !(first && len(match) > 0) {
			match = append(match, r)
		}
	}
	if len(match) == 0 {
		to["rest"] = append(to["rest"], line)
	}
	send(match, line, to)
}

// send sends one record where rules say, as they change it.
func send(rules []naiveRule, line string, to map[string][]string) {
	var rec map[string]any
	_ = json.Unmarshal([]byte(line), &rec)
	by := map[string][]naiveRule{}
	for _, r := range rules {
		for _, d := range r.to {
			by[d] = append(by[d], r)
		}
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

// sentTo returns what an explanation says that a destination is sent of a line.
func sentTo(x route.Explanation, to, line string) string {
	for _, form := range x.Sends {
		if form.To == to {
			return form.Record
		}
	}
	return line
}

// What is explained is what is routed: which rules matched, which of them a sample or a
// limit kept from sending, where the record goes, and what the others make of it.
func TestExplainsWhatIsRouted(t *testing.T) {
	for seed := range uint64(60) {
		m := maker{rand.New(rand.NewPCG(seed, 11))}
		rules := map[string]naiveRule{}
		text := "rules:\n"
		for k := range 1 + m.IntN(30) {
			r := m.rule(k)
			rules[r.name] = r
			text += r.text + pick(m, "", "", "    sample: 0.5\n", "    limit: 20/s\n", "    sample: 0.7\n    limit: 9/m\n")
		}
		text += "default: rest\n"
		opt := route.Options{First: m.IntN(3) == 0}
		var lines []string
		for range 200 {
			lines = append(lines, m.record())
		}
		w, explained := newTown(t), newTown(t)
		w.rules(t, text, opt)
		w.route(t, w.batch(lines...), 1+m.IntN(300))
		opt.Explain = true
		explained.rules(t, text, opt)
		b, table := explained.batch(lines...), explained.live.Table()
		table.Prepare(b)
		want := map[string][]string{}
		for i, line := range lines {
			x := table.Explain(b, i, false)
			var sending []naiveRule
			for k, name := range x.Rules {
				if x.Why[k].LeftOut == "" {
					sending = append(sending, rules[name])
				}
			}
			to := map[string][]string{}
			if x.Default {
				to["rest"] = []string{line}
			}
			send(sending, line, to)
			if !slices.Equal(slices.Sorted(slices.Values(x.To)), slices.Sorted(maps.Keys(to))) {
				t.Fatalf("seed %d: %s: explained to go to %v, its rules say %v\n%s", seed, line, x.To, to, text)
			}
			for d, forms := range to {
				want[d] = append(want[d], forms...)
				if got := sentTo(x, d, line); sorted(got) != sorted(forms[0]) {
					t.Fatalf("seed %d: %s: explained to be sent to %s as %s, want %s\n%s", seed, line, d, got, forms[0], text)
				}
			}
		}
		for _, d := range []string{"a", "b", "c", "d", "rest"} {
			var got []string
			if s := w.sinks[d]; s != nil {
				got = s.values
			}
			if !slices.EqualFunc(got, want[d], func(a, b string) bool { return sorted(a) == sorted(b) }) {
				t.Fatalf("seed %d: %s got\n%s\nexplained were\n%s\nby\n%s", seed, d, strings.Join(got, "\n"), strings.Join(want[d], "\n"), text)
			}
		}
	}
}
