package expr_test

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

// app is the record that most tests look at.
const app = `{"timestamp":"2026-11-24T10:03:04.5Z","level":"WARNING","service":"payment-api","status":"503",` +
	`"latency_ms":1250.5,"took":"250ms","message":"time\u0020out \"x\"","ok":true,"none":null,"tags":["a","b"],` +
	`"attributes":{"region":"eu"},"weird name":7,"bytes":20000000,"text":"abc"}`

func evaluate(t *testing.T, src, line string) (string, *expr.Expr) {
	t.Helper()
	plan := record.NewPlan()
	e, err := expr.Compile(src, plan)
	if err != nil {
		t.Fatal(err)
	}
	b := batch(line)
	b.Recs[0].Time = 1795514584500e6 // 2026-11-24T10:03:04.5Z
	fill(b, plan)
	return string(e.AppendJSON(nil, b, 0)), e
}

func TestEval(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`status >= 500 and service == "payment-api"`, "true"},
		{`status == "503"`, "true"},
		{`status == "503.0"`, "false"},
		{`status == 503.0`, "true"},
		{`text >= 500`, "false"},
		{`text < 500`, "false"},
		{`text != 500`, "false"},
		{`gone != 500`, "false"},
		{`not (gone >= 500)`, "true"},
		{`gone == other`, "false"},
		{`none ?? "x"`, `"x"`},
		{`has(none)`, "false"},
		{`has(ok) && !has(gone)`, "true"},
		{`ok`, "true"},
		{`ok == true`, "true"},
		{`message == "time out \"x\""`, "true"},
		{`message != 'time out "x"'`, "false"},
		{`message =~ "(?i)TIME.out"`, "true"},
		{`message !~ "refused"`, "true"},
		{`gone !~ "refused"`, "false"},
		{`level >= WARN`, "true"},
		{`level == WARN`, "true"},
		{`level < error`, "true"},
		{`"error" > level`, "true"},
		{`"WARN" <= level`, "true"},
		{`"500" < status`, "true"},
		{`severity in ["ERROR", "WARN"]`, "true"},
		{`level == "audit"`, "false"},
		{`status in [500, 503]`, "true"},
		{`status not in [500, 503]`, "false"},
		{`gone not in [500]`, "false"},
		{`service in ["a", "payment-api"]`, "true"},
		{`latency_ms > 1s`, "true"},
		{`took < 1s`, "true"},
		{`bytes > 10MB`, "true"},
		{`latency_ms / 1000 * 2`, "2.501"},
		{`1 / 0`, "null"},
		{`text * 2`, "null"},
		{`round(2.5, gone)`, "null"},
		{`round(999999999999999999999, 2)`, "1e+21"},
		{`round(1e300, 10)`, "1e+300"},
		{`round(0.1, 400)`, "0.1"},
		{`round(5, -400)`, "0"},
		{`round(-4503599627370495.5, 0)`, "-4503599627370496"},
		{`round(gone, 1)`, "null"},
		{`service + ":" + status`, `"payment-api:503"`},
		{`status + 1`, "504"},
		{`status ?? 0 >= 500`, "true"},
		{`status >= 500 ? "bad" : "good"`, `"bad"`},
		{`attributes.region`, `"eu"`},
		{`tags[0]`, `"a"`},
		{`tags[-1]`, `"b"`},
		{`tags`, `["a","b"]`},
		{"`weird name` + 1", "8"},
		{`_time`, `"2026-11-24T10:03:04.500Z"`},
		{`floor_time(_time, 5m)`, `"2026-11-24T10:00:00.000Z"`},
		{`floor_time(_time, 7d)`, `"2026-11-23T00:00:00.000Z"`},
		{`_time - floor_time(_time, 5m)`, "184500"},
		{`_time >= "2026-11-24"`, "true"},
		{`weekday(_time)`, "2"},
		{`num(time("2026-03-29T00:35:34.134Z"))`, "1774744534134"},
		{`num(time("1939-02-13T13:50:21.677Z"))`, "-974542178323"},
		{`time("2026-03-29T00:35:34.134Z") - time("1991-09-03T00:00:00.651Z")`, "1090888533483"},
		{`num(1234567ns)`, "1.234567"},
		{`_topic`, `"app-logs"`},
		{`_partition`, "3"},
		{`latency_ms > text`, "false"},
		{`-latency_ms`, "-1250.5"},
		{`5 - 3 - 1`, "1"},
		{`gone ?? none ?? 3`, "3"},
		{`has(gone) ? 1 : null`, "null"},
	} {
		if got, _ := evaluate(t, c.src, app); got != c.want {
			t.Errorf("%s = %s, want %s", c.src, got, c.want)
		}
	}
}

func TestMismatches(t *testing.T) {
	for src, want := range map[string]int64{
		`text >= 500`:                          1,
		`text != 500`:                          1,
		`gone >= 500`:                          0,
		`status >= 500`:                        0,
		`text == "abc"`:                        0,
		`text in [1, 2]`:                       1,
		`tags > 1 or text > 1`:                 2,
		`text > 5s`:                            1,
		`level > 3`:                            1,
		`ok and (text < 1 ? false : text > 2)`: 2,
	} {
		if _, e := evaluate(t, src, app); e.Mismatches() != want {
			t.Errorf("%s: %d mismatches, want %d", src, e.Mismatches(), want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		src, msg, hint string
		pos            int
	}{
		{``, "want a value, not the end", "", 0},
		{`status >=`, "want a value, not the end", "", 9},
		{`status = 5`, "want an operator, not =", "did you mean ==?", 7},
		{`status => 5`, "want an operator, not =", "did you mean >=?", 7},
		{`a == 1 AND b`, "want an operator, not AND", "did you mean and?", 7},
		{`lowr(a) == "x"`, `unknown function "lowr"`, "did you mean lower?", 0},
		{`coalesce(a, b)`, `unknown function "coalesce"`, "write a ?? b", 0},
		{`a == null`, "nothing compares with null", "write has(field) or not has(field)", 5},
		{`lower(5 > 3)`, "lower wants text, not a condition (5 > 3)", "write lower(text)", 6},
		{`"a" * 2`, `* works on numbers, not on text ("a")`, "num(x) reads text as a number", 0},
		{`1 < a < 3`, "one comparison follows another (< at column 3)", "join comparisons: a < b and b < c", 6},
		{`a =~ "("`, "regular expression: missing closing ): `(`", "the syntax is RE2's", 5},
		{`a == 'x`, "the string that begins here does not end: want '", "", 5},
		{`5x > 3`, `"5x" is no number, duration or size: want 5, 1.5, 250ms, 1h30m, 10MB or 64KiB`, "", 0},
		{
			`message contains "x"`, "want an operator, not contains",
			`write contains(field, "text"), starts_with, ends_with, or field =~ "regular expression"`, 8,
		},
		{`a & b`, "unexpected '&'", "did you mean and?", 2},
		{`a <> 5`, "want a value, not >", "did you mean !=?", 3},
		{`a between 1 and 5`, "want an operator, not between", "write x >= a and x <= b", 2},
		{`a =~ /x/`, "want a value, not /", `a regular expression stands in quotes: field =~ "^GET /api"`, 5},
		{`.a > 5`, "unexpected '.'", "a field is its name alone: status, request.method", 0},
		{`$a > 5`, "unexpected '$'", "a field is its name alone: status, request.method", 0},
		{`a == “x”`, "unexpected '“'", `texts stand in "…" or '…'`, 5},
		{`a in ("x", "y")`, "want a list behind in", `write field in ["a", "b"]`, 5},
		{`a not in ("x")`, "want a list behind not in", `write field in ["a", "b"]`, 9},
		{`f(a`, "want , or ), not the end", "", 3},
		{`len(a, b)`, "len does not take 2 arguments", "write len(text)", 0},
		{`a in "x"`, "want a list behind in", `write field in ["a", "b"]; for a text within text, contains(field, "a")`, 5},
		{`a in []`, "the list is empty", "", 5},
		{`[1]`, "a list stands only behind in", `write field in ["a", "b"]`, 0},
		{`true > false`, "true and false have no order", "use == or !=", 0},
		{`len(a) == "5"`, "beside a number, want a number, not text (\"5\")", "write the number without quotes", 10},
		{
			`a - b > 5 and 1m > "x"`, "beside a duration (1m), want a duration, not text (\"x\")",
			"write the duration as in 5m or 250ms", 19,
		},
		{`match(a, b)`, "want a regular expression in quotes, not a value", `write field =~ "^GET /api"`, 9},
		{`match(a, "(x)", 2)`, "the regular expression has no group 2", "", 16},
		{"`", "want a field name and a closing `", "", 0},
		{`"\u12"`, `want four hexadecimal digits of a character behind \u`, "", 1},
		{strings.Repeat("(", 501) + "a", "nested too deeply: want at most 500 levels", "", 500},
	} {
		_, err := expr.Compile(c.src, record.NewPlan())
		var se *expr.SyntaxError
		if !errors.As(err, &se) || se.Msg != c.msg || se.Pos != c.pos || fault.HintOf(err) != c.hint ||
			fault.Status(err) != fault.Usage {
			t.Errorf("%s: %v (hint %q), want %q at %d, hint %q", c.src, err, fault.HintOf(err), c.msg, c.pos, c.hint)
		}
	}
	_, err := expr.CompileBool(`latency_ms * 2`, record.NewPlan())
	want := "expression: want a condition, not a number\n    latency_ms * 2\n    ^"
	if err == nil || err.Error() != want || fault.HintOf(err) != "compare it with something: latency_ms * 2 > 0" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	_, err = expr.Compile("a\t== ü + $", record.NewPlan())
	if want := "    a == ü + $\n             ^"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got\n%v\nwant a caret under $:\n%s", err, want)
	}
}

func TestString(t *testing.T) {
	for src, want := range map[string]string{
		`a&&b||!c`:                `a and b or not c`,
		`a and (b or c)`:          `a and (b or c)`,
		`!(a == 'x')`:             `not (a == "x")`,
		`not a == 1`:              `not (a == 1)`,
		`(a+b)*c`:                 `(a + b) * c`,
		`a-(b-c)`:                 `a - (b - c)`,
		`level>=warn`:             `level >= "warn"`,
		"`a` == `weird name`":     "a == `weird name`",
		"`and` or `_key` == _key": "`and` or `_key` == _key",
		`x > 90s and y < 65536B`:  `x > 1m30s and y < 64KiB`,
		`a ? b : c ? d : e`:       `a ? b : c ? d : e`,
		`(a ? b : c) ? d : e`:     `(a ? b : c) ? d : e`,
		`m =~ '\d+\n'`:            `m =~ "\\d+\n"`,
		`x in[1,2.50]`:            `x in [1, 2.5]`,
		`a.b[0][-1].c == -1`:      `a.b[0][-1].c == -1`,
		`-(a ?? 1)`:               `-(a ?? 1)`,
	} {
		e, err := expr.Compile(src, record.NewPlan())
		if err != nil || e.String() != want {
			t.Errorf("%s: %v, %v, want %s", src, e, err, want)
		}
	}
}

func TestAssignments(t *testing.T) {
	got, err := expr.Assignments("service, attributes.region,ms = latency_ms * 1000 , " +
		"`a b`=x ? \"p,q\" : min(1, 2), _key, d=(a or b)")
	want := []expr.Assignment{
		{Name: "service", Src: "service", Pos: 0},
		{Name: "attributes.region", Src: "attributes.region", Pos: 9},
		{Name: "ms", Src: "latency_ms * 1000", Pos: 32},
		{Name: "a b", Src: `x ? "p,q" : min(1, 2)`, Pos: 58},
		{Name: "_key", Src: "_key", Pos: 81},
		{Name: "d", Src: "(a or b)", Pos: 89},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	for src, msg := range map[string]string{
		``: "want a value, not the end", `a,`: "want a value, not the end", `a b`: "want a comma or an operator, not b",
		`a * 2`: "want a name for what is no mere field", `n=`: "want a value, not the end",
	} {
		if _, err := expr.Assignments(src); firstLine(err) != msg {
			t.Errorf("%q: %v, want %s", src, err, msg)
		}
	}
	for src, hint := range map[string]string{
		"sc-status": "`sc-status` is the field", "a, cs-uri-stem": "`cs-uri-stem` is the field", "a - b": "name=a - b",
		"a-1": "name=a - 1",
	} {
		if _, err := expr.Assignments(src); !strings.HasPrefix(fault.HintOf(err), hint) {
			t.Errorf("%q: hint %q, want %s", src, fault.HintOf(err), hint)
		}
	}
}

func TestCalls(t *testing.T) {
	got, err := expr.Calls(`n=count(), p99.9(latency_ms), bad=count(level=="ERROR" && has(x)), topk(path, 10)`)
	want := []expr.Call{
		{Name: "n", Func: "count", Pos: 2},
		{Func: "p99.9", Args: []string{"latency_ms"}, Pos: 11},
		{Name: "bad", Func: "count", Args: []string{`level == "ERROR" and has(x)`}, Pos: 34},
		{Func: "topk", Args: []string{"path", "10"}, Pos: 67},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	_, err = expr.Calls(`count(), latency_ms`)
	if want := "want an aggregate such as count() or avg(field), not latency_ms"; firstLine(err) != want {
		t.Error(err)
	}
}

// Value gives what AppendJSON writes, and leaves nothing else in the arena.
func TestValue(t *testing.T) {
	for _, c := range []struct {
		src  string
		size int // what it may append
	}{
		{`status`, 0},
		{`message`, 0},
		{`tags`, 0},
		{`gone`, 0},
		{`gone ?? message`, 0},
		{`has(ok)`, 4},
		{`gone == 1`, 5},
		{`upper(trim(message))`, 12},
		{`latency_ms * 2`, 4},
		{`_time`, 24},
		{`took + "x" == "y"`, 5},
		{`lower(gone)`, 0},
		{`lower(service) + upper(service)`, 22},
		{`90s + 1m`, 6},
	} {
		plan := record.NewPlan()
		e, err := expr.Compile(c.src, plan)
		if err != nil {
			t.Fatal(err)
		}
		b := batch(app)
		b.Recs[0].Time = 0
		fill(b, plan)
		want, size := string(e.AppendJSON(nil, b, 0)), len(b.Data)
		v := e.Value(b, 0)
		if got := string(b.AppendJSON(nil, v)); got != want || len(b.Data) != size+c.size {
			t.Errorf("%s is %s and takes %d bytes, want %s and %d", c.src, got, len(b.Data)-size, want, c.size)
		}
	}
}

func TestField(t *testing.T) {
	for src, want := range map[string]string{
		"a.b[0]": "a.b[0]", "(`x y`)": "x y", "_key": "", "a + 1": "", "`_key`": "_key",
	} {
		e, err := expr.Compile(src, record.NewPlan())
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := e.Field(); got != want || ok != (want != "") {
			t.Errorf("%s is the field %q, %v", src, got, ok)
		}
	}
}

// Matcher's short cuts must not change what a regular expression matches.
func TestMatcher(t *testing.T) {
	patterns := []string{
		`abc`, `^abc`, `abc$`, `^abc$`, `^$`, `(?i)abc`, `(?i)disk`, `(?i)kelvin`, `(?i)É`, `a|b|cd`, `(foo|foobar)x?`,
		`(?m)^b$`,
		`x*abc+`,
		`(abc){2}`, `(abc){0,2}`, `[a-c]+d`, `a.c`, `\x{FFFD}`, `(?i)time.?out|refused`, `^(?i)ab`, `\bab\b`, `(?s)a.b`, `()`,
	}
	texts := []string{
		"", "abc", "xabc", "abcx", "ABC", "xAbCy", "disk", "di\u017fk", "\u212aelvin", "é", "É", "a\nb\nc", "abcabc",
		"foox", "foobar",
		"\xff", "\ufffd", "Time-Out", "REFUSED", "ab", "a b", "cd", "abd",
	}
	for _, p := range patterns {
		re := regexp.MustCompile(p)
		match := expr.Matcher(re)
		for _, text := range texts {
			if got, want := match([]byte(text)), re.MatchString(text); got != want {
				t.Errorf("%s on %q: %v, want %v", p, text, got, want)
			}
		}
	}
}

// An expression is shared by goroutines, each with its own batch.
func TestConcurrent(t *testing.T) {
	plan := record.NewPlan()
	e, err := expr.CompileBool(`upper(message) =~ "TIME OUT" and text >= 5`, plan)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			b := batch(app)
			fill(b, plan)
			for range 1000 {
				e.True(b, 0)
			}
		})
	}
	if wg.Wait(); e.Mismatches() != 4000 {
		t.Errorf("%d mismatches, want 4000", e.Mismatches())
	}
}
