package codec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

func TestNewErrors(t *testing.T) {
	tests := []struct {
		opt        codec.Options
		text, hint string
	}{
		{codec.Options{Format: "ndjsn"}, `unknown format "ndjsn"`, "did you mean ndjson?"},
		{codec.Options{Format: "plain:x"}, `unknown format "plain:x"`, "one of auto, ndjson"},
		{codec.Options{Format: "docker:csv"}, `unknown format "docker:csv"`, "one of auto"},
		{codec.Options{Format: "docker:logfmr"}, `unknown format "logfmr"`, "did you mean logfmt?"},
		{codec.Options{Format: "csv:a,,b"}, `format "csv:a,,b" has a column without a name`, "csv:time"},
		{
			codec.Options{Format: "regex:(?P<a>x)["},
			"format: missing closing ] in the pattern\n  (?P<a>x)[\n          ^", "regex:",
		},
		{codec.Options{Format: "regex:(?P<é>x)**"}, "format: invalid", "regex:"},
		{codec.Options{Format: "regex:x"}, `format "regex:x" has no named group`, "regex:"},
		{codec.Options{Multiline: "a)b"}, "multiline: unexpected ) in the pattern\n  a)b\n     ^", "--multiline"},
	}
	for _, tt := range tests {
		_, err := codec.New(tt.opt)
		if fault.Status(err) != fault.Usage || !strings.HasPrefix(err.Error(), tt.text) ||
			!strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%+v: got %q, hint %q", tt.opt, err, fault.HintOf(err))
		}
	}
	for _, name := range codec.Formats {
		if name == "regex:" {
			name += "(?P<a>.)"
		}
		decoder(t, codec.Options{Format: name})
	}
}

// An event time comes from the field, else the source, else the arrival.
func TestTimes(t *testing.T) {
	const arrived, stamped = 1_800_000_000e9, 1_790_000_000e9
	tests := []struct {
		value string
		stamp int64
		want  int64
		bad   string
	}{
		{`{"ts":"2026-11-24T10:00:00Z"}`, stamped, 1795514400e9, ""},
		{`{"ts":1795514400123}`, record.NoTime, 1795514400123e6, ""},
		{`{"ts":"2026-11-24T10:00:00\u005a"}`, record.NoTime, 1795514400e9, ""},
		{`{"x":1}`, stamped, stamped, ""},
		{`{"ts":null}`, record.NoTime, arrived, ""},
		{`{"ts":"foo"}`, stamped, stamped, `timestamp "foo": no time format fits`},
		{`{"ts":true}`, record.NoTime, arrived, `timestamp "true": no time format fits`},
		{`{"ts":"Nov 24 10:00:00"}`, 1795514400e9, 1795514400e9, ""},
		{`{"ts":"Nov 24 10:00:00"}`, record.NoTime, 1763978400e9, ""}, // the year of the file
		{`{"ts":`, stamped, stamped, "the record ends after 6 bytes, want a value"},
	}
	d := decoder(t, codec.Options{})
	plan := record.NewPlan()
	plan.ReadTime("")
	p := d.NewParser(plan)
	for _, tt := range tests {
		b := &record.Batch{Origin: &record.Origin{Format: "ndjson", Modified: 1764000000e9}, Arrived: arrived}
		b.Add([]byte(tt.value)).Stamp = tt.stamp
		p.Parse(b)
		if b.Recs[0].Time != tt.want {
			t.Errorf("%s: got time %d, want %d", tt.value, b.Recs[0].Time, tt.want)
		}
		if tt.bad == "" && len(b.Faults) > 0 || tt.bad != "" && (len(b.Faults) != 1 || b.Faults[0].Reason != tt.bad) {
			t.Errorf("%s: got faults %v, want %q", tt.value, b.Faults, tt.bad)
		}
	}
}

// A parser goes from one format to another and back, batch by batch.
func TestManyOrigins(t *testing.T) {
	d := decoder(t, codec.Options{})
	plan := record.NewPlan()
	plan.Column("status")
	p := d.NewParser(plan)
	for range 2 {
		for _, sample := range []string{
			`{"status":200}`, "a,status\nx,200\n", "status,a\n200,x\n", "a=b status=200\n", commonLine + "\n",
			"a\tstatusCode\nx\t200\n",
		} {
			sample = strings.ReplaceAll(sample, " 2326", " 7")
			o := &record.Origin{}
			b := &record.Batch{Origin: o, Data: []byte(sample[d.Begin([]byte(sample), o):])}
			p.Parse(b)
			if got := table(b, 1); got != "200" {
				t.Errorf("%s as %s: got %q", sample, o.Format, got)
			}
		}
	}
}

// Where no field is asked for, nothing is looked into: empty lines stay.
func TestNothingAsked(t *testing.T) {
	b := decode(t, codec.Options{Format: "ndjson"}, "{}\n\n{\n")
	if len(b.Recs) != 3 || len(b.Faults) > 0 || b.Empty != 0 || !b.Recs[1].Live() {
		t.Errorf("got %v, faults %v", framed(b), b.Faults)
	}
	b = decode(t, codec.Options{Format: "ndjson", Check: true}, "{}\n\n{\n")
	if len(b.Recs) != 3 || len(b.Faults) != 1 || b.Faults[0].Row != 2 || b.Empty != 1 {
		t.Errorf("with Check: got %v, faults %v", framed(b), b.Faults)
	}
}

func TestEmptyLines(t *testing.T) {
	for format, empty := range map[string]int{
		"ndjson": 2, "csv:a": 2, "logfmt": 2, "syslog": 2, "plain": 0, "regex:(?P<a>.*)": 0,
	} {
		b := decode(t, codec.Options{Format: format}, "\n\r\n", "a")
		dropped := 0
		for i := range b.Recs {
			if b.Recs[i].Flags&record.Dropped != 0 {
				dropped++
			}
		}
		if b.Empty != empty || dropped != empty || len(b.Faults) > 0 {
			t.Errorf("%s: %d empty, %d dropped, faults %v", format, b.Empty, dropped, b.Faults)
		}
	}
}

// A tombstone has no fields and is not bad.
func TestTombstones(t *testing.T) {
	for _, format := range []string{"ndjson", "csv:a", "otlp", "plain"} {
		d := decoder(t, codec.Options{Format: format})
		b := &record.Batch{Origin: &record.Origin{Topic: true, Format: format}}
		kafkaRecord(b, []byte("k"), nil, 5)
		plan := record.NewPlan()
		plan.Column("a")
		d.NewParser(plan).Parse(b)
		if len(b.Recs) != 1 || !b.Recs[0].Live() || b.Col(0)[0] != 0 || b.Empty != 0 {
			t.Errorf("%s: got %v, faults %v", format, b.Recs, b.Faults)
		}
	}
}

// Faults come in the order of their rows, whoever found them.
func TestFaultsInOrder(t *testing.T) {
	d := decoder(t, codec.Options{Format: "ndjson", MaxRecord: 20})
	plan := record.NewPlan()
	plan.ReadTime("")
	b := &record.Batch{Origin: &record.Origin{Format: "ndjson"}}
	b.Data = []byte("{\"ts\":\"foo\"}\n{\n{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxx\":1}\n{}\n{\"ts\":\"x\"}\n")
	d.NewParser(plan).Parse(b)
	var rows []int
	for _, f := range b.Faults {
		rows = append(rows, f.Row)
	}
	if !slices.Equal(rows, []int{0, 1, 2, 4}) {
		t.Errorf("got %v", b.Faults)
	}
}

func TestFieldNames(t *testing.T) {
	tests := []struct{ data, want string }{
		{"{\"b\":1,\"a.b\":{\"c\":2}}\n{\"x\":1}\n", "b a.b"},
		{"a, b\n", "timestamp level message"},
		{"time,host\n1,2\n", "time host"},
		{"time\thost\n1\t2\n", "time host"},
		{"x=1 y=\"a b\" debug\n", "x y debug"},
		{commonLine + "\n", "host client ident user timestamp request method path query protocol status bytes"},
		{`{"log":"a=1 b=2","stream":"stdout","time":"2016-10-06T00:17:09Z"}` + "\n", "a b timestamp stream"},
		{`{"log":"hello","stream":"stdout","time":"2016-10-06T00:17:09Z"}` + "\n", "timestamp level message stream"},
	}
	for _, tt := range tests {
		b := decode(t, codec.Options{}, tt.data, "zzz")
		if got := strings.Join(codec.FieldNames(b), " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.data, got, tt.want)
		}
	}
	b := decode(t, codec.Options{Format: "regex:(?P<a>.)(.)(?P<b>.)"}, "xyz", "a")
	if got := codec.FieldNames(b); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("regex: got %s", got)
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, `{"ts":"2026-11-24T10:%02d:00.123Z","level":"INFO","service":"s%d","latency_ms":%d.5}`+"\n",
			i%60, i%7, i)
	}
	d := decoder(t, codec.Options{})
	o := &record.Origin{}
	d.Begin([]byte(text.String()), o)
	plan := record.NewPlan()
	plan.ReadTime("")
	plan.Column("service")
	p := d.NewParser(plan)
	b := &record.Batch{}
	run := func() {
		b.Reset()
		b.Origin, b.Data = o, append(b.Data, text.String()...)
		p.Parse(b)
	}
	for range 3 {
		run()
	}
	if n := testing.AllocsPerRun(20, run); n != 0 || len(b.Faults) > 0 {
		t.Errorf("%v allocations, want 0; faults %v", n, b.Faults)
	}
}

// TestCarriageReturns checks that a line end of two bytes is in no field, and
// stays in the record.
func TestCarriageReturns(t *testing.T) {
	for format, line := range map[string]string{
		"common": `10.0.0.1 - - [01/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 512`,
		"syslog": `<34>Jan  1 10:00:00 web1 sshd[4721]: Failed`,
		"plain":  "words", "logfmt": "a=1 message=x", "regex:^(?P<message>.*)$": "words",
		"cri": "2026-01-01T10:00:00Z stdout F words", "ndjson": `{"message":"x"}`, "csv:message": "x", "tsv:message": "x",
	} {
		d, err := codec.New(codec.Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		plan := record.NewPlan()
		for _, name := range []string{"message", "bytes"} {
			plan.Column(name)
		}
		var texts []string
		for _, end := range []string{"\n", "\r\n"} {
			b := &record.Batch{Origin: &record.Origin{Format: format, Modified: record.NoTime}, Data: []byte(line + end)}
			d.NewParser(plan).Parse(b)
			if len(b.Recs) != 1 || !b.Recs[0].Live() || string(b.Value(0)) != line+end[:len(end)-1] {
				t.Fatalf("%s, %q: %d records, faults %v", format, end, len(b.Recs), b.Faults)
			}
			texts = append(texts, string(b.Text(b.At(0, 0)))+string(b.Text(b.At(1, 0))))
		}
		if texts[0] != texts[1] || texts[0] == "" {
			t.Errorf("%s: fields are %q and %q", format, texts[0], texts[1])
		}
	}
}
