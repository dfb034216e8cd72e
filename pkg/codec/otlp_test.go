package codec

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

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
		"bad: known", first, second, third, "bad: " + notOTLP, "bad: the record ends after 16 bytes, want a value",
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
		if b.Recs[2].Line != 1 || b.Recs[10].Line != 7 {
			t.Errorf("a log record has line %d, want its line's", b.Recs[2].Line)
		}
		if !json.Valid(b.Value(1)) || !strings.HasPrefix(string(b.Value(3)), `{"timeUnixNano":"1544712660300000003"`) {
			t.Errorf("a log record's value is %s", b.Value(3))
		}
	}
}

// TestOTLPAgain reads what the first reading passed on.
func TestOTLPAgain(t *testing.T) {
	fields := []string{"timestamp", "level", "message", "attributes.i"}
	b := batchOf([]string{otlpLine})
	newOTLP(planOf(fields...)).parseBatch(b)
	var lines []string
	for row := range b.Recs {
		lines = append(lines, string(b.Value(row)))
	}
	again := batchOf(lines)
	newOTLP(planOf(fields...)).parseBatch(again)
	if got, want := rowsText(again, fields), rowsText(b, fields); !slices.Equal(got, want) || len(got) != 3 {
		t.Errorf("got %q, want %q", got, want)
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
