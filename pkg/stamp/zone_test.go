package stamp_test

import (
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/stamp"
)

func TestParseAbbreviatedZone(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"2024-01-15 10:20:30.123 CET", "2024-01-15T09:20:30.123Z"},
		{"2024-07-15 10:20:30 CEST", "2024-07-15T08:20:30Z"},
		{"2024-01-15T10:20:30EST", "2024-01-15T15:20:30Z"},
		{"20240115 102030 PDT", "2024-01-15T17:20:30Z"},
		{"Mon Jan 15 10:20:30 CET 2024", "2024-01-15T09:20:30Z"},
		{"Mon, 15 Jan 2024 10:20:30 MST", "2024-01-15T17:20:30Z"},
		{"2024-01-15 10:20:30 GMT+0100", "2024-01-15T09:20:30Z"},
		{"2024-01-15 10:20:30 UTC-05:30", "2024-01-15T15:50:30Z"},
		{"2024-01-15 10:20:30 IST", ""},
		{"Mon Jan 15 10:20:30 BST 2024", ""},
		{"2024-01-15 10:20:30 CET+0100", ""},
		{"2024-01-15 10:20:30 XYZ", ""},
		{"2024-01-15 10:20:30 CETX", ""},
	} {
		var p stamp.Parser
		got, ok := p.Parse([]byte(test.text), 0)
		if ok != (test.want != "") || ok && got != when(t, test.want) {
			t.Errorf("Parse(%q) = %s, %v; want %q", test.text, stamp.AppendRFC3339(nil, got), ok, test.want)
		}
	}
}

// A capital word behind a stamp is a zone, or one of several zones, or none.
func TestLeadingAbbreviatedZone(t *testing.T) {
	for _, test := range []struct {
		line string
		n    int
		want string
	}{
		{"2024-01-15 10:20:30.123 CET [12] LOG:  ready", 27, "2024-01-15T09:20:30.123Z"},
		{"[2024-01-15 10:20:30 EDT] x", 25, "2024-01-15T14:20:30Z"},
		{"2024-01-15 10:20:30 IST [12] LOG:  ready", 0, ""},
		{"[2024-01-15 10:20:30 IST] x", 0, ""},
		{"2024-01-15 10:20:30 INFO ready", 19, "2024-01-15T10:20:30Z"},
		{"2024-01-15 10:20:30 WARN ready", 19, "2024-01-15T10:20:30Z"},
		{"2024-01-15 10:20:30 EST_ID is 7", 19, "2024-01-15T10:20:30Z"},
		{"2024-01-15 10:20:30 ESTABLISHED", 19, "2024-01-15T10:20:30Z"},
		{"2024-01-15 10:20:30 EST-7", 19, "2024-01-15T10:20:30Z"},
	} {
		var p stamp.Parser
		got, n, ok := p.Leading([]byte(test.line), 0)
		if n != test.n || ok != (n > 0) || ok && got != when(t, test.want) {
			t.Errorf("Leading(%q) = %s, %d, %v; want %s, %d", test.line, stamp.AppendRFC3339(nil, got), n, ok, test.want, test.n)
		}
	}
}

// What is read of the zones that people live in agrees with the tz database,
// or is not read.
func TestAbbreviatedZonesAgainstDatabase(t *testing.T) {
	read := 0
	for _, name := range []string{
		"Europe/Berlin", "Europe/Lisbon", "Europe/Athens", "Europe/London", "Europe/Dublin", "Europe/Moscow", "Africa/Lagos",
		"Africa/Nairobi", "Africa/Maputo", "Africa/Johannesburg", "America/New_York", "America/Chicago", "America/Denver",
		"America/Los_Angeles", "America/Anchorage", "America/Halifax", "Pacific/Honolulu", "Pacific/Pago_Pago",
		"Pacific/Auckland", "Asia/Tokyo", "Asia/Seoul", "Asia/Kolkata", "Asia/Jerusalem", "Australia/Sydney",
		"Australia/Adelaide", "Australia/Perth", "Asia/Hong_Kong", "Asia/Karachi", "Asia/Jakarta", "America/St_Johns",
	} {
		for _, month := range []time.Month{time.January, time.July} {
			at := time.Date(2024, month, 15, 10, 20, 30, 0, mustLoad(t, name))
			text := at.Format("2006-01-02 15:04:05 MST")
			var p stamp.Parser
			got, ok := p.Parse([]byte(text), 0)
			if ok && got != at.UnixNano() {
				t.Errorf("%s: Parse(%q) = %s, want %v", name, text, stamp.AppendRFC3339(nil, got), at.UTC())
			}
			if ok {
				read++
			}
		}
	}
	if read < 45 {
		t.Errorf("%d zones are read, want 45 at least", read)
	}
}
