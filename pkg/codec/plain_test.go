package codec

import (
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func plainParserOf(plan *record.Plan) lineParser { return newPlain(plan) }

// plainCases are lines in the shapes that applications write; want leaves out
// the message, which is always the line.
var plainCases = []struct{ line, time, level string }{
	{"[2016-12-19 16:05:28,463] INFO Rolled new log segment (kafka.log.Log)", "[2016-12-19 16:05:28,463]", "INFO"},
	{"2015-07-29 17:41:44,747 - WARN  [Quorum[myid=1]/0:0:2181:Fast@774] - Notification", "2015-07-29 17:41:44,747", "WARN"},
	{"2015-10-18 18:01:47,978 ERROR [main] org.apache.X: y", "2015-10-18 18:01:47,978", "ERROR"},
	{"17/06/09 20:10:40 INFO executor.Backend: Registered", "17/06/09 20:10:40", "INFO"},
	{"081109 203615 148 INFO dfs.DataNode$PacketResponder: x", "081109 203615", "INFO"},
	{"2016-09-28 04:30:30, Info                  CBS    Loaded", "2016-09-28 04:30:30", "Info"},
	{"[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok", "[Sun Dec 04 04:47:44 2005]", "notice"},
	{"2026/11/24 10:00:00 [error] 31#31: *1 open() failed", "2026/11/24 10:00:00", "error"},
	{"2026-11-24T10:00:00.5Z main.go:12 no info available", "2026-11-24T10:00:00.5Z", ""},
	{"WARNING:root:python says so", "", "WARNING"},
	{"2026-11-24 10:00:00 [pool-1] my.ERROR.Class x DEBUG y", "2026-11-24 10:00:00", "DEBUG"},
	{"java.io.IOException: Connection to 1 was disconnected", "", ""},
	{"\tat kafka.utils.NetworkClient(Network.scala:115)", "", ""},
	{"https 2024-01-15T10:20:30.123456Z app/lb 1.2.3.4:5", "2024-01-15T10:20:30.123456Z", ""},
	{"# Time: 2024-01-15T10:20:30Z", "2024-01-15T10:20:30Z", ""},
	{"I0115 10:20:30.123456    1 main.go:10] an ERROR of others", "I0115 10:20:30.123456", "info"},
	{"E20240115 10:20:30.123456 1 main.cc:10] x", "E20240115 10:20:30.123456", "error"},
	{"warn [main] 2024-01-15 10:20:30 x", "2024-01-15 10:20:30", "warn"},
	{"worker-1 2024-01-15 10:20:30 warn: x", "2024-01-15 10:20:30", "warn"},
	{"[Mon Jan 15 10:20:30.123456 2024] [core:error] [pid 1] x", "[Mon Jan 15 10:20:30.123456 2024]", "error"},
	{"Jan 15, 2024 9:20:30 PM org.apache.catalina.X start", "Jan 15, 2024 9:20:30 PM", ""},
	{"2024-01-15T10:20:30.123456Z 8 [Note] [MY-1] x", "2024-01-15T10:20:30.123456Z", "Note"},
	{"2024-01-15T10:20:30.123456Z 0 [System] [MY-1] x", "2024-01-15T10:20:30.123456Z", "System"},
	{"2024-01-15 10:20:30.123 UTC [1] LOG:  ready", "2024-01-15 10:20:30.123 UTC", "LOG"},
	{"2024-01-15 10:20:30.123 UTC [1] user@db ERROR:  x", "2024-01-15 10:20:30.123 UTC", "ERROR"},
	{"2024-01-15 10:20:30.123 UTC [1] HINT:  See the log for ERROR details.", "2024-01-15 10:20:30.123 UTC", ""},
	{"1:C 15 Jan 2024 10:20:30.123 # WARNING x", "15 Jan 2024 10:20:30.123", "warning"},
	{"1:M 15 Jan 2024 10:20:30.123 * x", "15 Jan 2024 10:20:30.123", "notice"},
	{"1:M 15 Jan 2024 10:20:30.123 - x", "15 Jan 2024 10:20:30.123", "info"},
	{"12:S 15 Jan 2024 10:20:30.123 . x", "15 Jan 2024 10:20:30.123", "debug"},
	{"[I 2024-01-15 10:20:30.123 LabApp] x", "2024-01-15 10:20:30.123", "info"},
	{"01-15 10:20:30.123  1234  1250 W Tag: a FATAL x", "01-15 10:20:30.123", "warning"},
	{"01-15 10:20:30.123 E/Tag( 1234): FATAL EXCEPTION", "01-15 10:20:30.123", "error"},
	{"V/System.err(  321): x", "", "verbose"},
	{"I/O error (3): x", "", ""},
	{"2024-01-15 10:20:30 I am here", "2024-01-15 10:20:30", ""},
	{"2024-01-15 10:20:30 3 4 I", "2024-01-15 10:20:30", ""},
	{"*Jan  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: x", "Jan  1 18:46:11.123 UTC", "notice"},
	{"Jan 15 2024 10:20:30: %ASA-6-302013: ERROR", "Jan 15 2024 10:20:30", "info"},
	{"2024-01-15 10:20:30 100%A-9-B x", "2024-01-15 10:20:30", ""},
	{"15-Jan-2024 10:20:30.123 FINE [main] x", "15-Jan-2024 10:20:30.123", "FINE"},
	{"2024-01-15 10:20:30 fine, it works", "2024-01-15 10:20:30", ""},
	{"2024-01-15 10:20:30.123 +01:00 [WRN] no ERROR", "2024-01-15 10:20:30.123 +01:00", "WRN"},
	{"2024.01.15 10:20:30.123456 [ 1 ] {} <Information> x", "2024.01.15 10:20:30.123456", "Information"},
	{"15-Jan-2024 10:20:30.123 queries: info: client", "15-Jan-2024 10:20:30.123", "info"},
	{"2024-01-15 10:20:30 imap(a): Error: x", "2024-01-15 10:20:30", "Error"},
	{"2024-01-15 10:20:30 it said error: x", "2024-01-15 10:20:30", ""},
	{"I, [2024-01-15T10:20:30.123456 #1234]  INFO -- : x", "2024-01-15T10:20:30.123456", "INFO"},
	{"[2024-01-15T10:20:30Z ERROR app::db] x", "2024-01-15T10:20:30Z", "ERROR"},
	{"[2024-01-15 10:20:30,123: INFO/MainProcess] Task x", "2024-01-15 10:20:30,123", "INFO"},
	{"[2024-01-15 10:20:30,123: WARNING/ForkPoolWorker-1] an ERROR", "2024-01-15 10:20:30,123", "WARNING"},
	{"[10:20:30] [Server thread/WARN]: Can't keep up!", "", "WARN"},
	{"[2024-01-15 10:20:30 +0100] information/ApiListener: New client", "[2024-01-15 10:20:30 +0100]", "information"},
	{"2024-01-15 10:20:30 read /var/log/ERROR: no", "2024-01-15 10:20:30", ""},
	{"2024-01-15 10:20:30 a/error: no", "2024-01-15 10:20:30", ""},
	{"[2024-01-15 10:20:30] production.ERROR: x {\"a\":1}", "[2024-01-15 10:20:30]", "ERROR"},
	{"[2024-01-15T10:20:30.123456+00:00] a.b.CRITICAL: x", "[2024-01-15T10:20:30.123456+00:00]", "CRITICAL"},
	{"2024-01-15 10:20:30 my.error: x", "2024-01-15 10:20:30", ""},
	{"[15-Jan-2024 10:20:30 UTC] PHP Warning:  x in /a.php", "[15-Jan-2024 10:20:30 UTC]", "Warning"},
	{"[15-Jan-2024 10:20:30 UTC] PHP Fatal error:  Uncaught", "[15-Jan-2024 10:20:30 UTC]", "Fatal"},
	{"PHP Parse error:  x", "", "error"},
	{"[15-Jan-2024 10:20:30 UTC] PHP   1. {main}() /error.php:0", "[15-Jan-2024 10:20:30 UTC]", ""},
	{"2024-01-15T10:20:30Z I! Starting", "2024-01-15T10:20:30Z", "info"},
	{"2024-01-15T10:20:30Z E! [inputs.x] an INFO", "2024-01-15T10:20:30Z", "error"},
	{"2024-01-15 10:20:30.123456 W | rafthttp: x", "2024-01-15 10:20:30.123456", "warning"},
	{"[2024-01-15 10:20:30.123456] E [MSGID: 1] [x.c:1:f] 0-v: y", "[2024-01-15 10:20:30.123456]", "error"},
	{"2024-01-15T10:20:30.123+0000 I NETWORK  [conn1] end", "2024-01-15T10:20:30.123+0000", "info"},
	{"2024-01-15T10:20:30.123+0000 F  -        [main] x", "2024-01-15T10:20:30.123+0000", "fatal"},
	{"2024-01-15T10:20:30.123+0000 D1 REPL_HB  [x-1] y", "2024-01-15T10:20:30.123+0000", "debug"},
	{"2024-01-15T10:20:30Z I", "2024-01-15T10:20:30Z", ""},
	{"2024-01-15T10:20:30Z I LIKE it [much]", "2024-01-15T10:20:30Z", ""},
	{"2024-01-15T10:20:30Z I LIKE[1]", "2024-01-15T10:20:30Z", ""},
	{"2024-01-15T10:20:30Z X! y", "2024-01-15T10:20:30Z", ""},
	{"2024/01/15 10:20:30 ...s/web.go:1:func1() [E] x", "2024/01/15 10:20:30", "error"},
	{"2024/01/15 10:20:30 step [7] of [X], <I> and [E", "2024/01/15 10:20:30", ""},
	{"[Nest] 12  - 01/15/2024, 10:20:30 AM     LOG [Loader] x", "01/15/2024, 10:20:30 AM", "LOG"},
	{"2024-01-15 10:20:30 a LOG of it", "2024-01-15 10:20:30", ""},
	{"[1705314030] unbound[123:0] info: x", "[1705314030]", "info"},
	{"INFO [01-15|10:20:30.123] Starting", "[01-15|10:20:30.123]", "INFO"},
	{"\x1b[2m2024-01-15T10:20:30Z\x1b[0m \x1b[32m INFO\x1b[0m x: y", "2024-01-15T10:20:30Z", "INFO"},
	{"2024-01-15T10:20:30Z\t\x1b[34mERROR\x1b[0m\tx", "2024-01-15T10:20:30Z", "ERROR"},
	{"\x1b[36mWARN\x1b[0m[0000] x", "", "WARN"},
	{"fail: Microsoft.X[13]", "", "fail"},
	{"fail to see", "", ""},
	{
		"- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL INFO x",
		"1117838570", "INFO",
	},
	{"2024-01-15-10.20.30.123456-240 I12345E678           LEVEL: Warning", "2024-01-15-10.20.30.123456-240", ""},
	{"[system] up", "", "system"},
	{"system up", "", ""},
	{"error", "", "error"},
	{"an error", "", ""},
	{"", "", ""},
}

func TestPlain(t *testing.T) {
	var cases []textCase
	for _, c := range plainCases {
		want := []string{"message", string(record.AppendQuoted(nil, c.line)), "log", string(record.AppendQuoted(nil, c.line))}
		if c.time != "" {
			want = append(want, "timestamp", string(record.AppendQuoted(nil, c.time)))
		}
		if c.level != "" {
			want = append(want, "level", string(record.AppendQuoted(nil, c.level)))
		}
		cases = append(cases, textCase{line: c.line, want: want})
	}
	checkText(t, plainParserOf, cases)
}

func plainLines() (lines []string) {
	for _, c := range plainCases {
		lines = append(lines, c.line)
	}
	return lines
}

func TestPlainDoesNotAllocate(t *testing.T) {
	checkNoAllocs(t, newPlain(planOf("timestamp", "level", "message")), plainLines())
}

func FuzzPlain(f *testing.F) {
	fuzzText(f, plainParserOf, []string{"timestamp", "level", "message"}, plainLines()...)
}

func BenchmarkPlain(b *testing.B) {
	benchText(b, newPlain(planOf("timestamp", "level", "message")), plainLines()[:8])
}

func TestRegex(t *testing.T) {
	checkText(t, func(plan *record.Plan) lineParser {
		p, err := newRegex(plan, `^(?P<ts>\S+) (?:\[(?P<level>\w*)\] )?(\d+) (?P<msg>.*)`)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}, []textCase{
		{line: "10 [x] 5 hello", want: []string{"ts", `"10"`, "time", `"10"`, "level", `"x"`, "message", `"hello"`}},
		{line: "10 5 ", want: []string{"ts", `"10"`, "time", `"10"`, "message", `""`}},
		{line: "10 x", reason: "does not match the pattern"},
		{line: "", reason: "does not match the pattern"},
	})
	for _, text := range []string{"(", "a(b)c", ""} {
		if _, err := newRegex(planOf("a"), text); err == nil {
			t.Errorf("pattern %q is no error", text)
		}
	}
}

func FuzzRegex(f *testing.F) {
	fuzzText(f, func(plan *record.Plan) lineParser {
		p, err := newRegex(plan, `^(?P<host>\S+) \[(?P<time>[^\]]+)\]( "(?P<path>[^"]*)")? (?P<status>\d+)?`)
		if err != nil {
			f.Fatal(err)
		}
		return p
	}, []string{"host", "timestamp", "path", "status"}, `h [29:23:53:25] "/x" 200`, `h [t] `, `h`)
}

func BenchmarkRegex(b *testing.B) {
	p, err := newRegex(planOf("host", "timestamp", "status"), `^(?P<host>\S+) .*\[(?P<time>[^\]]+)\] "[^"]*" (?P<status>\d+)`)
	if err != nil {
		b.Fatal(err)
	}
	benchText(b, p, logLines(b, "apache_access.log")[:1000])
}
