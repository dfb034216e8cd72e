package stamp_test

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // zones, on machines that have none

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stamp"
)

// when reads an RFC 3339 time with the standard library.
func when(t testing.TB, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixNano()
}

var forms = []struct{ text, want string }{
	{"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"},
	{"2026-11-24t10:00:00z", "2026-11-24T10:00:00Z"},
	{"2026-11-24T10:00:00.123456789+05:30", "2026-11-24T04:30:00.123456789Z"},
	{"2026-11-24T10:00:00.1234567899-0330", "2026-11-24T13:30:00.123456789Z"},
	{"2026-11-24T10:00:00,5+02", "2026-11-24T08:00:00.5Z"},
	{"2026-11-24 10:00:00.250", "2026-11-24T10:00:00.25Z"},
	{"2026-11-24 10:00:00 +0200", "2026-11-24T08:00:00Z"},
	{"2026-11-24 10:00:00 UTC", "2026-11-24T10:00:00Z"},
	{"2026-11-24 10:00:00 Z", "2026-11-24T10:00:00Z"},
	{"2026-11-24T10:00", "2026-11-24T10:00:00Z"},
	{"2026-11-24T10:00+01:00", "2026-11-24T09:00:00Z"},
	{"2026-11-24", "2026-11-24T00:00:00Z"},
	{"2005-11-09 12:55:26", "2005-11-09T12:55:26Z"},
	{"2015-07-29 17:41:44,747", "2015-07-29T17:41:44.747Z"},
	{"[2016-12-19 16:05:28,463]", "2016-12-19T16:05:28.463Z"},
	{"2009/11/10 23:00:00.123123", "2009-11-10T23:00:00.123123Z"},
	{"17/06/09 20:10:40", "2017-06-09T20:10:40Z"},
	{"99/12/31 23:59:59", "1999-12-31T23:59:59Z"},
	{"081109 203615", "2008-11-09T20:36:15Z"},
	{"691109 203615", "1969-11-09T20:36:15Z"},
	{"20261124T100000Z", "2026-11-24T10:00:00Z"},
	{"20261124T100000.250+0130", "2026-11-24T08:30:00.25Z"},
	{"20261124 100000,5", "2026-11-24T10:00:00.5Z"},
	{"20261124 10:00:00.5 +0200", "2026-11-24T08:00:00.5Z"},
	{"20261124-10:00:00", "2026-11-24T10:00:00Z"},
	{"20171223-22:15:29:606", "2017-12-23T22:15:29.606Z"},
	{"20171224-0:7:2:4", "2017-12-24T00:07:02.004Z"},
	{"20261124_10:00:00", "2026-11-24T10:00:00Z"},
	{"17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03Z"},
	{"[17/May/2015:10:05:03 -0700]", "2015-05-17T17:05:03Z"},
	{"17/May/2015:10:05:03.250 +0000", "2015-05-17T10:05:03.25Z"},
	{"Jun 14 15:16:01", "2026-06-14T15:16:01Z"},
	{"Jun  4 15:16:01.5", "2026-06-04T15:16:01.5Z"},
	{"Jun 4 15:16:01", "2026-06-04T15:16:01Z"},
	{"Thu Jun 09 06:07:04 2005", "2005-06-09T06:07:04Z"},
	{"[Thu Jun 09 06:07:04.123456 2005]", "2005-06-09T06:07:04.123456Z"},
	{"Thu Jun  9 06:07:04 UTC 2005", "2005-06-09T06:07:04Z"},
	{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
	{"Sun, 6 Nov 1994 08:49:37 +0100", "1994-11-06T07:49:37Z"},
	{"29:23:53:25", "2026-10-29T23:53:25Z"},
	{"0", "1970-01-01T00:00:00Z"},
	{"1", "1970-01-01T00:00:01Z"},
	{"-1.5", "1969-12-31T23:59:58.5Z"},
	{"4070908800", "2099-01-01T00:00:00Z"},
	{"4070908800000", "2099-01-01T00:00:00Z"},
	{"4070908800000000", "2099-01-01T00:00:00Z"},
	{"4070908800000000000", "2099-01-01T00:00:00Z"},
	{"1795514400.123456789", "2026-11-24T10:00:00.123456789Z"},
	{"1795514400123.456", "2026-11-24T10:00:00.123456Z"},
	{"1.7955144e9", "2026-11-24T10:00:00Z"},
	{"1.795514400123E+12", "2026-11-24T10:00:00.123Z"},
	{"9999999999", ""},
	{"10000000000", "1970-04-26T17:46:40Z"},
	{"1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
	{"2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"},
	{"1677-09-22T00:00:00Z", "1677-09-22T00:00:00Z"},
	{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
	{"2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00.5Z"},
	{"31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00Z"},
	{"Dec 31 23:59:60", "2026-01-01T00:00:00Z"},
	{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
	{"2000-02-29", "2000-02-29T00:00:00Z"},
	{"Feb 29 12:00:00", "2024-02-29T12:00:00Z"},
}

var noForms = []string{
	"081109 203615.", "081109 203661", "081309 203615", "081109  203615", "081109 2036155", "081109T203615", "20261324T100000Z",
	"20261124T250000Z", "20261124T10000", "20261124-10:00", "20261124-10:60:00", "20261124-1:2:3:1000", "20261124-1:2:3:", "20261124x100000",
	"0811a9 203615", "20171224-0:7:2:0004",
	"", " ", "x", "now", "[]", "[", "2026-", "-", "+", ".", "1.", "e", "1e", "0x10", "1_000", "inf", "nan",
	"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-00T00:00:00Z",
	"2026-02-29T00:00:00Z", "2026-02-30", "1900-02-29", "2026-04-31", "2026-11-24T24:00:00Z", "2026-11-24T10:60:00Z",
	"2026-11-24T10:00:61Z", "2026-11-24T10:00:60Z", "2026-11-24T10:00:00.Z", "2026-11-24T10:00:00+24:00",
	"2026-11-24T10:00:00Zx", "2026-11-24T10:00:00 +02", "2026-11-24X10:00:00Z", "2026-11/24 10:00:00",
	"2026-1-02 10:00:00",
	"1600-01-01T00:00:00Z", "2300-01-01T00:00:00Z", "9999999999999999999", "99999999999999999999999", "1e300",
	"32/May/2015:10:05:03 +0000", "17/Mai/2015:10:05:03 +0000", "30/Feb/2015:10:05:03 +0000", "17/May/2015:25:05:03 +0000",
	"Jun 31 15:16:01", "Jun 14 15:16", "Jun 14 24:16:01", "jun 14 15:16:01", "Feb 30 00:00:00",
	"Thu Jun 31 06:07:04 2005", "Thu Jun 09 06:07:04", "Xyz, 06 Nov 1994 08:49:37 GMT", "17/13/09 20:10:40",
	"32:23:53:25", "29:24:53:25", "12:34:56:78:90", "2026-11-24T10:00:00Z 2026-11-24T10:00:00Z",
}

func TestParse(t *testing.T) {
	ref := when(t, "2026-11-24T12:00:00Z")
	var shared stamp.Parser
	for _, test := range forms {
		var fresh stamp.Parser
		got, ok := fresh.Parse([]byte(test.text), ref)
		if ok != (test.want != "") {
			t.Errorf("Parse(%q): ok = %v", test.text, ok)
			continue
		}
		if ok && got != when(t, test.want) {
			t.Errorf("Parse(%q) = %s, want %s", test.text, stamp.AppendRFC3339(nil, got), test.want)
		}
		for range 2 {
			if again, ok2 := shared.Parse([]byte(test.text), ref); again != got || ok2 != ok {
				t.Errorf("Parse(%q) depends on what was parsed before", test.text)
			}
		}
	}
	for _, text := range noForms {
		for range 2 {
			if got, ok := shared.Parse([]byte(text), ref); ok {
				t.Errorf("Parse(%q) = %s, want none", text, stamp.AppendRFC3339(nil, got))
			}
		}
	}
}

func TestParseYearFromRef(t *testing.T) {
	for _, test := range []struct{ text, ref, want string }{
		{"Dec 31 23:59:59", "2026-01-01T00:00:10Z", "2025-12-31T23:59:59Z"},
		{"Jan  1 00:00:01", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z"},
		{"Jan  2 00:00:01", "2025-12-31T23:59:59Z", "2025-01-02T00:00:01Z"},
		{"Jun 14 15:16:01", "2005-06-14T15:16:01Z", "2005-06-14T15:16:01Z"},
		{"Jun 15 15:16:01", "2005-06-14T15:16:01Z", "2005-06-15T15:16:01Z"},
		{"Jun 15 15:16:02", "2005-06-14T15:16:01Z", "2004-06-15T15:16:02Z"},
		{"Feb 29 00:00:00", "1904-02-28T00:00:00Z", "1904-02-29T00:00:00Z"},
		{"Feb 29 00:00:00", "1904-02-27T00:00:00Z", "1896-02-29T00:00:00Z"},
		{"31:00:00:00", "2026-03-01T00:00:00Z", "2026-01-31T00:00:00Z"},
		{"01:00:00:00", "2025-12-31T12:00:00Z", "2026-01-01T00:00:00Z"},
		{"02:00:00:00", "2025-12-31T12:00:00Z", "2025-12-02T00:00:00Z"},
	} {
		var p stamp.Parser
		got, ok := p.Parse([]byte(test.text), when(t, test.ref))
		if !ok || got != when(t, test.want) {
			t.Errorf("Parse(%q) at %s = %s, %v; want %s", test.text, test.ref, stamp.AppendRFC3339(nil, got), ok, test.want)
		}
		if _, ok := p.Parse([]byte(test.text), record.NoTime); ok {
			t.Errorf("Parse(%q) is ok without a reference", test.text)
		}
		p.Parse([]byte(test.text), math.MaxInt64)
		p.Parse([]byte(test.text), math.MinInt64+1)
	}
}

func TestParseZone(t *testing.T) {
	berlin := mustLoad(t, "Europe/Berlin")
	p := stamp.Parser{Zone: berlin}
	for _, test := range []struct{ text, want string }{
		{"2026-07-01 10:00:00", "2026-07-01T08:00:00Z"},
		{"2026-12-01 10:00:00,5", "2026-12-01T09:00:00.5Z"},
		{"2026-12-01T10:00:00.000Z", "2026-12-01T10:00:00Z"},
		{"2026-12-01 10:00:00+03:00", "2026-12-01T07:00:00Z"},
		{"2026-07-01", "2026-06-30T22:00:00Z"},
		{"Jul 01 10:00:00", "2026-07-01T08:00:00Z"},
		{"Wed Jul 01 10:00:00 2026", "2026-07-01T08:00:00Z"},
		{"Wed Jul 01 10:00:00 UTC 2026", "2026-07-01T10:00:00Z"},
		{"1795514400", "2026-11-24T10:00:00Z"},
	} {
		got, ok := p.Parse([]byte(test.text), when(t, "2026-11-24T12:00:00Z"))
		if !ok || got != when(t, test.want) {
			t.Errorf("Parse(%q) in Berlin = %s, want %s", test.text, stamp.AppendRFC3339(nil, got), test.want)
		}
	}
}

func mustLoad(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestLeading(t *testing.T) {
	ref := when(t, "2026-11-24T12:00:00Z")
	for _, test := range []struct {
		line string
		n    int
		want string
	}{
		{"[2016-12-19 16:05:28,463] INFO x", 25, "2016-12-19T16:05:28.463Z"},
		{"2015-07-29 17:41:44,747 - INFO  [x]", 23, "2015-07-29T17:41:44.747Z"},
		{"2015-10-18 18:01:47,978 INFO [main] x", 23, "2015-10-18T18:01:47.978Z"},
		{"17/06/09 20:10:40 INFO x", 17, "2017-06-09T20:10:40Z"},
		{"2016-09-28 04:30:30, Info", 19, "2016-09-28T04:30:30Z"},
		{"[Sun Dec 04 04:47:44 2005] [notice] x", 26, "2005-12-04T04:47:44Z"},
		{"Jun 14 15:16:01 combo sshd: x", 15, "2026-06-14T15:16:01Z"},
		{"2016-10-06T00:17:09.669794202Z stdout F x", 30, "2016-10-06T00:17:09.669794202Z"},
		{"2016-12-19 16:05:28 UTC [77] LOG: x", 23, "2016-12-19T16:05:28Z"},
		{"2016-12-19 16:05:28 UTCx", 19, "2016-12-19T16:05:28Z"},
		{"1157689312.049   5006 10.1.1.1 TCP_MISS/200", 14, "2006-09-08T04:21:52.049Z"},
		{"081109 203615 148 INFO dfs.DataNode: x", 13, "2008-11-09T20:36:15Z"},
		{"20171223-22:15:29:606|Step_LSC|30002312|x", 21, "2017-12-23T22:15:29.606Z"},
		{"20261124T100000Z INFO x", 16, "2026-11-24T10:00:00Z"},
		{"134681 node-246 unix.hw 1077804742", 0, ""},
		{"123456 654321 are numbers", 0, ""},
		{"404 not found at 10:00", 0, ""},
		{"2016 was a year of some kind", 0, ""},
		{"00:11:22:33:44:55 is a device", 0, ""},
		{"[2016-12-19 16:05:28 INFO] x", 0, ""},
		{"2016-12-19 16:05:283 x", 0, ""},
		{"[[[[", 0, ""},
		{"", 0, ""},
	} {
		var p stamp.Parser
		got, n, ok := p.Leading([]byte(test.line), ref)
		if n != test.n || ok != (n > 0) || ok && got != when(t, test.want) {
			t.Errorf("Leading(%q) = %s, %d, %v; want %s, %d", test.line, stamp.AppendRFC3339(nil, got), n, ok, test.want, test.n)
		}
	}
}

// layouts are forms that the standard library reads as well.
var layouts = []string{
	time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00", "2006-01-02 15:04:05.000000-0700",
	"2006-01-02 15:04:05,000", "2006-01-02T15:04:05.999999-07", "2006-01-02T15:04", "2006/01/02 15:04:05", "2006-01-02",
	"02/Jan/2006:15:04:05 -0700",
	"Mon Jan _2 15:04:05 2006", "Mon Jan 02 15:04:05.000000 2006", "Mon, 02 Jan 2006 15:04:05 GMT", time.RFC1123Z,
	"06/01/02 15:04:05", "20060102T150405Z0700", "20060102T150405.000Z0700", "060102 150405", "20060102-15:04:05",
}

func TestParseAgainstTimeParse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var p stamp.Parser
	for range 200_000 {
		layout := layouts[rng.IntN(len(layouts))]
		sec := rng.Int64N(4e9)
		if rng.IntN(4) == 0 && !strings.HasPrefix(layout, "06") {
			sec = rng.Int64N(18e9) - 9e9
		}
		zone := time.FixedZone("", (rng.IntN(95)-47)*15*60)
		if strings.HasSuffix(layout, "-07") {
			zone = time.FixedZone("", (rng.IntN(25)-12)*3600)
		}
		text := []byte(time.Unix(sec, rng.Int64N(1e9)).In(zone).Format(layout))
		if rng.IntN(3) == 0 {
			text[rng.IntN(min(len(text), 15))] = "0123456789"[rng.IntN(10)]
		}
		at, err := time.Parse(layout, string(text))
		got, ok := p.Parse(text, 0)
		if err != nil && strings.Contains(err.Error(), "out of range") && ok &&
			!(strings.Contains(err.Error(), "second") && strings.Contains(string(text), "60")) { // a leap second
			t.Fatalf("Parse(%q) is ok, time.Parse says %v", text, err)
		}
		if err == nil && at.Year() > 1677 && at.Year() < 2262 && (!ok || got != at.UnixNano()) {
			t.Fatalf("Parse(%q) = %s, %v; time.Parse says %v", text, stamp.AppendRFC3339(nil, got), ok, at)
		}
	}
}

func TestAppend(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	zones := []*time.Location{time.UTC}
	for _, name := range []string{"America/St_Johns", "Asia/Kolkata", "Pacific/Apia"} {
		zones = append(zones, mustLoad(t, name))
	}
	const layout = "2006-01-02T15:04:05.000Z07:00"
	for i := range 200_000 {
		ns := int64(rng.Uint64())
		switch i {
		case 0, 1, 2:
			ns = int64(i) - 1
		case 3:
			ns = math.MinInt64
		case 4:
			ns = math.MaxInt64
		}
		at := time.Unix(0, ns)
		if got, want := string(stamp.AppendRFC3339(nil, ns)), at.UTC().Format(layout); got != want {
			t.Fatalf("AppendRFC3339(%d) = %s, want %s", ns, got, want)
		}
		loc := zones[i%len(zones)]
		got := string(stamp.AppendIn(nil, ns, loc))
		if _, east := at.In(loc).Zone(); east%60 == 0 && got != at.In(loc).Format(layout) {
			t.Fatalf("AppendIn(%d, %v) = %s, want %s", ns, loc, got, at.In(loc).Format(layout))
		}
		if back := when(t, got); back != at.Truncate(time.Millisecond).UnixNano() && ns > math.MinInt64+1e9 {
			t.Fatalf("AppendIn(%d, %v) = %s reads back as %d", ns, loc, got, back)
		}
	}
}

func TestFloorInZones(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, name := range []string{"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe"} {
		loc := mustLoad(t, name)
		for range 5000 {
			at := time.Unix(rng.Int64N(3e9), rng.Int64N(1e9)).In(loc)
			if got, want := stamp.FromLocal(stamp.Local(at.UnixNano(), loc), loc), at.UnixNano(); got != want &&
				time.Unix(0, got).In(loc).Format(time.DateTime) != at.Format(time.DateTime) {
				t.Fatalf("%v is %v on the clocks and back", at, time.Unix(0, got).In(loc))
			}
			y, m, d := at.Date()
			if got, want := stamp.Floor(at.UnixNano(), 24*3600e9, loc), time.Date(y, m, d, 0, 0, 0, 0, loc).UnixNano(); got != want {
				t.Fatalf("the day of %v begins at %v, want %v", at, time.Unix(0, got).In(loc), time.Unix(0, want).In(loc))
			}
			week := time.Unix(0, stamp.Floor(at.UnixNano(), 7*24*3600e9, loc)).In(loc)
			if week.Weekday() != time.Monday || week.Format(time.TimeOnly) != "00:00:00" || week.After(at) {
				t.Fatalf("the week of %v begins at %v", at, week)
			}
			if got, want := stamp.Floor(at.UnixNano(), 3600e9, loc), at.Unix()/3600*3600e9; got != want {
				t.Fatalf("the hour of %v begins at %v", at, time.Unix(0, got))
			}
		}
	}
	if got := stamp.Floor(-1, 10, nil); got != -10 {
		t.Errorf("the interval before 1970 begins at %d, want -10", got)
	}
}

func TestParseText(t *testing.T) {
	now := when(t, "2026-11-24T12:00:00Z")
	for _, test := range []struct{ text, want string }{
		{"now", "2026-11-24T12:00:00Z"},
		{"now-15m", "2026-11-24T11:45:00Z"},
		{"now+1h30m", "2026-11-24T13:30:00Z"},
		{"-1h", "2026-11-24T11:00:00Z"},
		{"+2d", "2026-11-26T12:00:00Z"},
		{" 2026-11-23 ", "2026-11-23T00:00:00Z"},
		{"2026-11-23T10:00", "2026-11-23T10:00:00Z"},
		{"Nov 23 10:00:00", "2026-11-23T10:00:00Z"},
		{"1795514400", "2026-11-24T10:00:00Z"},
	} {
		got, err := stamp.ParseText(test.text, now)
		if err != nil || got != when(t, test.want) {
			t.Errorf("ParseText(%q) = %s, %v; want %s", test.text, stamp.AppendRFC3339(nil, got), err, test.want)
		}
	}
	for _, text := range []string{
		"", "-", "-10", "now5m", "now-", "yesterday", "2026-02-30", "-999999999w", "+-1h", "-300y",
	} {
		if got, err := stamp.ParseText(text, now); err == nil {
			t.Errorf("ParseText(%q) = %s, want an error", text, stamp.AppendRFC3339(nil, got))
		} else if !strings.Contains(err.Error(), text) {
			t.Errorf("ParseText(%q): %v does not quote it", text, err)
		}
	}
}

// strict are the texts on which this package and time.Parse, which allows
// hours of one digit and zones of 24 hours but no leap second, are to agree.
var strict = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-57-9]\d([.,]\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzParse(f *testing.F) {
	for _, test := range forms {
		f.Add([]byte(test.text), []byte("2026-11-24T10:00:00.123Z"), int64(1795514400e9))
	}
	f.Fuzz(func(t *testing.T, first, text []byte, ref int64) {
		var p, fresh stamp.Parser
		p.Parse(first, ref)
		got, ok := p.Parse(text, ref)
		want, wantOK := fresh.Parse(text, ref)
		if got != want || ok != wantOK {
			t.Fatalf("Parse(%q) depends on %q", text, first)
		}
		at, err := time.Parse(time.RFC3339Nano, string(text))
		if strict.Match(text) && (err != nil || at.Year() > 1677 && at.Year() < 2262) {
			if ok != (err == nil) || ok && got != at.UnixNano() {
				t.Fatalf("Parse(%q) = %d, %v; time.Parse says %v, %v", text, got, ok, at, err)
			}
		}
		if _, n, ok := p.Leading(text, ref); ok != (n > 0) || n > len(text) {
			t.Fatalf("Leading(%q) = %d, %v", text, n, ok)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"canonical", "2026-11-24T10:00:00.123Z"},
		{"rfc3339", "2026-11-24T10:00:00.123456+02:00"},
		{"log4j", "2016-12-19 16:05:28,463"},
		{"common", "17/May/2015:10:05:03 +0000"},
		{"syslog", "Jun 14 15:16:01"},
		{"epoch", "1795514400123"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var p stamp.Parser
			text := []byte(bench.text)
			for b.Loop() {
				if _, ok := p.Parse(text, 1795514400e9); !ok {
					b.Fatal("not ok")
				}
			}
		})
	}
}

func BenchmarkAppendRFC3339(b *testing.B) {
	b.ReportAllocs()
	var buf []byte
	for ns := int64(1795514400e9); b.Loop(); ns += 1e6 {
		buf = stamp.AppendRFC3339(buf[:0], ns)
	}
}

// TestEveryDayIsWrittenAsItIs compares each day that a time can have with package time.
func TestEveryDayIsWrittenAsItIs(t *testing.T) {
	const day = 24 * int64(time.Hour)
	for n := math.MinInt64 / day; n < math.MaxInt64/day; n++ {
		at := n*day + (n*7919%day+day)%day
		want := time.Unix(0, at).UTC().Format("2006-01-02T15:04:05.000Z")
		if got := string(stamp.AppendRFC3339(nil, at)); got != want {
			t.Fatalf("%d is written as %s, want %s", at, got, want)
		}
	}
}
