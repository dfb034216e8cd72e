package codec_test

import (
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// decode reads data as one partition, asking for the given fields.
func decode(tb testing.TB, opt codec.Options, data string, fields ...string) *record.Batch {
	tb.Helper()
	d := decoder(tb, opt)
	o := &record.Origin{Source: "test", Modified: record.NoTime}
	skip := d.Begin([]byte(data), o)
	plan := record.NewPlan()
	for _, f := range fields {
		plan.Column(f)
	}
	b := &record.Batch{Data: []byte(data[skip:]), Origin: o, Line: 1, Base: int64(skip)}
	d.NewParser(plan).Parse(b)
	return b
}

// table writes the fields of b's records, and the reasons of the bad ones.
func table(b *record.Batch, fields int) string {
	var out []string
	fault := 0
	for i := range b.Recs {
		switch {
		case b.Recs[i].Flags&record.Bad != 0:
			out = append(out, "bad: "+b.Faults[fault].Reason)
			fault++
		case b.Recs[i].Live():
			var cells []string
			for k := range fields {
				cells = append(cells, string(b.AppendJSON(nil, b.Col(k)[i])))
			}
			out = append(out, strings.Join(cells, " "))
		}
	}
	return strings.Join(out, "\n")
}

func TestCSV(t *testing.T) {
	tests := []struct{ name, format, data, want string }{
		{
			"kinds", "csv", "status,user\n503,ann\n007,1.50\n-1,\n,\"\"\n1e3,-\n",
			"503 \"ann\"\n\"007\" 1.50\n-1 null\nnull \"\"\n\"1e3\" \"-\"",
		},
		{"aliases, the exact name first", "csv", "statusCode,userId,status\n1,b,2\n3,d,\n", "2 \"b\"\n3 \"d\""},
		{"quotes", "csv", "user,status\n\"a \"\"b\"\"\n,c\",\"5\"\n5\" disk,6\n", "5 \"a \\\"b\\\"\\n,c\"\n6 \"5\\\" disk\""},
		{"header", "csv", "\ufeff\"st\"\"x\", status ,user\r\n1,2,3\r\n", "2 3"},
		{"first of two columns", "csv", "status,status,user\n1,2,x\n", "1 \"x\""},
		{
			"columns", "csv", "status,user\n1\n1,2,3\n\n\r\n4,5\n",
			"bad: 1 columns, want the 2 of the header\nbad: 3 columns, want the 2 of the header\n4 5",
		},
		{
			"quotes that are wrong", "csv", "status,user\n1,\"x\"y\n2,\"x\n",
			"bad: got \"y\" behind the closing quote of column 2, want a comma\nbad: no closing quote in column 2",
		},
		{"given names", "csv:user,status", "a,1\nb,2\n", "1 \"a\"\n2 \"b\""},
		{
			"tsv", "tsv", "status\tuser\n5\ta\\tb\\\\c\\x\n\\N\t\"q\"\r\n1\n",
			"5 \"a\\tb\\\\c\\\\x\"\nnull \"\\\"q\\\"\"\nbad: 1 columns, want the 2 of the header",
		},
		{"given names, tsv", "tsv:user,status", "a\t1\n", "1 \"a\""},
		{
			"semicolons", "ssv", "status;user\n1,5;\"a;\"\"b\"\"\"\n2;a,\"b\n3;\"x\",y\n4;\"a\nb\"\n",
			"\"1,5\" \"a;\\\"b\\\"\"\n2 \"a,\\\"b\"\nbad: got \",\" behind the closing quote of column 2, want a semicolon\n4 \"a\\nb\"",
		},
		{"given names, semicolons", "ssv:user,status", "a;1\n", "1 \"a\""},
		{"only a header", "csv", "status,user", ""},
		{"nothing", "csv", "", ""},
	}
	for _, tt := range tests {
		b := decode(t, codec.Options{Format: tt.format}, tt.data, "status", "user")
		if got := table(b, 2); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// What is bad does not depend on the fields that are asked for.
func TestCSVBadIsBad(t *testing.T) {
	const data = "a,b\n1\n1,2\n\"x\"y,1\n1,\"x\n"
	for _, fields := range [][]string{{"a"}, {"b"}, {"zzz"}} {
		b := decode(t, codec.Options{Format: "csv"}, data, fields...)
		if len(b.Faults) != 3 {
			t.Errorf("%s: got faults %v", fields, b.Faults)
		}
	}
}

func TestCSVInTopic(t *testing.T) {
	d := decoder(t, codec.Options{Format: "csv"})
	o := &record.Origin{Topic: true}
	d.Begin([]byte("a,b\n1,2\n"), o)
	b := &record.Batch{Origin: o}
	b.Add([]byte("1,2"))
	plan := record.NewPlan()
	plan.Column("a")
	d.NewParser(plan).Parse(b)
	if len(b.Faults) != 1 || !strings.Contains(b.Faults[0].Reason, "--format csv:") {
		t.Errorf("got faults %v", b.Faults)
	}
}

// readAll reads text as the standard library does; ok is false where it has
// something to object to.
func readAll(text string) (records [][]string, ok bool) {
	r := stdcsv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, true
		}
		if err != nil {
			return nil, false
		}
		records = append(records, rec)
	}
}

// What encoding/csv reads without an objection, we read alike.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "\"a\"\"\n\",b\n", "a\"b,\n", "\"\"\n\n,\n", "a,\"b\"c\n", "x,\"y",
		"\"a\",\"\",\"\"\"\"\n", "é,\xff\x00\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\r") {
			return // the standard library takes them out of fields
		}
		want, ok := readAll(text)
		if !ok {
			return
		}
		for columns := 1; columns <= 4; columns++ {
			names := []string{"c0", "c1", "c2", "c3"}[:columns]
			b := decode(t, codec.Options{Format: "csv:" + strings.Join(names, ",")}, text, names...)
			checkCSV(t, b, want, columns)
		}
	})
}

func checkCSV(t *testing.T, b *record.Batch, want [][]string, columns int) {
	n := 0
	for i := range b.Recs {
		if b.Recs[i].Flags&record.Dropped != 0 {
			continue
		}
		if n == len(want) {
			t.Fatalf("more than %d records", n)
		}
		if good := b.Recs[i].Live(); good != (len(want[n]) == columns) {
			t.Fatalf("record %d: good is %v, want %q", n, good, want[n])
		}
		for k := 0; k < columns && b.Recs[i].Live(); k++ {
			if got := string(b.Text(b.Col(k)[i])); got != want[n][k] {
				t.Fatalf("record %d: got %q in column %d, want %q", n, got, k, want[n])
			}
		}
		n++
	}
	if n != len(want) {
		t.Fatalf("got %d records, want %d", n, len(want))
	}
}

// Whatever is written as CSV or TSV is read as it was.
func FuzzListRoundTrip(f *testing.F) {
	f.Add("a", "b\n")
	f.Add("\"x\",", " \t\\t\\N")
	f.Add("", "\r")
	f.Fuzz(func(t *testing.T, a, c string) {
		b := &record.Batch{}
		line := record.AppendQuoted([]byte(`{"a":`), a)
		line = append(record.AppendQuoted(append(line, `,"n":null,"b":`...), c), '}')
		b.Add(line)
		want := table(decode(t, codec.Options{Format: "ndjson"}, string(line), "a", "b", "n"), 3)
		for _, format := range []string{"csv", "tsv"} {
			e, err := codec.NewEncoder(format, codec.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			text := string(e.Append(nil, b.All()))
			got := table(decode(t, codec.Options{Format: format}, text, "a", "b", "n"), 3)
			if unquoteNumbers(got) != unquoteNumbers(want) && (format == "csv" || a != "" && c != "") {
				t.Fatalf("%s: %q\n got %s\nwant %s", format, text, got, want)
			}
		}
	})
}

// unquoteNumbers forgets which values were numbers.
func unquoteNumbers(s string) string { return strings.ReplaceAll(s, `"`, "") }

func TestCSVDoesNotAllocate(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "2026-11-24T10:00:%02dZ,\"a \"\"b\"\" %d\",%d,x\n", i%60, i, i)
	}
	data := text.String()
	for _, format := range []string{"csv:timestamp,message,status,d", "tsv:timestamp,message"} {
		d := decoder(t, codec.Options{Format: format})
		o := &record.Origin{}
		d.Begin(nil, o)
		plan := record.NewPlan()
		plan.Column("status")
		plan.Column("message")
		p := d.NewParser(plan)
		b := &record.Batch{}
		run := func() {
			b.Reset()
			b.Origin, b.Data = o, append(b.Data, data...)
			p.Parse(b)
		}
		if format[0] == 't' {
			data = strings.ReplaceAll(strings.ReplaceAll(data, ",\"", "\t\\t"), "\",", "")
		}
		run()
		if len(b.Faults) > 0 {
			t.Fatal(b.Faults[0])
		}
		if n := testing.AllocsPerRun(20, run); n != 0 {
			t.Errorf("%s: %v allocations, want 0", format, n)
		}
	}
}

func BenchmarkCSV(b *testing.B) {
	line := `2026-11-24T10:00:00.000Z,INFO,payment-api,"user ""ann"" authenticated",GET,/api/v1/cart,200,12.34` + "\n"
	names := "csv:timestamp,level,service,message,method,path,status,latency_ms"
	d := decoder(b, codec.Options{Format: names})
	o := &record.Origin{}
	d.Begin(nil, o)
	plan := record.NewPlan()
	plan.ReadTime("")
	for _, f := range []string{"service", "status", "latency_ms"} {
		plan.Column(f)
	}
	p := d.NewParser(plan)
	text := []byte(strings.Repeat(line, 1000))
	batch := &record.Batch{Data: slices.Clone(text), Origin: o}
	p.Parse(batch)
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		batch.Origin, batch.Data = o, append(batch.Data, text...)
		p.Parse(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
}
