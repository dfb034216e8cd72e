package codec_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

const (
	apacheLine = `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 20 "http://x.com/" "Mozilla/5.0"`
	commonLine = `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`
	jsonLine   = `{"ts":"2026-11-24T10:00:00Z","msg":"a, b"}`
	// As rsyslog writes by default: most services log without their process.
	newSyslogLines = `2024-01-15T10:20:30.123456+01:00 box systemd[1]: Started x.
2024-01-15T10:20:30.223456+01:00 box sudo:     root : TTY=pts/0
2024-01-15T10:20:30.323456+01:00 box dbus-daemon: a
2024-01-15T10:20:31.323456+01:00 box rsyslogd: b
`
	prose = "the quick brown fox, it seems, jumps"
)

const csvlogFormat = "csv:timestamp,user,database,pid,client,session,line,tag,session_start,vxid,txid,level,code," +
	"message,detail,hint,internal_query,internal_pos,context,query,query_pos,location,application,backend,leader,query_id"

// csvlog returns records of PostgreSQL's csvlog with n columns.
func csvlog(n int) string {
	row := `2026-11-26 10:00:00.123 UTC,"app","db",12,"10.0.0.1:5",65f1.7b,1,"SELECT",2026-11-26 09:00:00 UTC,3/4,0,ERROR,42P01,` +
		`"relation ""x"", it seems,` + "\n" + `does not exist"`
	return strings.Repeat(row+strings.Repeat(",", n-14)+"\n", 3)
}

func TestDetect(t *testing.T) {
	tests := []struct{ name, sample, want string }{
		{"nothing", "", "plain"},
		{"empty lines", "\n\r\n\n", "plain"},
		{"prose", prose + "\n" + prose + "\n", "plain"},
		{"one word", "hello\n", "plain"},
		{"json", jsonLine + "\n", "ndjson"},
		{"json, one odd line", "OpenJDK warning: x=1, y=2\n" + jsonLine + "\n" + jsonLine + "\n", "ndjson"},
		{"json, broken", jsonLine + "\n{\"a\":\n" + jsonLine + "\n", "ndjson"},
		{"json, cut off", `{"a":"` + strings.Repeat("x", 40000), "ndjson"},
		{"json in prose", jsonLine + "\n" + prose + "\n" + prose + "\n", "plain"},
		{"pretty json", "{\n  \"a\": 1\n}\n", "json"},
		{"byte order mark", "\ufeff" + jsonLine + "\n", "ndjson"},
		{"docker", `{"log":"GET / 200\n","stream":"stdout","time":"2016-10-06T00:17:09.6Z"}` + "\n", "docker:plain"},
		{"docker, json", `{"log":"{\"a\":1}\n","stream":"stdout","time":"2016-10-06T00:17:09.6Z"}` + "\n", "docker:ndjson"},
		{"a log key alone", `{"log":"x","time":"2016-10-06T00:17:09.6Z"}` + "\n", "ndjson"},
		{"cri", "2016-10-06T00:17:09.669794202Z stdout F level=info msg=x\n", "cri:logfmt"},
		{"otlp", `{"resourceLogs":[]}` + "\n", "otlp"},
		{"otlp record", `{"timeUnixNano":"1","body":{"stringValue":"x"}}` + "\n", "otlp"},
		{"combined", apacheLine + "\n", "combined"},
		{"common", commonLine + "\n", "common"},
		{"epa", `141.243.1.172 [29:23:53:25] "GET /Software.html HTTP/1.0" 200 1497` + "\n", "common"},
		{"access, garbage first", "\x16\x03\x01\n" + apacheLine + "\n" + apacheLine + "\n", "combined"},
		{"syslog 3164", "<34>Oct 11 22:14:15 mymachine su: 'su root' failed\n", "syslog"},
		{"syslog 5424", "<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 - x\n", "syslog"},
		{"syslog file", "Jun  4 15:16:01 combo sshd(pam_unix)[19939]: check pass; logname= uid=0\n", "syslog"},
		{"syslog, new times", "2026-11-24T10:00:00.123456+01:00 host sshd[123]: x\n", "syslog"},
		{"syslog, new times, few processes", newSyslogLines, "syslog"},
		{"syslog, the kernel", "2026-11-24T10:00:00.123456+01:00 host kernel: [1.5] x\n", "syslog"},
		{"syslog, with a year", "Jan 15 2024 10:20:30 host app[1]: x\nJan 15 2024 10:20:30 host app: y\n", "syslog"},
		{"syslog, the year first", "2024 Jan 15 10:20:30 host app: x\n", "syslog"},
		{"month, day, year and prose", "Jan 15 2024 10:20:30 all is well\n", "plain"},
		{"iso times and tags", "2026-11-24T10:00:00Z worker-1 main: x\n2026-11-24T10:00:00Z worker-2 db: x\n", "plain"},
		{"rsyslog, no process", "2026-11-24T10:00:00.123456+01:00 box CRON: x\n2026-11-24T10:00:00.123456+01:00 box sudo: y\n", "syslog"},
		{"rsyslog's precision and levels", "2026-11-24T10:00:00.123456+01:00 INFO app: x\n", "plain"},
		{"iso times, levels and tags", "2026-11-24T10:00:00Z INFO kernel: x\n2026-11-24T10:00:00Z WARN db: x\n", "plain"},
		{"log4j", "2015-10-18 18:01:47,978 INFO [main] org.apache.X: a, b\n2015-10-18 18:01:47,979 INFO c: d\n", "plain"},
		{"steps of a pipeline", "2026-11-24T10:00:00.1Z ##[group]Run make\n2026-11-24T10:00:01.1Z ##[error]no\n", "plain"},
		{"iso times, levels and processes", "2026-11-24T10:00:00Z info hostd[12] [Originator@6876] x\n", "plain"},
		{"iso times", "2026-11-24T10:00:00Z INFO starting: x\n", "plain"},
		{"apache errors", "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok\n", "plain"},
		{"logfmt", `ts=2026-11-24T10:00:00Z level=info msg="a, b" debug` + "\n", "logfmt"},
		{"ltsv", "time:2026-11-24T10:00:00Z\thost:h\tua:a, b\nhost:h\tstatus:200\n", "ltsv"},
		{"one label", "status:200\nstatus:500\n", "plain"},
		{"times between tabs", "10:00:00\t11:00:00\n10:00:00\t11:00:00\n", "plain"},
		{"labels and prose between tabs", "Name:\tlogctl\nState:\tS (sleeping)\n", "plain"},
		{"two pairs in prose", "connect from=a to=b failed at once\n", "plain"},
		{"csv", "timestamp,value\n2015-09-01 13:45:00,3.06\n2015-09-01 13:50:00,6.44\n", "csv"},
		{"csv, quoted newline", "time,text\n1,\"a\nb,c,d\ne\"\n2,x\n", "csv"},
		{"csv, one odd row", "time,text\n1,a\n2\n3,b\n4,c\n", "csv"},
		{"csv, two columns of one name", "time,value,value\n1,a,b\n2,c,d\n", "csv"},
		{"csv, a row too short and one too long", "time,a,b\n1,a,b\n2,b\n3,a,b\n4,a,b\n5,a,b,c\n6,a,b\n", "csv"},
		{"csv, a long quoted field first", "time,text,n\n1,\"" + strings.Repeat("x\n", 30) + "\",2\n2,b,3\n", "csv"},
		{"one word and commas", "ha,ha,ha\nho,ho,ho\n", "plain"},
		{"csv without a header", "1,a\n2,b\n", "plain"},
		{"a header alone", "time,text\n", "plain"},
		{"prose with commas", "Hello, world\nGood, bye\n", "plain"},
		{"postgres' csvlog", csvlog(26), csvlogFormat},
		{"postgres' csvlog, a statement of many lines", csvlog(26) + `2026-11-26 10:00:00.123 UTC,,"db",1,,"s",1,"x",,,0,LOG,00000,"select` +
			strings.Repeat("\n,1", 30), csvlogFormat},
		{"postgres' csvlog, of version 12", csvlog(23), strings.TrimSuffix(csvlogFormat, ",backend,leader,query_id")},
		{"postgres' csvlog, of no version", csvlog(25), "plain"},
		{"postgres' csvlog without levels", strings.ReplaceAll(csvlog(26), "ERROR", "WORSE"), "plain"},
		{"tsv", "time\ttext\n1\ta b\n", "tsv"},
		{"semicolons", "time;client;amount\n2026-01-01;a;1,5\n2026-01-01;b;2,5\n", "ssv"},
		{"prose with semicolons", "this; is a sentence\nand; so is this\n", "plain"},
		{"zeek", "#separator \\x09\n#fields\tts\n1.5\n", "zeek"},
		{"w3c", "#Version: 1.0\n#Fields: date time c-ip\n2026-11-27 07:00:00 1.2.3.4\n", "w3c"},
		{"w3c, cloudfront", "#Version: 1.0\r\n#Fields: date time x\r\n2026-11-27\t07:00:00\ta\r\n", "w3c"},
		{"comments and prose", "# Fields: none\nhello, it is me\n", "plain"},
		{"prometheus", "# HELP x Y.\n# TYPE x counter\nx{a=\"b\"} 1 1795762800000\nx 2\n", "plain"},
		{"csv, a tab in a name", "time,user\tname,msg\n1,a,b\n2,c,d\n", "csv"},
		{"mixed", commonLine + "\n" + jsonLine + "\n" + prose + "\n", "plain"},
	}
	for _, tt := range tests {
		o := &record.Origin{}
		decoder(t, codec.Options{}).Begin([]byte(tt.sample), o)
		if o.Format != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, o.Format, tt.want)
		}
	}
}

func TestEnough(t *testing.T) {
	for _, tt := range []struct {
		format, sample string
		want           bool
	}{
		{"", "time,text\n", false},
		{"", "time,text\n1,", false},
		{"", "time,text\r\n1,a\r\n", true},
		{"", "\ufefftime;text\n", false},
		{"", "time\ttext\n", false},
		{"", "Hello, world\n", true},
		{"", jsonLine + "\n", true},
		{"", apacheLine + "\n", true},
		{"", "plain text\n", true},
		{"", "#separator \\x09\n#fields\ta\n", false},
		{"", "#separator \\x09\n#fields\ta\n1", true},
		{"zeek", "#separator \\x09\n", false},
		{"", "#Software: IIS\n#Fields: a b\n", false},
		{"", "# it has begun\n", true},
		{"", "[\n", false},
		{"", "[{\"a\":1}]\n", false},
		{"", "[{\"a\":1}]\n[", true},
		{"", "[{\"a\":1},\n", true},
		{"", "{\n\"a\":1,\n", false},
		{"", "{\n\"a\":1}\n", true},
		{"", "{\"Records\":[{}]}\n", false},
		{"", "{\"Records\":[{}]}\n{", true},
		{"json", "{\n\"Records\":\n", false},
		{"", "#Software: IIS\n#Fields: a b\n1", true},
		{"w3c", "#Software: IIS\n", false},
		{"csv", "a,b\n", true},
		{"csv", "\"a\n", false},
		{"csv:a,b", "\"a\n", true},
		{"plain", "time,text\n", true},
	} {
		if got := decoder(t, codec.Options{Format: tt.format}).Enough([]byte(tt.sample)); got != tt.want {
			t.Errorf("--format %q, %q: enough is %v, want %v", tt.format, tt.sample, got, tt.want)
		}
	}
}

func TestBegin(t *testing.T) {
	table := "a,b\r\n1,2\n3,4\n"
	tests := []struct {
		name, format, sample string
		topic, envelope      bool
		want, header         string
		skip                 int
	}{
		{"header", "", table, false, false, "csv", "a,b", 5},
		{"mark and header", "", "\ufeff" + table, false, false, "csv", "a,b", 8},
		{"quoted header", "csv", "\"a\nb\",c\n1,2\n", false, false, "csv", "\"a\nb\",c", 8},
		{"names", "csv:x,y", table, false, false, "csv:x,y", "", 0},
		{"topic", "", table, true, false, "plain", "", 0},
		{"topic, mark", "", "\ufeffx\n", true, false, "plain", "", 0},
		{"forced", "plain", table, false, false, "plain", "", 0},
		{"auto", "auto", jsonLine, false, false, "ndjson", "", 0},
		{"docker", "docker", `{"log":"a=1 b=2","stream":"stdout","time":""}`, false, false, "docker:logfmt", "", 0},
		{"docker of", "docker:plain", `{"log":"a=1 b=2"}`, false, false, "docker:plain", "", 0},
		{"envelope", "", `{"value":"a=1 b=2"}` + "\n" + `{"value":null}`, false, true, "logfmt", "", 0},
		{"zeek", "", "#separator \\x09\n#fields\ta\n1\n", false, false, "zeek", "#separator \\x09\n#fields\ta", 26},
		{"zeek in a topic", "", "#separator \\x09\n#fields\ta\n1\n", true, false, "plain", "", 0},
		{"no newline", "tsv", "a\tb", false, false, "tsv", "a\tb", 3},
	}
	for _, tt := range tests {
		o := &record.Origin{Topic: tt.topic}
		d := decoder(t, codec.Options{Format: tt.format, Envelope: tt.envelope})
		skip := d.Begin([]byte(tt.sample), o)
		if o.Format != tt.want || o.Header != tt.header || skip != tt.skip {
			t.Errorf("%s: got %q, header %q, skip %d", tt.name, o.Format, o.Header, skip)
		}
	}
}

// Of very many small files, finding the format would be half of the work.
func TestBeginOfObjectsAllocatesLittle(t *testing.T) {
	d, err := codec.New(codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	line := `{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","message":"x","log":1,"body":2}` + "\n"
	sample := []byte(strings.Repeat(line, 30))
	if n := testing.AllocsPerRun(10, func() { d.Begin(sample, &record.Origin{}) }); n > 3 {
		t.Errorf("%v allocations, want at most 3", n)
	}
}
