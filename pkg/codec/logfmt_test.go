package codec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func logfmtParser(plan *record.Plan) lineParser { return newLogfmt(plan) }

var logfmtCases = []textCase{
	{
		line: `ts=2026-11-24T10:00:00Z level=info msg="a b=c" n=12 f=-1.50 big=1234567890123456 e=1e5 zero=007 debug a.b=x q="" r=`,
		want: []string{
			"ts", `"2026-11-24T10:00:00Z"`, "timestamp", `"2026-11-24T10:00:00Z"`, "level", `"info"`, "message", `"a b=c"`,
			"n", `12`, "f", `-1.50`, "big", `"1234567890123456"`, "e", `"1e5"`, "zero", `"007"`, "debug", `true`, "a.b", `"x"`,
			"q", `""`, "r", `""`,
		},
	},
	{line: `n=1 n=2`, want: []string{"n", `1`}},
	{line: `msg=alias message=own`, want: []string{"message", `"own"`}},
	{line: `log=third msg=second`, want: []string{"message", `"second"`}},
	{line: "  n=a=b\tq=\"\\\"\\\\\\n\\u00e9\"  ", want: []string{"n", `"a=b"`, "q", `"\"\\\n\u00e9"`}},
	{line: `q="\x"`, want: []string{"q", `"\\x"`}},
	{line: "q=\"\\n\x01\xff\"", want: []string{"q", "\"\\n\\u0001\uFFFD\""}},
	{line: `msg=audit(1364481363.243:24287): a=1`, want: []string{"ts", `1364481363.243`, "timestamp", `1364481363.243`, "message", `"audit(1364481363.243:24287):"`}},
	{line: `msg=audit(1364481363.243:24287): time=5`, want: []string{"ts", `5`, "timestamp", `5`, "message", `"audit(1364481363.243:24287):"`}},
	{line: `msg=audit(:24287): a=1`, want: []string{"message", `"audit(:24287):"`}},
	{line: `msg=audit(x a=1`, want: []string{"message", `"audit(x"`}},
	{line: `t=2026-11-24T10:00:00Z`, want: []string{"t", `"2026-11-24T10:00:00Z"`, "ts", `"2026-11-24T10:00:00Z"`, "timestamp", `"2026-11-24T10:00:00Z"`}},
	{line: `t=21.5`, want: []string{"t", `21.5`}},
	{line: `n="12"`, want: []string{"n", `"12"`}},
	{line: `n=-`, want: []string{"n", `"-"`}},
	{line: `n=1 q="open`, reason: "no closing quote and space for the one at byte 7"},
	{line: `n=1 q="a"b`, reason: "no closing quote and space"},
	{line: `n=1 =b`, reason: `got "=" at byte 5, want a key`},
	{line: `n=1 "b"`, reason: `want a key`},
	{line: `n=1 b"c"`, reason: `got a quote at byte 6`},
	{line: `at java.lang.Thread.run(Thread.java:745)`, reason: "no key=value pair"},
	{line: ``, reason: "no key=value pair"},
}

func TestLogfmt(t *testing.T) { checkText(t, logfmtParser, logfmtCases) }

// TestLogfmtAgainstNaive writes pairs and reads them back.
func TestLogfmtAgainstNaive(t *testing.T) {
	values := []string{"a", "12", "0.5", "", "a b", `say "x"`, `back\slash`, "tab\there", "ünï", "x=y", "-"}
	for i := range 5000 {
		var line strings.Builder
		var fields, want []string
		for k := range i%7 + 1 {
			name, value := fmt.Sprintf("k%d.x", k), values[(i*31+k*17)%len(values)]
			fields, want = append(fields, name), append(want, value)
			if strings.ContainsAny(value, " \"\\\t") || value == "" {
				value = string(record.AppendQuoted(nil, value))
			}
			fmt.Fprintf(&line, "%s=%s ", name, value)
		}
		b := batchOf([]string{line.String()})
		if reason := newLogfmt(planOf(fields...)).parse(b, 0, b.Recs[0].Value); reason != "" {
			t.Fatalf("%s: %s", line.String(), reason)
		}
		for k := range fields {
			if got := string(b.Text(b.Col(k)[0])); got != want[k] {
				t.Fatalf("%s: %s = %q, want %q", line.String(), fields[k], got, want[k])
			}
		}
	}
}

// logfmtLines returns n lines as Go programs write them.
func logfmtLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`time=2026-11-24T10:%02d:%02d.123Z level=info component=ingester msg="flushing %d chunks" `+
			`user=tenant-%d latency_ms=%d.%d labels="{app=\"x\"}" cached`, i/60%60, i%60, i, i%100, i%1000, i%10)
	}
	return lines
}

func TestLogfmtDoesNotAllocate(t *testing.T) {
	checkNoAllocs(t, newLogfmt(planOf("timestamp", "level", "message", "labels", "cached")), logfmtLines(1000))
}

func FuzzLogfmt(f *testing.F) {
	var seeds []string
	for _, c := range logfmtCases {
		seeds = append(seeds, c.line)
	}
	fuzzText(f, logfmtParser, []string{"timestamp", "level", "message", "msg", "n", "q", "a.b"}, seeds...)
}

func BenchmarkLogfmt(b *testing.B) {
	benchText(b, newLogfmt(planOf("timestamp", "level", "user", "latency_ms")), logfmtLines(1000))
}
