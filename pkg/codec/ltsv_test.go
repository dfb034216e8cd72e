package codec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func ltsvParser(plan *record.Plan) lineParser { return newLTSV(plan) }

var ltsvCases = []textCase{
	{
		line: "time:[28/Feb/2013:12:00:00 +0900]\thost:192.168.0.1\treq:GET /list?a=b:c HTTP/1.1\tstatus:200\tsize:-\tua:\tx-1.y_z: a ",
		want: []string{
			"time", `"[28/Feb/2013:12:00:00 +0900]"`, "timestamp", `"[28/Feb/2013:12:00:00 +0900]"`, "host", `"192.168.0.1"`,
			"req", `"GET /list?a=b:c HTTP/1.1"`, "status", `200`, "x-1.y_z", `" a "`,
		},
	},
	{line: "a:1\ta:2\r", want: []string{"a", `1`}},
	{line: "a:0.5\r", want: []string{"a", `0.5`}},
	{line: "msg:second\tmessage:own", want: []string{"message", `"own"`}},
	{line: "date:2026-11-24\ttime:10:00:00", want: []string{
		"time", `"10:00:00"`, "timestamp", `"2026-11-24 10:00:00"`,
	}},
	{line: "a:1\tb", reason: "no label:value at byte 5"},
	{line: "\ta:1\t\tb:2\t", want: []string{"a", `1`, "b", `2`}},
	{line: "a b:1", reason: "no label:value at byte 1"},
	{line: ":1", reason: "no label:value at byte 1"},
	{line: "\t", reason: "no label:value"},
	{line: "", reason: "no label:value"},
}

func TestLTSV(t *testing.T) { checkText(t, ltsvParser, ltsvCases) }

// TestLTSVAgainstNaive writes pairs and reads them back.
func TestLTSVAgainstNaive(t *testing.T) {
	values := []string{"a", "12", "0.5", "a b", `say "x"`, `back\slash`, "ünï", "x:y", " ", "a="}
	for i := range 2000 {
		var fields, want, pairs []string
		for k := range i%7 + 1 {
			name, value := fmt.Sprintf("k%d.x", k), values[(i*31+k*17)%len(values)]
			fields, want, pairs = append(fields, name), append(want, value), append(pairs, name+":"+value)
		}
		line := strings.Join(pairs, "\t")
		b := batchOf([]string{line})
		if reason := newLTSV(planOf(fields...)).parse(b, 0, b.Recs[0].Value); reason != "" {
			t.Fatalf("%s: %s", line, reason)
		}
		for k := range fields {
			if got := string(b.Text(b.Col(k)[0])); got != want[k] {
				t.Fatalf("%s: %s = %q, want %q", line, fields[k], got, want[k])
			}
		}
	}
}

func ltsvLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("time:24/Nov/2026:10:%02d:%02d +0000\thost:10.0.0.%d\treq:GET /a/%d HTTP/1.1\t"+
			"status:%d\tsize:%d\treferer:-\tua:Mozilla/5.0\treqtime:0.%03d", i/60%60, i%60, i%256, i, 200+i%5*100, i, i%1000)
	}
	return lines
}

func TestLTSVDoesNotAllocate(t *testing.T) {
	checkNoAllocs(t, newLTSV(planOf("timestamp", "host", "status", "reqtime")), ltsvLines(1000))
}

func FuzzLTSV(f *testing.F) {
	var seeds []string
	for _, c := range ltsvCases {
		seeds = append(seeds, c.line)
	}
	fuzzText(f, ltsvParser, []string{"timestamp", "message", "msg", "a", "x-1.y_z"}, seeds...)
}

func BenchmarkLTSV(b *testing.B) {
	benchText(b, newLTSV(planOf("timestamp", "host", "status", "reqtime")), ltsvLines(1000))
}
