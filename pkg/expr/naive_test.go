package expr_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
)

// A term is a random expression: its source, what is known of it, and how to
// compute it the naive way from a record that encoding/json decoded. The value
// is nil where it is missing, else a bool, a float64, a json.Number or a string.
type term struct {
	src  string
	kind string // field, any, num, text, bool, numlit, textlit
	eval func(rec map[string]any) any
}

// numberIn is the naive reading of a number.
func numberIn(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case json.Number:
		return numberIn(string(v))
	case string:
		if strings.ContainsAny(v, "xXpPiInN_ ") || strings.HasPrefix(v, ".") || strings.HasSuffix(v, ".") {
			return 0, false
		}
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	default:
		return 0, false
	}
}

// integerIn is what a field holds where that is digits alone; nil where it is not.
func integerIn(v any) *big.Int {
	switch v := v.(type) {
	case json.Number:
		return integerIn(string(v))
	case string:
		if i, ok := new(big.Int).SetString(v, 10); ok && !strings.HasPrefix(v, "+") {
			return i
		}
	}
	return nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case float64:
		return string(record.AppendNumber(nil, v))
	case map[string]any, []any:
		out, _ := json.Marshal(v)
		return string(out)
	default:
		return fmt.Sprint(v)
	}
}

func (l term) compare(op string, r term, rec map[string]any) bool {
	x, y := l.eval(rec), r.eval(rec)
	if x == nil || y == nil {
		return false
	}
	f, ok := numberIn(x)
	g, ok2 := numberIn(y)
	is := func(kind string) bool { return l.kind == kind || r.kind == kind }
	numeric := is("numlit") || !is("textlit") && is("num") || !is("textlit") && !is("text") && !is("bool") && ok && ok2
	if numeric {
		d := cmp.Compare(f, g)
		if i, j := integerIn(x), integerIn(y); i != nil && j != nil {
			d = i.Cmp(j)
		}
		return ok && ok2 && holds(op, d)
	}
	return holds(op, strings.Compare(textOf(x), textOf(y)))
}

func holds(op string, d int) bool {
	switch op {
	case "==":
		return d == 0
	case "!=":
		return d != 0
	case "<":
		return d < 0
	case "<=":
		return d <= 0
	case ">":
		return d > 0
	default:
		return d >= 0
	}
}

// A maker makes random terms.
type maker struct{ *rand.Rand }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

func (m maker) field() term {
	name := pick(m, "a", "b", "n", "s", "esc", "gone", "obj", "flag")
	return term{name, "field", func(rec map[string]any) any { return rec[name] }}
}

func (m maker) number() term {
	f := pick(m, 0, 1, 2, 5, 500, 0.5, 1e6, 503)
	return term{fmt.Sprint(f), "numlit", func(map[string]any) any { return f }}
}

func (m maker) text() term {
	s := pick(m, "", "5", "abc", "ABC", `q"\`, "503", "true", "é", "b c")
	return term{strconv.Quote(s), "textlit", func(map[string]any) any { return s }}
}

// num makes a term that is surely a number.
func (m maker) num(depth int) term {
	x := m.operand(depth - 1)
	switch m.IntN(4) {
	case 0:
		return term{"num(" + x.src + ")", "num", func(rec map[string]any) any { return orNil(numberIn(x.eval(rec))) }}
	case 1:
		t := m.texty(depth - 1)
		return term{"len(" + t.src + ")", "num", func(rec map[string]any) any {
			if v := t.eval(rec); v != nil {
				return float64(utf8.RuneCountInString(textOf(v)))
			}
			return nil
		}}
	}
	op := pick(m, "-", "*", "/", "%", "-")
	y := m.operand(depth - 1)
	return term{fmt.Sprintf("(%s %s %s)", x.src, op, y.src), "num", func(rec map[string]any) any {
		f, ok := numberIn(x.eval(rec))
		g, ok2 := numberIn(y.eval(rec))
		h := map[string]float64{"-": f - g, "*": f * g, "/": f / g, "%": math.Mod(f, g)}[op]
		return orNil(h, ok && ok2 && !math.IsNaN(h) && !math.IsInf(h, 0))
	}}
}

func orNil(f float64, ok bool) any {
	if !ok {
		return nil
	}
	return f
}

// operand makes a term that arithmetic takes.
func (m maker) operand(depth int) term {
	switch {
	case depth <= 0 || m.IntN(2) == 0:
		return pick(m, m.field(), m.field(), m.number())
	default:
		return m.num(depth)
	}
}

// texty makes a term that functions of text take.
func (m maker) texty(depth int) term {
	if depth <= 0 {
		return pick(m, m.field(), m.field(), m.text())
	}
	x, y := m.texty(depth-1), m.texty(depth-1)
	switch m.IntN(3) {
	case 0:
		return term{"str(" + x.src + ")", "text", func(rec map[string]any) any {
			if v := x.eval(rec); v != nil {
				return textOf(v)
			}
			return nil
		}}
	case 1:
		lit := m.text()
		return term{fmt.Sprintf("(%s + %s)", lit.src, y.src), "text", func(rec map[string]any) any {
			if v := y.eval(rec); v != nil {
				return lit.eval(rec).(string) + textOf(v)
			}
			return nil
		}}
	default:
		return term{"lower(" + x.src + ")", "text", func(rec map[string]any) any {
			if v := x.eval(rec); v != nil {
				return strings.ToLower(textOf(v))
			}
			return nil
		}}
	}
}

// value makes a term of any kind but bool.
func (m maker) value(depth int) term {
	if depth <= 0 {
		return pick(m, m.field(), m.field(), m.number(), m.text())
	}
	switch m.IntN(5) {
	case 0:
		return m.num(depth)
	case 1:
		return m.texty(depth)
	case 2:
		x, y := m.field(), m.field()
		return term{fmt.Sprintf("(%s ?? %s)", x.src, y.src), "any", func(rec map[string]any) any {
			if v := x.eval(rec); v != nil {
				return v
			}
			return y.eval(rec)
		}}
	case 3:
		c, x, y := m.cond(depth-1), m.field(), m.value(depth-1)
		return term{fmt.Sprintf("(%s ? %s : %s)", c.src, x.src, y.src), "any", func(rec map[string]any) any {
			if c.eval(rec) == true {
				return x.eval(rec)
			}
			return y.eval(rec)
		}}
	default:
		x, y := m.field(), m.field()
		return term{fmt.Sprintf("(%s + %s)", x.src, y.src), "any", func(rec map[string]any) any {
			return sum(x.eval(rec), y.eval(rec))
		}}
	}
}

func sum(x, y any) any {
	if x == nil || y == nil {
		return nil
	}
	f, ok := numberIn(x)
	if g, ok2 := numberIn(y); ok && ok2 {
		return orNil(f+g, !math.IsInf(f+g, 0))
	}
	return textOf(x) + textOf(y)
}

// cond makes a condition.
func (m maker) cond(depth int) term {
	if depth <= 0 || m.IntN(2) == 0 {
		return m.comparison(depth)
	}
	x, y := m.cond(depth-1), m.cond(depth-1)
	test := func(t term, rec map[string]any) bool { return t.eval(rec) == true }
	switch m.IntN(4) {
	case 0:
		return term{"(not " + x.src + ")", "bool", func(rec map[string]any) any { return !test(x, rec) }}
	case 1:
		return term{fmt.Sprintf("(%s or %s)", x.src, y.src), "bool", func(rec map[string]any) any {
			return test(x, rec) || test(y, rec)
		}}
	case 2:
		f := m.field()
		return term{"has(" + f.src + ")", "bool", func(rec map[string]any) any { return f.eval(rec) != nil }}
	default:
		return term{fmt.Sprintf("(%s && %s)", x.src, y.src), "bool", func(rec map[string]any) any {
			return test(x, rec) && test(y, rec)
		}}
	}
}

func (m maker) comparison(depth int) term {
	x, y := m.value(depth-1), m.value(depth-1)
	if m.IntN(4) == 0 {
		return m.membership(m.field())
	}
	op := pick(m, "==", "!=", "<", "<=", ">", ">=")
	return term{fmt.Sprintf("(%s %s %s)", x.src, op, y.src), "bool", func(rec map[string]any) any {
		return x.compare(op, y, rec)
	}}
}

// membership makes x in [...], by its definition with == and or, != and and.
func (m maker) membership(x term) term {
	var items []term
	var list []string
	make1 := pick(m, m.number, m.text, func() term { return m.value(0) })
	for range 1 + m.IntN(11) {
		items = append(items, make1())
		list = append(list, items[len(items)-1].src)
	}
	not := m.IntN(2) == 0
	op, word := "==", "in"
	if not {
		op, word = "!=", "not in"
	}
	src := fmt.Sprintf("(%s %s [%s])", x.src, word, strings.Join(list, ", "))
	return term{src, "bool", func(rec map[string]any) any {
		for _, item := range items {
			if x.compare(op, item, rec) != not {
				return !not
			}
		}
		return not
	}}
}

// line makes a record.
func (m maker) line() string {
	var members []string
	for _, name := range []string{"a", "b", "n", "s", "esc", "obj", "flag"} {
		v := pick(m, `5`, `"5"`, `503`, `0`, `"abc"`, `"ABC"`, `""`, `null`, `-1.50`, `1e3`, `"\u0035"`, `"q\"\\"`,
			`true`, `"true"`, `false`, `"é"`, `"5 "`, `"0x10"`, `"+5"`, `"inf"`, `{"k":1}`, `[1,2]`, `12345678901234567890`)
		members = append(members, fmt.Sprintf("%q:%s", name, v))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// checkNaive compares a random expression with its naive evaluation.
func checkNaive(t *testing.T, seed uint64) {
	m := maker{rand.New(rand.NewPCG(seed, 1))}
	x := m.value(3)
	if seed%3 > 0 {
		x = m.cond(3)
	}
	plan := record.NewPlan()
	e, err := expr.Compile(x.src, plan)
	if err != nil {
		if refused(err) {
			return
		}
		t.Fatalf("seed %d: %v", seed, err)
	}
	again, err := expr.Compile(e.String(), record.NewPlan())
	if err != nil || again.String() != e.String() {
		t.Fatalf("%s is printed as %s, which is read as %v, %v", x.src, e, again, err)
	}
	lines := []string{m.line(), m.line(), m.line()}
	b := batch(lines...)
	fill(b, plan)
	size := len(b.Data)
	for i, line := range lines {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		rec := map[string]any{}
		if err := d.Decode(&rec); err != nil {
			t.Fatal(err)
		}
		want := x.eval(rec)
		if got := e.True(b, i); got != (want == true || want == "true") {
			t.Fatalf("seed %d: %s is %v, want %v, for %s", seed, x.src, got, want, line)
		}
		wantJSON, _ := json.Marshal(want)
		var got any
		d = json.NewDecoder(strings.NewReader(string(e.AppendJSON(nil, b, i))))
		d.UseNumber()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got == nil && want == nil {
			continue
		}
		if got == nil || want == nil || textOf(got) != textOf(want) {
			t.Fatalf("seed %d: %s is %v, want %s, for %s", seed, x.src, got, wantJSON, line)
		}
	}
	if len(b.Data) != size {
		t.Fatalf("%s left %d bytes in the arena", x.src, len(b.Data)-size)
	}
}

// refused reports whether the compiler refused what is surely a mistake.
func refused(err error) bool {
	line := firstLine(err)
	return strings.HasPrefix(line, "beside ") || strings.HasPrefix(line, "num wants")
}

func TestAgainstNaive(t *testing.T) {
	for seed := range uint64(10000) {
		checkNaive(t, seed)
	}
}

func FuzzNaive(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(checkNaive)
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		`status >= 500 and not (a in [1, "x"]) or m =~ '(?i)x'`, "`a b`.c[0][-1] ?? -5m", `a ? b : "\u00e9\d"`, `10MB + 1e-3`,
		`level >= WARN`, `match(x, "(?P<n>a+)", "n")`, `floor_time(_time, 5m) - time("2026-11-24")`, `((((`,
		`header("k") + _key`,
	} {
		f.Add(src)
	}
	b := batch(app, `{}`, ``)
	f.Fuzz(func(t *testing.T, src string) {
		plan := record.NewPlan()
		e, err := expr.Compile(src, plan)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an empty error")
			}
			return
		}
		again, err := expr.Compile(e.String(), record.NewPlan())
		if err != nil || again.String() != e.String() {
			t.Fatalf("%q is printed as %s, which is read as %v, %v", src, e, again, err)
		}
		for i := range b.Recs {
			e.True(b, i)
			e.Num(b, i)
			if out := e.AppendJSON(nil, b, i); !json.Valid(out) {
				t.Fatalf("%q gives %s", src, out)
			}
		}
		_, _ = expr.Calls(src)
		_, _ = expr.Assignments(src)
	})
}
