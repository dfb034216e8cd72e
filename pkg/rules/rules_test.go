package rules_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/rules"
)

// parse returns a batch of lines of NDJSON with the fields of plan.
func parse(t testing.TB, plan *record.Plan, lines []string) *record.Batch {
	t.Helper()
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "t", Format: "ndjson", Modified: record.NoTime}
	b.Data = []byte(strings.Join(lines, "\n") + "\n")
	dec.NewParser(plan).Parse(b)
	return b
}

func compile(t testing.TB, plan *record.Plan, conds []string) []*expr.Expr {
	t.Helper()
	var all []*expr.Expr
	for _, c := range conds {
		e, err := expr.CompileBool(c, plan)
		if err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		all = append(all, e)
	}
	return all
}

// naive evaluates every condition.
func naive(conds []*expr.Expr, b *record.Batch, i int) (match []int32) {
	for k, c := range conds {
		if c.True(b, i) {
			match = append(match, int32(k))
		}
	}
	return match
}

func TestMatch(t *testing.T) {
	conds := []string{
		`service == "auth" and status >= 500`,
		`message =~ "(?i)time.?out|refused"`,
		`level >= WARN`,
		`not (status >= 500)`,
		`service in ["auth", "billing"] or status == 404`,
		`has(user)`,
		`contains(message, "café")`,
		`status > 100 and status < 300`,
		`level in ["ERROR", "odd"]`,
		`message =~ "^a\"b$"`,
		`status == "503"`,
		`404 == status`,
		`flag`,
		`-3 < status and status <= -1`,
		`_value =~ "(?i)unique|ab:c" and not has(user)`,
	}
	plan := record.NewPlan()
	all := compile(t, plan, conds)
	m := rules.NewSet(all, plan).NewMatcher()
	for _, c := range []struct {
		line string
		want []int32
	}{
		{`{"service":"auth","status":503}`, []int32{0, 4, 10}},
		{`{"service":"auth","status":"503","msg":"TIMEOUT"}`, []int32{0, 1, 4, 10}},
		{`{"level":"warning"}`, []int32{2, 3}},
		{`{"severity":"err","status":404}`, []int32{2, 3, 4, 8, 11}},
		{`{"level":"odd"}`, []int32{3, 8}},
		{`{"user":"x","status":"abc"}`, []int32{3, 5}},
		{`{"user":null,"message":"un caf\u00e9"}`, []int32{3, 6}},
		{`{"message":"a\"b","status":200}`, []int32{3, 7, 9}},
		{`{"service":"\u0061uth","status":500.5}`, []int32{0, 4}},
		{`{"flag":true,"status":-1}`, []int32{3, 12, 13}},
		{`{"flag":"true","status":-3}`, []int32{3, 12}},
		{`{"x":{"UNIQUE":1}}`, []int32{3, 14}},
		{`{"x":"uniq"}`, []int32{3}},
		{`{}`, []int32{3}},
	} {
		b := parse(t, plan, []string{c.line})
		size := len(b.Data)
		if got := m.Match(b, 0); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.line, got, c.want)
		}
		if got := naive(all, b, 0); !slices.Equal(got, c.want) {
			t.Errorf("%s: one by one %v, want %v", c.line, got, c.want)
		}
		if first := m.First(b, 0); first != c.want[0] {
			t.Errorf("%s: first %d, want %d", c.line, first, c.want[0])
		}
		if len(b.Data) != size {
			t.Errorf("%s: the arena has grown", c.line)
		}
	}
}

// A maker makes random conditions and records over a small world, so that much
// matches and much nearly does.
type maker struct{ *rand.Rand }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

func (m maker) atom() string {
	field := pick(m, "service", "status", "level", "message", "user", "n", "source", "severity", "_value")
	text := pick(m, "auth", "api", "5", "503", "ERROR", "warn", "true", "timed out", "", "é", "Ab")
	num := pick(m, "0", "1", "5", "404", "500", "503", "-2", "1.5")
	switch m.IntN(9) {
	case 0:
		return fmt.Sprintf("%s %s %q", field, pick(m, "==", "==", "!=", "<", ">="), text)
	case 1, 2:
		return fmt.Sprintf("%s %s %s", field, pick(m, "==", "!=", "<", "<=", ">", ">="), num)
	case 3:
		return fmt.Sprintf("%s %s [%q, %q]", field, pick(m, "in", "not in"), text, pick(m, "api", "INFO", "x"))
	case 4:
		return fmt.Sprintf("%s in [%s, %s, %q]", field, num, pick(m, "7", "404"), text)
	case 5:
		re := pick(m, "auth|api", "(?i)TIMED.OUT", "^5", "r+or$", ".", "(?i)ab", "time[dr] ", "^auth$")
		return fmt.Sprintf("%s %s %q", field, pick(m, "=~", "=~", "!~"), re)
	case 6:
		return fmt.Sprintf("%s(%s, %q)", pick(m, "contains", "starts_with", "ends_with"), field, text)
	case 7:
		return fmt.Sprintf("has(%s)", field)
	default:
		return fmt.Sprintf("%s %s %s", num, pick(m, "<", ">=", "=="), field)
	}
}

func (m maker) cond(depth int) string {
	if depth == 0 || m.IntN(4) == 0 {
		return m.atom()
	}
	switch m.IntN(7) {
	case 0:
		return "not (" + m.cond(depth-1) + ")"
	case 1, 2:
		return "(" + m.cond(depth-1) + " or " + m.cond(depth-1) + ")"
	default:
		return "(" + m.cond(depth-1) + " and " + m.cond(depth-1) + ")"
	}
}

func (m maker) record() string {
	value := func() string {
		return pick(m, `"auth"`, `"api"`, `503`, `"503"`, `404`, `5`, `-2`, `1.5`, `true`, `null`, `"ERROR"`, `"warn"`,
			`"it timed out"`, `"TIMED OUT"`, `"\u0061uth"`, `"tab\t"`, `"é"`, `{"a":"auth"}`, `[5]`, `""`, `"error"`, `"AB"`)
	}
	var parts []string
	for _, f := range []string{"service", "status", "level", "message", "user", "n"} {
		if m.IntN(4) > 0 {
			parts = append(parts, fmt.Sprintf("%q:%s", f, value()))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// A set finds exactly what evaluating every condition finds.
func TestMatchIsNaive(t *testing.T) {
	for seed := range uint64(60) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		conds := make([]string, 1+m.IntN(150))
		for k := range conds {
			conds[k] = m.cond(m.IntN(4))
		}
		plan := record.NewPlan()
		var all []*expr.Expr
		for _, c := range conds {
			if e, err := expr.CompileBool(c, plan); err == nil { // some atoms can never be meant
				all = append(all, e)
			}
		}
		var lines []string
		for range 100 {
			lines = append(lines, m.record())
		}
		b := parse(t, plan, lines)
		matcher := rules.NewSet(all, plan).NewMatcher()
		for i := range b.Recs {
			want := naive(all, b, i)
			if got := matcher.Match(b, i); !slices.Equal(got, want) {
				for _, k := range slices.Concat(got, want) {
					if slices.Contains(got, k) != slices.Contains(want, k) {
						t.Fatalf("seed %d: %s: %s: found %v, want %v", seed, lines[i], all[k], got, want)
					}
				}
			}
			first := int32(-1)
			if len(want) > 0 {
				first = want[0]
			}
			if got := matcher.First(b, i); got != first {
				t.Fatalf("seed %d: %s: first %d, want %d", seed, lines[i], got, first)
			}
		}
	}
}

func TestEmptySet(t *testing.T) {
	plan := record.NewPlan()
	m := rules.NewSet(nil, plan).NewMatcher()
	b := parse(t, plan, []string{"{}"})
	if got := m.Match(b, 0); len(got) != 0 || m.First(b, 0) != -1 {
		t.Errorf("a set without conditions matches %v", got)
	}
}

// TestEveryLetter: texts are found whatever the case of their letters, and only where the
// condition does not mind it.
func TestEveryLetter(t *testing.T) {
	plan := record.NewPlan()
	var conds, lines []string
	for c := 'a'; c <= 'z'; c++ {
		conds = append(conds, fmt.Sprintf(`message =~ "(?i)no %c%c%c"`, c, c, c), fmt.Sprintf(`message =~ "no %c%c%c"`, c, c, c))
		lines = append(lines, fmt.Sprintf(`{"message":"NO %s"}`, strings.ToUpper(strings.Repeat(string(c), 3))),
			fmt.Sprintf(`{"message":"no %s"}`, strings.Repeat(string(c), 3)))
	}
	exprs := compile(t, plan, conds)
	m := rules.NewSet(exprs, plan).NewMatcher()
	b := parse(t, plan, lines)
	for i := range lines {
		want := []int32{int32(i / 2 * 2), int32(i/2*2 + 1)}[:1+i%2]
		if got := m.Match(b, i); !slices.Equal(got, want) || !slices.Equal(naive(exprs, b, i), want) {
			t.Errorf("%s: %d, want %d", lines[i], got, want)
		}
	}
}

// regex makes a random pattern of texts that are near to each other under Unicode's
// folding of case, and nearly occur.
func (m maker) regex(depth int) string {
	if depth == 0 {
		return pick(m, "kelvin", "KEL", "straße", "ss", "é", "É", "日本", "�", "x", "a.b", `\.`, "[a-f]", `[^\x00-\x7f]`, "s", "k",
			"timed", " out", "Ω", "İ", `\d`, `\bout`, "^", "$")
	}
	a, b := m.regex(depth-1), m.regex(depth-1)
	switch m.IntN(8) {
	case 0:
		return "(" + a + "|" + b + ")"
	case 1:
		return "(?i:" + a + b + ")"
	case 2:
		return "(?:" + a + ")" + pick(m, "*", "+", "?", "{2}", "{0,3}", "{2,}") + b
	case 3:
		return "(?s:" + a + ".*" + b + ")"
	case 4:
		return a + "|" + b
	default:
		return a + b
	}
}

// What a set finds by texts that must occur is what the regular expressions themselves
// find, in text of any kind.
func TestRegexesAreNaive(t *testing.T) {
	for seed := range uint64(40) {
		m := maker{rand.New(rand.NewPCG(seed, 5))}
		var conds []string
		var naive []*regexp.Regexp
		for range 100 {
			re := pick(m, "", "", "(?i)") + m.regex(m.IntN(4))
			naive = append(naive, regexp.MustCompile(re))
			conds = append(conds, "message =~ "+expr.Quote(re))
		}
		var lines []string
		for range 60 {
			text := ""
			for range m.IntN(5) {
				text += pick(m, "kelvin", "\u212aelvin", "KEL", "straße", "ſtraße", "STRASSE", "ss", "é", "É", "日本", "�", "\xff", "\xe6\x97",
					"a-b", ".", "timed", "TIMED", " out", " OUT\n", "Ω", "ω", "İ", "i̇", "5", "x")
			}
			lines = append(lines, text)
		}
		plan := record.NewPlan()
		matcher := rules.NewSet(compile(t, plan, conds), plan).NewMatcher()
		var encoded []string
		for _, text := range lines {
			encoded = append(encoded, `{"message":"`+strings.NewReplacer("\n", `\n`, "x", `\u0078`).Replace(text)+`"}`)
		}
		b := parse(t, plan, encoded)
		for i, text := range lines {
			var want []int32
			for k, re := range naive {
				if re.MatchString(text) {
					want = append(want, int32(k))
				}
			}
			if got := matcher.Match(b, i); !slices.Equal(got, want) {
				for k := range conds {
					if slices.Contains(got, int32(k)) != slices.Contains(want, int32(k)) {
						t.Fatalf("seed %d: %q: %s: found %v", seed, text, conds[k], slices.Contains(got, int32(k)))
					}
				}
			}
		}
	}
}
