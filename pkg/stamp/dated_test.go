package stamp_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

func TestParseDated(t *testing.T) {
	ref := when(t, "2024-02-01T00:00:00Z")
	for _, test := range []struct{ text, want string }{
		{"Jan 15 2024 10:20:30", "2024-01-15T10:20:30Z"},
		{"Jan  5 2024 10:20:30.25", "2024-01-05T10:20:30.25Z"},
		{"Jan 15, 2024 10:20:30 PM", "2024-01-15T22:20:30Z"},
		{"Jan 15, 2024 9:20:30 AM", "2024-01-15T09:20:30Z"},
		{"2024 Jan 15 10:20:30", "2024-01-15T10:20:30Z"},
		{"2024 Jan  5 10:20:30 EST", "2024-01-05T15:20:30Z"},
		{"15/Jan/2024 10:20:30", "2024-01-15T10:20:30Z"},
		{"[15-Jan-2024 10:20:30 UTC]", "2024-01-15T10:20:30Z"},
		{"15-Jan-2024 10:20:30.123", "2024-01-15T10:20:30.123Z"},
		{"01/15/2024 10:20:30 AM", "2024-01-15T10:20:30Z"},
		{"1/5/2024, 9:05:03 PM", "2024-01-05T21:05:03Z"},
		{"01/5/2024 12:05:03 AM", "2024-01-05T00:05:03Z"},
		{"01/05/2024 12:05:03.5 PM -0500", "2024-01-05T17:05:03.5Z"},
		{"2024-01-15 10:20:30 PM", "2024-01-15T22:20:30Z"},
		{"1969-01-15 10:20:30 PM", "1969-01-15T22:20:30Z"},
		{"2024-01-15  9:20:30", "2024-01-15T09:20:30Z"},
		{"240115 10:20:30", "2024-01-15T10:20:30Z"},
		{"I0115 10:20:30.123456", "2024-01-15T10:20:30.123456Z"},
		{"W0315 10:20:30.123456", "2023-03-15T10:20:30.123456Z"},
		{"E20240115 10:20:30.123456", "2024-01-15T10:20:30.123456Z"},

		{"15 Jan 2024 10:20:30.123", "2024-01-15T10:20:30.123Z"},
		{"15 January 2024 10:20:30", "2024-01-15T10:20:30Z"},
		{"5 May 2024 10:20:30", "2024-05-05T10:20:30Z"},
		{"15 Janus 2024 10:20:30", ""},
		{"January 15, 2024 10:20:30 PM", "2024-01-15T22:20:30Z"},
		{"September 5 2024 10:20:30", "2024-09-05T10:20:30Z"},
		{"Septembers 5 2024 10:20:30", ""},
		{"Monday, 15-Jan-24 10:20:30 GMT", "2024-01-15T10:20:30Z"},
		{"Wednesday, 15-Jan-75 10:20:30 GMT", "1975-01-15T10:20:30Z"},
		{"Saturday, 15 Jan 2000 10:20:30 +0100", "2000-01-15T09:20:30Z"},
		{"Saturday, 15-Jan-x0 10:20:30 GMT", ""},
		{"Satur, 15-Jan-20 10:20:30 GMT", ""},
		{"Saturday, 15-Jan-20 10:20", ""},
		{"5 Jan 2024 10:20:30 +0100", "2024-01-05T09:20:30Z"},
		{"15.01.2024 10:20:30", "2024-01-15T10:20:30Z"},
		{"5.01.2024 10:20:30", ""},
		{"2024.01.15 10:20:30.5", "2024-01-15T10:20:30.5Z"},
		{"Jan 15, 2024 @ 10:20:30.123", "2024-01-15T10:20:30.123Z"},
		{"01-15 10:20:30.123", "2024-01-15T10:20:30.123Z"},
		{"03-15 10:20:30.123", "2023-03-15T10:20:30.123Z"},

		{"01-15 10:20:30", ""}, // or the first of the fifteenth month
		{"15-01 10:20:30.123", ""},
		{"15 Jan 24 10:20:30", ""},
		{"15.01.2024", ""},
		{"15.13.2024 10:20:30", ""},
		{"15. 1.2024 10:20:30", ""},
		{"01/15/2024 10:20:30", ""}, // or the fifteenth month
		{"01/02/2024 10:20:30", ""}, // January or February
		{"15/01/2024 10:20:30 AM", ""},
		{"01/15/2024 13:20:30 PM", ""},
		{"01/15/2024 10:20", ""},
		{"Jan 32 2024 10:20:30", ""},
		{"Jan 15 2024 25:20:30", ""},
		{"Jan 15 2024", ""},
		{"2024 Jan 15", ""},
		{"2024 Jan 15 10:20", ""},
		{"2024-01-15  ::20:30", ""},
		{"15-Jan/2024 10:20:30", ""},
		{"I0115 10:20:30", ""},
		{"I1315 10:20:30.123456", ""},
		{"X0115 10:20:30.123456", ""},
		{"I01150 10:20:30.123456", ""},
	} {
		var p stamp.Parser
		got, ok := p.Parse([]byte(test.text), ref)
		if ok != (test.want != "") || ok && got != when(t, test.want) {
			t.Errorf("Parse(%q) = %s, %v; want %q", test.text, stamp.AppendRFC3339(nil, got), ok, test.want)
		}
	}
	var p stamp.Parser
	if _, ok := p.Parse([]byte("I0115 10:20:30.123456"), record.NoTime); ok {
		t.Error("klog's stamp is ok without a reference")
	}
}

var finds = []struct {
	line     string
	start, n int
}{
	{"2024-01-15 10:20:30 x", 0, 19},
	{"https 2024-01-15T10:20:30.123456Z app/lb 1", 6, 27},
	{"# Time: 2024-01-15T10:20:30Z", 8, 20},
	{"# Time: 240115 10:20:30", 8, 15},
	{"INFO  [main] [2024-01-15 10:20:30] x", 13, 21},
	{"a b c 2024-01-15 10:20:30", 6, 19},
	{"I0115 10:20:30.123456    1 main.go:10] x", 0, 21},
	{"1705314030 x", 0, 10},
	{"[1705314030] x", 0, 12},
	{"id 1705314030 x", 0, 0},
	{"id [1705314030] x", 0, 0},
	{"a b c d 2024-01-15 10:20:30", 0, 0},
	{"until 2024-01-15, it seems", 0, 0},
	{"at 2024-01-15 10:20:30 IST", 0, 0},
	{"the quick brown fox", 0, 0},
	{strings.Repeat("a", 120) + " 2024-01-15 10:20:30", 121, 19},
	{strings.Repeat("a", 130) + " 2024-01-15 10:20:30", 0, 0},
	{"*Jan  1 10:20:30.123: %SYS-5-CONFIG_I: x", 1, 19},
	{"000345: .Jan  1 10:20:30: %SYS-5-CONFIG_I: x", 9, 15},
	{"Jan 15 2024 10:20:30: %ASA-6-302013: x", 0, 20},
	{"I, [2024-01-15T10:20:30.123456 #1234]  INFO -- : x", 4, 26},
	{"[2024-01-15T10:20:30Z INFO  app] x", 1, 20},
	{"1:M 15 Jan 2024 10:20:30.123 * x", 4, 24},
	{"01-15 10:20:30.123  1234  1250 I Tag: x", 0, 18},
	{"*", 0, 0},
	{"[[", 0, 0},
	{"   ", 0, 0},
	{"", 0, 0},
}

func TestFind(t *testing.T) {
	for _, test := range finds {
		var p stamp.Parser
		_, start, n, ok := p.Find([]byte(test.line), 1705314030e9)
		if start != test.start || n != test.n || ok != (n > 0) {
			t.Errorf("Find(%q) = %d, %d, %v; want %d, %d", test.line, start, n, ok, test.start, test.n)
		}
	}
}

// What is found reads back as the same time, and nothing is out of bounds.
func FuzzFind(f *testing.F) {
	for _, test := range finds {
		f.Add([]byte(test.line))
	}
	for _, test := range forms {
		f.Add([]byte("x " + test.text))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var p, fresh stamp.Parser
		ns, start, n, ok := p.Find(line, 1705314030e9)
		if !ok {
			return
		}
		if again, ok := fresh.Parse(line[start:start+n], 1705314030e9); !ok || again != ns {
			t.Fatalf("Find(%q) = %q, %d; Parse says %d, %v", line, line[start:start+n], ns, again, ok)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"first", "2016-12-19 16:05:28,463 INFO ready"},
		{"bracketed", "[2016-12-19 16:05:28,463] INFO ready"},
		{"second", "https 2024-01-15T10:20:30.123456Z app/lb 1"},
		{"none", "the quick brown fox, it seems, jumps"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var p stamp.Parser
			text := []byte(bench.text)
			for b.Loop() {
				p.Find(text, 0)
			}
		})
	}
}
