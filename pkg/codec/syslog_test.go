package codec

import (
	"regexp"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

func syslogParser(plan *record.Plan) lineParser { return newSyslog(plan) }

var syslogCases = []textCase{
	{
		line: `Mar 27 13:06:56 ip-10-77-20-248 sshd[1291]: Server listening on :: port 22.`,
		want: []string{
			"timestamp", `"Mar 27 13:06:56"`, "host", `"ip-10-77-20-248"`, "service", `"sshd"`, "pid", `1291`,
			"message", `"Server listening on :: port 22."`,
		},
	},
	{
		line: `Jun  4 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown`,
		want: []string{
			"timestamp", `"Jun  4 15:16:01"`, "host", `"combo"`, "service", `"sshd(pam_unix)"`, "pid", `19939`,
			"message", `"check pass; user unknown"`,
		},
	},
	{
		line: `<34>Oct 11 22:14:15 mymachine su: 'su root' failed`,
		want: []string{
			"timestamp", `"Oct 11 22:14:15"`, "level", `"crit"`, "facility", `"auth"`, "host", `"mymachine"`, "service", `"su"`,
			"message", `"'su root' failed"`,
		},
	},
	{
		line: `2016-10-06T00:17:09.669794+02:00 box kernel: [12.5] x`,
		want: []string{
			"timestamp", `"2016-10-06T00:17:09.669794+02:00"`, "host", `"box"`, "service", `"kernel"`, "message", `"[12.5] x"`,
		},
	},
	{
		line: `Jun 14 15:16:01 cron[7]: no host`,
		want: []string{"timestamp", `"Jun 14 15:16:01"`, "service", `"cron"`, "pid", "7", "message", `"no host"`},
	},
	{
		line: `Jun 14 15:16:01 combo syslogd 1.4.1: restart.`,
		want: []string{"timestamp", `"Jun 14 15:16:01"`, "host", `"combo"`, "message", `"syslogd 1.4.1: restart."`},
	},
	{
		line: `Jun 14 15:16:01 combo CEF:0|Security|x|1.0|100|worm stopped|10|src=10.0.0.1`,
		want: []string{
			"timestamp", `"Jun 14 15:16:01"`, "host", `"combo"`, "message", `"CEF:0|Security|x|1.0|100|worm stopped|10|src=10.0.0.1"`,
		},
	},
	{
		line: `<13>no time here`,
		want: []string{"level", `"notice"`, "facility", `"user"`, "message", `"no time here"`},
	},
	{
		line: `<165>1 2003-10-11T22:14:15.003Z m.example.com evntslog 42 ID47 ` +
			`[a@1 iut="3" s="x \"y\" \] \\ \n"][b@2 k=""] ` + "\uFEFFhello",
		want: []string{
			"timestamp", `"2003-10-11T22:14:15.003Z"`, "level", `"notice"`, "facility", `"local4"`, "host", `"m.example.com"`,
			"service", `"evntslog"`, "pid", `42`, "msgid", `"ID47"`, "message", `"hello"`, "sd.a@1.iut", `"3"`,
			"sd.a@1.s", `"x \"y\" ] \\ \\n"`, "sd.b@2.k", `""`,
		},
	},
	{
		line: `<0>1 - - - - - -`,
		want: []string{"level", `"emerg"`, "facility", `"kern"`},
	},
	{line: `<191>1 - - - - - - `, want: []string{"level", `"debug"`, "facility", `"local7"`, "message", `""`}},
	{line: `<192>1 - - - - - -`, reason: "priority"},
	{line: `<>x`, reason: "priority"},
	{line: `<1`, reason: "priority"},
	{line: `<14>1 - - -`, reason: "ends before pid"},
	{line: `<14>1 - - - - -`, reason: "structured data"},
	{line: `<14>1 - - - - - [a`, reason: "structured data"},
	{line: `<14>1 - - - - - [a b="c]`, reason: "structured data"},
	{line: `<14>1 - - - - - [a b="c"]x`, reason: "structured data"},
	{line: `<14>1 - - - - - x`, reason: "structured data"},
	{ // of a router of Cisco's: a number comes first
		line: `<189>123: *Nov 24 10:00:01.123: %SYS-5-CONFIG_I: Configured`,
		want: []string{
			"level", `"notice"`, "facility", `"local7"`, "timestamp", `"Nov 24 10:00:01.123"`,
			"message", `"123: *Nov 24 10:00:01.123: %SYS-5-CONFIG_I: Configured"`,
		},
	},
	{ // of a firewall of Cisco's: no host, and a colon behind the time
		line: `<166>Nov 24 2026 10:00:01: %ASA-6-302013: Built`,
		want: []string{
			"level", `"info"`, "facility", `"local4"`, "timestamp", `"Nov 24 2026 10:00:01"`,
			"message", `"Nov 24 2026 10:00:01: %ASA-6-302013: Built"`,
		},
	},
	{line: `hello`, reason: "no time"},
	{line: ``, reason: "no time"},
	{line: `Jun 31 15:16:01 x y: z`, reason: "no time"},
}

func TestSyslog(t *testing.T) { checkText(t, syslogParser, syslogCases) }

// syslogRE is RFC 3164 in files as one would write it at first.
var syslogRE = regexp.MustCompile(`^(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) ([^\s:\[]+)(?:\[(\d+)\])?: (.*)$`)

func TestSyslogAgainstRegexp(t *testing.T) {
	fields := []string{"timestamp", "host", "service", "pid", "message"}
	lines := logLines(t, "auth.log")
	b, p, matched := batchOf(lines), newSyslog(planOf(fields...)), 0
	for row, line := range lines {
		if reason := p.parse(b, row, b.Recs[row].Value); reason != "" {
			t.Fatalf("%s: %s", line, reason)
		}
		m := syslogRE.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		matched++
		for k := range fields {
			if got := string(b.Text(b.Col(k)[row])); got != m[k+1] {
				t.Fatalf("%s: %s = %q, the regexp finds %q", line, fields[k], got, m[k+1])
			}
		}
	}
	if matched < len(lines)*9/10 {
		t.Errorf("the regexp matches %d of %d lines: too few to tell", matched, len(lines))
	}
}

func TestSyslogDoesNotAllocate(t *testing.T) {
	plan := []string{"timestamp", "host", "service", "level", "message", "sd.a.b"}
	checkNoAllocs(t, newSyslog(planOf(plan...)), logLines(t, "auth.log")[:1000])
	checkNoAllocs(t, newSyslog(planOf(plan...)), []string{
		`<34>1 2003-10-11T22:14:15.003Z m su - ID47 [a b="\"c"] x`, `<34>1 2003-10-11T22:14:15.003Z m su - ID47 - x`,
	})
}

func FuzzSyslog(f *testing.F) {
	var seeds []string
	for _, c := range syslogCases {
		seeds = append(seeds, c.line)
	}
	fuzzText(f, syslogParser, append(syslogNames[:], "sd.a.b", "sd.a@1.s"), seeds...)
}

func BenchmarkSyslog(b *testing.B) {
	benchText(b, newSyslog(planOf("timestamp", "host", "service", "message")), logLines(b, "auth.log"))
}
