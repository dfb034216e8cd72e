package codec

import (
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

const w3cHeaderText = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-27 07:00:00\n" +
	"#Fields: date time c-ip cs-uri-stem sc-status cs(User-Agent)"

var w3cNames = []string{"timestamp", "date", "time", "c-ip", "cs-uri-stem", "sc-status", "cs(User-Agent)"}

func TestW3C(t *testing.T) {
	text := w3cHeaderText + "\n" +
		"2026-11-27 07:00:01 ::1 /a 200 Mozilla/5.0+(X11)\n" +
		"2026-11-27\t07:00:02\t1.2.3.4\t/b c\t-\t\"say \"\"x\"\"\"\r\n" +
		"2026-11-27  07:00:03 - \"/d e\" 404 \"broken\n" +
		"2026-11-27 07:00:04 short\n" +
		"#Software: Microsoft Internet Information Services 10.0\n" +
		"#Fields:  date time c-ip cs-uri-stem sc-status cs(User-Agent) \n" +
		"- 07:00:05 ::1 /a 200 -\n" +
		"#Fields: date time c-ip\n"
	want := []string{
		`timestamp="2026-11-27 07:00:01" date="2026-11-27" time="07:00:01" c-ip="::1" cs-uri-stem="/a" sc-status=200 ` +
			`cs(User-Agent)="Mozilla/5.0+(X11)"`,
		`timestamp="2026-11-27 07:00:02" date="2026-11-27" time="07:00:02" c-ip="1.2.3.4" cs-uri-stem="/b c" ` +
			`cs(User-Agent)="say \"x\""`,
		`timestamp="2026-11-27 07:00:03" date="2026-11-27" time="07:00:03" cs-uri-stem="/d e" sc-status=404 ` +
			`cs(User-Agent)="\"broken"`,
		"bad: 3 columns, want the 6 of the header",
		"", "",
		`time="07:00:05" c-ip="::1" cs-uri-stem="/a" sc-status=200`,
		"bad: other columns than those at the beginning of the file",
	}
	plan := record.NewPlan()
	for _, name := range w3cNames {
		plan.Fields = append(plan.Fields, record.Field{Path: name, Names: []string{name}})
	}
	b := readAll(t, text, plan)
	if b.Origin.Format != "w3c" || b.Origin.Header != w3cHeaderText {
		t.Fatalf("found %q with the header %q", b.Origin.Format, b.Origin.Header)
	}
	if got := rowsText(b, w3cNames); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := FieldNames(b); !slices.Equal(got, w3cNames) {
		t.Errorf("its fields are %q", got)
	}
}

// TestDayAndClock has the date and the time of day in two fields.
func TestDayAndClock(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"#Date: 2026-11-27 06:00:00\n#Fields: time n\n07:00:01 1\n", `"2026-11-27 07:00:01"`},
		{"#Fields: time n\n07:00:01 1\n", `"07:00:01"`},
		{"date,time,n\n2026-11-27,07:00:01,1\n2026-11-27,07:00:01,1\n", `"2026-11-27 07:00:01"`},
		{"time;n;date\n7:00:01;1;2026-11-27\n7:00:01;1;2026-11-27\n", `"2026-11-27 7:00:01"`},
		{"date\ttime\n20261127\t07:00:01\n", `"20261127 07:00:01"`},
		{"date,time\n2026-11-27,2026-11-28T07:00:00Z\na,b\n", `"2026-11-28T07:00:00Z"`},
		{"Date,Level,Time\n2026-11-27,x,07:00:01\na,b,c\n", `"2026-11-27 07:00:01"`},
		{"Month,Date,Time\nJun,14,15:16:01\na,b,c\n", "(missing)"},
		{"date,time,timestamp\n2026-11-27,07:00:01,5\na,b,c\n", `5`},
		{"date,time\n,07:00:01\na,b\n", `"07:00:01"`},
		{"date=2026-11-27 time=07:00:01 a=b\n", `"2026-11-27 07:00:01"`},
		{"time=\"07:00:01\" a=b date=2026-11-27\n", `"2026-11-27 07:00:01"`},
		{"time=1795762800 a=b date=2026-11-27\n", `1795762800`},
	} {
		b := readAll(t, c.text, planOf("timestamp"))
		if got := show(b, b.Col(0)[0]); got != c.want {
			t.Errorf("%q: the timestamp is %s, want %s", c.text, got, c.want)
		}
	}
}

// TestExchange has columns that commas part.
func TestExchange(t *testing.T) {
	text := "#Software: Microsoft Exchange Server\n#Log-type: Message Tracking Log\n" +
		"#Fields: date-time,client-ip,recipient,subject\n" +
		"2026-11-27T07:00:01.123Z,10.0.0.1,\"a@x.org,b@x.org\",hello world\n" +
		"2026-11-27T07:00:02.123Z,,a@x.org,\n" +
		"2026-11-27T07:00:03.123Z,10.0.0.1\n"
	names := []string{"timestamp", "client-ip", "recipient", "subject"}
	want := []string{
		`timestamp="2026-11-27T07:00:01.123Z" client-ip="10.0.0.1" recipient="a@x.org,b@x.org" subject="hello world"`,
		`timestamp="2026-11-27T07:00:02.123Z" recipient="a@x.org"`,
		"bad: 2 columns, want the 4 of the header",
	}
	if got := rowsText(readAll(t, text, planOf(names...)), names); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func w3cParser(plan *record.Plan) lineParser { return newW3C(plan, w3cHeaderText) }

func TestW3CDoesNotAllocate(t *testing.T) {
	checkNoAllocs(t, w3cParser(planOf(w3cNames...)), []string{
		"2026-11-27 07:00:01 ::1 /a 200 Mozilla/5.0+(X11)", "2026-11-27\t07:00:02\t1.2.3.4\t/b c\t-\t\"say \"\"x\"\"\"",
	})
}

func FuzzW3C(f *testing.F) {
	fuzzText(f, w3cParser, w3cNames, "2026-11-27 07:00:01 ::1 /a 200 Mozilla", "2026-11-27\t07:00:02\t-\t\"b \"\"c\"\t-\t\"",
		"#Fields: date time", "#Date: x", "  ", "- 7:0 - - - -", "\"\"\" \" \"\" 07:00 x y")
}

func BenchmarkW3C(b *testing.B) {
	benchText(b, w3cParser(planOf("timestamp", "c-ip", "sc-status")), []string{"2026-11-27 07:00:01 ::1 /a 200 Mozilla/5.0+(X11)"})
}
