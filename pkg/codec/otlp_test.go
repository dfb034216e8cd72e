package codec

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/record"
)

func otlpParser(plan *record.Plan) lineParser { return newOTLP(plan) }

const otlpLine = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}},` +
	`{"key":"host.name","value":{"stringValue":"h1"}}]},"scopeLogs":[{"scope":{"name":"my.lib"},"logRecords":[` +
	`{"timeUnixNano":"1544712660300000000","observedTimeUnixNano":"1544712660300000001","severityNumber":10,` +
	`"severityText":"Information","traceId":"5B8E","spanId":"EEE1","body":{"stringValue":"Example \"log\""},"attributes":[` +
	`{"key":"string.attribute","value":{"stringValue":"some string"}},{"key":"b","value":{"boolValue":true}},` +
	`{"key":"i","value":{"intValue":"10"}},{"key":"d","value":{"doubleValue":637.704}},` +
	`{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"many"}]}}}]},` +
	`{"observedTimeUnixNano":"1544712660300000002","timeUnixNano":"0","severityNumber":17,"body":{"intValue":"3"}}]}]},` +
	`{"resource":{},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1544712660300000003"}]},{"logRecords":[]}]}]}`

var otlpFieldNames = []string{
	"timestamp", "level", "message", "trace_id", "span_id", "scope", "service", "host", "severity_number",
	"attributes.string.attribute", "attributes.b", "attributes.i", "attributes.d", "attributes.a", "resource.service.name",
}

// rowsText returns the fields of the records of b, a bad one as its reason.
func rowsText(b *record.Batch, fields []string) (rows []string) {
	faults := b.Faults
	for row := range b.Recs {
		if b.Recs[row].Flags&record.Bad != 0 {
			rows = append(rows, "bad: "+faults[0].Reason)
			faults = faults[1:]
			continue
		}
		var text []string
		for k := range fields {
			if v := b.Col(k)[row]; v != 0 {
				text = append(text, fields[k]+"="+show(b, v))
			}
		}
		rows = append(rows, strings.Join(text, " "))
	}
	return rows
}

func TestOTLP(t *testing.T) {
	first := `timestamp="1544712660300000000" level="Information" message="Example \"log\"" trace_id="5B8E" span_id="EEE1" ` +
		`scope="my.lib" service="my.service" host="h1" severity_number=10 attributes.string.attribute="some string" ` +
		`attributes.b=true attributes.i=10 attributes.d=637.704 attributes.a=[{"stringValue":"many"}] ` +
		`resource.service.name="my.service"`
	second := `timestamp="1544712660300000002" level="ERROR" message=3 scope="my.lib" service="my.service" host="h1" ` +
		`severity_number=17 resource.service.name="my.service"`
	third := `timestamp="1544712660300000003"`
	lines := []string{
		"early", otlpLine, `{"foo":1}`, `{"resourceLogs":[]}`, `{"resourceLogs":`, `{"body":{"stringValue":"alone"}}`,
		`{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{},7]}]}]}`, otlpLine,
	}
	want := []string{
		"bad: known", first, second, third, "bad: " + notOTLP, "", "bad: the record ends after 16 bytes, want a value",
		`message="alone"`, "bad: " + notOTLP, first, second, third,
	}
	p := newOTLP(planOf(otlpFieldNames...))
	for range 2 {
		b := batchOf(lines)
		b.SetBad(0, "known")
		for i := range b.Recs {
			b.Recs[i].Line = int64(i)
		}
		p.parseBatch(b)
		if got := rowsText(b, otlpFieldNames); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if b.Recs[2].Line != 1 || b.Recs[11].Line != 7 {
			t.Errorf("a log record has line %d, want its line's", b.Recs[2].Line)
		}
		if b.Recs[5].Live() || b.Empty != 1 {
			t.Error("a request without log records is no empty line")
		}
	}
}

// TestOTLPSplitLosesNothing puts the records of requests together again and
// compares with what encoding/json makes of the requests.
func TestOTLPSplitLosesNothing(t *testing.T) {
	const odd = `{ "x" : [1, "}"] , "resourceLogs" : [ {"schemaUrl":"a\u0022,", "scopeLogs": [ {"scope":{}, "schemaUrl": "b", ` +
		`"logRecords" : [ {"body":{"stringValue":"1"}} , {} ], "more": {"deep":[{}]} }, {"logRecords":[{"body":7}]} ] , "resource" : null} ],"y":2}`
	for _, line := range []string{otlpLine, odd} {
		b := batchOf([]string{line})
		newOTLP(record.NewPlan()).parseBatch(b)
		var got []any
		for row := range b.Recs {
			got = append(got, logsOf(t, b.Value(row))...)
			if b.Recs[row].Part != uint32(row) || b.Recs[row].Offset != b.Recs[0].Offset {
				t.Errorf("record %d is part %d at %d", row, b.Recs[row].Part, b.Recs[row].Offset)
			}
		}
		if d := cmp.Diff(logsOf(t, []byte(line)), got); d != "" || len(b.Recs) != 3 {
			t.Errorf("%d records: %s", len(b.Recs), d)
		}
	}
}

// logsOf returns each log record of a request with all that is said around it.
func logsOf(t *testing.T, line []byte) (all []any) {
	t.Helper()
	var request map[string]any
	if err := json.Unmarshal(line, &request); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	list := func(m map[string]any, key string) []any {
		found, _ := m[key].([]any)
		delete(m, key)
		return found
	}
	for _, resource := range list(request, "resourceLogs") {
		for _, scope := range list(resource.(map[string]any), "scopeLogs") {
			for _, log := range list(scope.(map[string]any), "logRecords") {
				all = append(all, []any{request, resource, scope, log})
			}
		}
	}
	return all
}

// TestOTLPAgain reads what the first reading passed on: it is the same.
func TestOTLPAgain(t *testing.T) {
	b := batchOf([]string{otlpLine, `{"body":{"stringValue":"alone"}}`})
	newOTLP(planOf(otlpFieldNames...)).parseBatch(b)
	var lines []string
	for row := range b.Recs {
		lines = append(lines, string(b.Value(row)))
	}
	again := batchOf(lines)
	newOTLP(planOf(otlpFieldNames...)).parseBatch(again)
	if got, want := rowsText(again, otlpFieldNames), rowsText(b, otlpFieldNames); !slices.Equal(got, want) || len(got) != 4 {
		t.Errorf("got %q, want %q", got, want)
	}
	for row, line := range lines {
		if string(again.Value(row)) != line {
			t.Errorf("record %d becomes %s, want %s", row, again.Value(row), line)
		}
	}
}

// TestOTLPRecordsDoNotDependOnTheFieldsRead has a decoder read requests for
// nobody, for somebody, and for objects.
func TestOTLPRecordsDoNotDependOnTheFieldsRead(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := otlpLine + "\n" + `{"resourceLogs":` + "\n" + otlpLine + "\r\n"
	read := func(plan *record.Plan) (records []string) {
		b := &record.Batch{Data: []byte(text), Origin: &record.Origin{Modified: record.NoTime}}
		d.Begin(b.Data, b.Origin)
		d.NewParser(plan).Parse(b)
		for row := range b.Recs {
			records = append(records, string(b.Value(row)))
		}
		return records
	}
	want := read(record.NewPlan())
	if len(want) != 7 {
		t.Fatalf("%d records, want 7", len(want))
	}
	for _, fields := range [][]string{{"message"}, otlpFieldNames} {
		if d := cmp.Diff(want, read(planOf(fields...))); d != "" {
			t.Errorf("reading %v: %s", fields, d)
		}
	}
}

// TestOTLPBareNames finds attributes without their prefix, behind what records
// and their own attributes say.
func TestOTLPBareNames(t *testing.T) {
	const line = `{"resourceLogs":[{"resource":{"attributes":[{"key":"region","value":{"stringValue":"of the resource"}},` +
		`{"key":"zone","value":{"stringValue":"z"}}]},"scopeLogs":[{"logRecords":[{"attributes":[{"key":"statusCode","value":{"intValue":"503"}},` +
		`{"key":"region","value":{"stringValue":"of the record"}},{"key":"message","value":{"stringValue":"no body"}},` +
		`{"key":"level","value":{"stringValue":"x"}}],"severityText":"WARN"}]}]}]}`
	plan := record.NewPlan()
	fields := []string{"status", "region", "zone", "level", "message"}
	for _, name := range fields {
		plan.Column(name)
	}
	b := batchOf([]string{line})
	newOTLP(plan).parseBatch(b)
	want := []string{`status=503 region="of the record" zone="z" level="WARN" message="no body"`}
	if got := rowsText(b, fields); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOTLPThatGrowsBeyondBounds is a request that shares much among many.
func TestOTLPThatGrowsBeyondBounds(t *testing.T) {
	line := `{"resourceLogs":[{"resource":{"x":"` + strings.Repeat("x", 500_000) + `"},"scopeLogs":[{"logRecords":[{}` +
		strings.Repeat(",{}", 150_000) + `]}]}]}`
	b := batchOf([]string{line})
	newOTLP(record.NewPlan()).parseBatch(b)
	if len(b.Recs) != 1 || len(b.Faults) != 1 || len(b.Data) > otlpMost+1<<21 || !strings.Contains(b.Faults[0].Reason, "67 MB") {
		t.Errorf("%d records, %d bytes, %v", len(b.Recs), len(b.Data), b.Faults)
	}
}

func TestOTLPDoesNotAllocate(t *testing.T) {
	b, p := batchOf([]string{otlpLine}), newOTLP(planOf(otlpFieldNames...))
	line, size := b.Recs[0], len(b.Data)
	n := testing.AllocsPerRun(10, func() {
		b.Data, b.Recs = b.Data[:size], append(b.Recs[:0], line)
		p.parseBatch(b)
	})
	if n != 0 {
		t.Errorf("%v allocations for 3 records", n)
	}
}

// FuzzOTLP checks that all records of a batch come out as those of its lines
// by themselves do.
func FuzzOTLP(f *testing.F) {
	f.Add([]byte(otlpLine), []byte(`{"body":{"stringValue":"alone"}}`))
	f.Add([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},7]}]}]}`), []byte(otlpLine))
	f.Add([]byte(`{"resourceLogs":[{"resource":{"attributes":"{}"},"scopeLogs":[7]}]}`), []byte(``))
	shared := newOTLP(planOf(otlpFieldNames...))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var want []string
		for _, line := range [][]byte{one, two} {
			b := &record.Batch{}
			b.Add(line)
			newOTLP(planOf(otlpFieldNames...)).parseBatch(b)
			want = append(want, rowsText(b, otlpFieldNames)...)
		}
		b := &record.Batch{}
		b.Add(one)
		b.Add(two)
		shared.parseBatch(b)
		if got := rowsText(b, otlpFieldNames); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func FuzzOTLPRecord(f *testing.F) {
	fuzzText(f, otlpParser, otlpFieldNames, `{"timeUnixNano":"12","severityNumber":10,"body":{"kvlistValue":{"values":[]}}}`,
		`{"body":{"stringValue":"x"},"attributes":[{"key":"b","value":{"bytesValue":"aGk="}},{"key":"b"},7]}`, `{"resourceLogs":[]}`)
}

// BenchmarkOTLP has ns/line as its figure; a line has three records.
func BenchmarkOTLP(b *testing.B) {
	b.ReportAllocs()
	batch, p := batchOf([]string{otlpLine}), newOTLP(planOf("timestamp", "level", "service", "message", "attributes.i"))
	line, size := batch.Recs[0], len(batch.Data)
	for b.Loop() {
		batch.Data, batch.Recs = batch.Data[:size], append(batch.Recs[:0], line)
		p.parseBatch(batch)
	}
}
