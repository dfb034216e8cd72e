package codec

import (
	"regexp"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func accessParser(plan *record.Plan) lineParser { return newAccess(plan) }

var accessCases = []textCase{
	{
		line: `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a/b.png?x=1&y=%20 HTTP/1.1" 200 203023 ` +
			`"http://s.com/" "M (X; 1) /5"`,
		want: []string{
			"client", `"83.149.9.216"`, "timestamp", `"17/May/2015:10:05:03 +0000"`, "method", `"GET"`, "path", `"/a/b.png"`,
			"query", `"x=1&y=%20"`, "protocol", `"HTTP/1.1"`, "status", `200`, "bytes", `203023`, "referer", `"http://s.com/"`,
			"user_agent", `"M (X; 1) /5"`, "request", `"GET /a/b.png?x=1&y=%20 HTTP/1.1"`, "time", `"17/May/2015:10:05:03 +0000"`,
			"statusCode", "200",
		},
	},
	{
		line: `::1 - frank [10/Oct/2000:13:55:36 -0700] "-" 408 -`,
		want: []string{
			"client", `"::1"`, "user", `"frank"`, "timestamp", `"10/Oct/2000:13:55:36 -0700"`, "status", `408`,
			"time", `"10/Oct/2000:13:55:36 -0700"`, "statusCode", "408",
		},
	},
	{
		line: `www.x.org:443 2001:db8::1 - Jane Doe [10/Oct/2000:13:55:36 -0700] "POST /f HTTP/2.0" 204 0 "-" "-" "10.0.0.1" 0.012`,
		want: []string{
			"host", `"www.x.org"`, "client", `"2001:db8::1"`, "user", `"Jane Doe"`, "timestamp", `"10/Oct/2000:13:55:36 -0700"`,
			"request", `"POST /f HTTP/2.0"`, "method", `"POST"`, "path", `"/f"`, "protocol", `"HTTP/2.0"`, "status", `204`,
			"bytes", `0`, "time", `"10/Oct/2000:13:55:36 -0700"`, "statusCode", "204",
		},
	},
	{
		line: `h id u [t] "GET /\"q\"\x22\xff\\ HTTP/1.0" 200 1 "a \"b\"" "c\td"`,
		want: []string{
			"client", `"h"`, "ident", `"id"`, "user", `"u"`, "timestamp", `"t"`, "time", `"t"`, "status", `200`, "bytes", `1`,
			"request", "\"GET /\\\"q\\\"\\\"\uFFFD\\\\ HTTP/1.0\"", "method", `"GET"`, "path", "\"/\\\"q\\\"\\\"\uFFFD\\\\\"",
			"protocol", `"HTTP/1.0"`, "referer", `"a \"b\""`, "user_agent", `"c\td"`, "statusCode", "200",
		},
	},
	{
		line: `h - - [t] "\x16\x03\x01" 400 226`,
		want: []string{
			"client", `"h"`, "timestamp", `"t"`, "time", `"t"`, "status", `400`, "bytes", `226`, "statusCode", "400",
			"request", `"\u0016\u0003\u0001"`,
		},
	},
	{
		line: `h [29:23:53:25] "GET /a"b" c" HTTP/1.0" 200 1497`,
		want: []string{
			"client", `"h"`, "timestamp", `"29:23:53:25"`, "time", `"29:23:53:25"`, "status", `200`, "bytes", `1497`,
			"request", `"GET /a\"b\" c\" HTTP/1.0"`, "method", `"GET"`, "path", `"/a\"b\" c\""`, "protocol", `"HTTP/1.0"`,
			"statusCode", "200",
		},
	},
	{
		line: `h - - [t] "GET /old" 000 12 "r"`,
		want: []string{
			"client", `"h"`, "timestamp", `"t"`, "time", `"t"`, "status", `"000"`, "bytes", `12`, "request", `"GET /old"`,
			"method", `"GET"`, "path", `"/old"`, "referer", `"r"`, "statusCode", `"000"`,
		},
	},
	{
		line: `h [t] "GET /" 404`,
		want: []string{
			"client", `"h"`, "timestamp", `"t"`, "time", `"t"`, "status", `404`, "statusCode", "404", "request", `"GET /"`,
			"method", `"GET"`, "path", `"/"`,
		},
	},
	{line: "", reason: "before the time"},
	{line: "[t] \"GET\" 200 1", reason: "before the time"},
	{line: `h - - [t`, reason: "between the time and the request"},
	{line: `h - - [t] GET / 200 1`, reason: "between the time and the request"},
	{line: `h - - [t] "GET / HTTP/1.0`, reason: "no status behind a request"},
	{line: `h - - [t] "GET / HTTP/1.0" x 1`, reason: "no status behind a request"},
	{line: `h - - [t] "GET / HTTP/1.0" 20`, reason: "no status behind a request"},
	{line: `h - - [t] "GET / HTTP/1.0" 200 `, reason: "neither a number"},
	{line: `h - - [t] "GET / HTTP/1.0" 200 12x`, reason: "neither a number"},
	{line: `h - - [t] "GET / HTTP/1.0" 200 12 "ref" "cut`, reason: "no closing quote behind the user_agent"},
	{line: `h u [t] "GET / HTTP/1.0" 200 12`, reason: "names before the time"},
}

func TestAccess(t *testing.T) { checkText(t, accessParser, accessCases) }

// combinedRE is combined as one would write it at first.
var combinedRE = regexp.MustCompile(`^(\S+) (\S+) (.+?) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)` +
	`(?: "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)")?)?(?: "(?:[^"\\]|\\.)*"| [^" ]+)*$`)

func TestAccessAgainstRegexp(t *testing.T) {
	fields := []string{"client", "ident", "user", "timestamp", "request", "status", "bytes", "referer", "user_agent"}
	// One line of the first file ends amid the user agent.
	for name, wantBad := range map[string]int{"apache_access.log": 1, "nginx_access.log": 0} {
		lines := logLines(t, name)
		b, p, bad := batchOf(lines), newAccess(planOf(fields...)), 0
		for row, line := range lines {
			reason := p.parse(b, row, b.Recs[row].Value)
			m := combinedRE.FindStringSubmatch(line)
			if (reason == "") != (m != nil) {
				t.Errorf("%s: reason %q, the regexp says %v", line, reason, m != nil)
			}
			if reason != "" {
				bad++
			}
			if reason != "" || m == nil {
				continue
			}
			for k := range fields {
				want := m[k+1]
				if want == "-" {
					want = ""
				}
				if strings.Contains(want, `\`) {
					want = string(appendUnquoted(nil, []byte(want)))
				}
				if got := string(b.Text(b.Col(k)[row])); got != want {
					t.Errorf("%s: %s = %q, the regexp finds %q", line, fields[k], got, want)
				}
			}
		}
		if len(lines) < 1000 || bad != wantBad {
			t.Errorf("%s: %d of %d lines are bad, want %d", name, bad, len(lines), wantBad)
		}
	}
}

func TestAccessDoesNotAllocate(t *testing.T) {
	checkNoAllocs(t, newAccess(planOf("client", "timestamp", "path", "status", "bytes", "user_agent")),
		logLines(t, "apache_access.log")[:1000])
}

func FuzzAccess(f *testing.F) {
	var seeds []string
	for _, c := range accessCases {
		seeds = append(seeds, c.line)
	}
	fuzzText(f, accessParser, accessNames[:], seeds...)
}

func BenchmarkAccess(b *testing.B) {
	benchText(b, newAccess(planOf("timestamp", "client", "status", "bytes")), logLines(b, "apache_access.log"))
}
