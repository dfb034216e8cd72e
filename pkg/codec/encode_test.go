package codec_test

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
)

func lines(values ...string) *record.Batch {
	b := &record.Batch{}
	for _, v := range values {
		b.Add([]byte(v))
	}
	return b
}

func TestEncodings(t *testing.T) {
	rows := []string{
		`{"service":"cart","n":5,"p99":12.5,"tags":["a","b"],"x":null}`,
		`{"n":1200,"service":"a,\"b\"\n","p99":null,"tags":{"k":1},"x":""}`,
		`{"service":" \u001b[31mé\u202e","n":-1,"n":7,"late":1,"p99":0.25,"x":true}`,
		`plain text`,
	}
	tests := []struct {
		name string
		opt  codec.EncodeOptions
		rows []string
		want string
	}{
		{"json", codec.EncodeOptions{}, rows[:2], rows[0] + "\n" + rows[1] + "\n"},
		{"json", codec.EncodeOptions{}, nil, ""},
		{
			"csv",
			codec.EncodeOptions{},
			rows,
			"service,n,p99,tags,x\ncart,5,12.5,\"[\"\"a\"\",\"\"b\"\"]\",\n" +
				"\"a,\"\"b\"\"\n\",1200,,\"{\"\"k\"\":1}\",\"\"\n\" \x1b[31mé\u202e\",-1,0.25,,true\n,,,,\n",
		},
		{
			"csv",
			codec.EncodeOptions{Columns: []string{"tags.k", "n", "message"}},
			rows,
			"tags.k,n,message\n,5,\n1,1200,\n,-1,\n,,plain text\n",
		},
		{"csv", codec.EncodeOptions{Columns: []string{"a", "b,c"}}, nil, "a,\"b,c\"\n"},
		{"csv", codec.EncodeOptions{}, []string{"x, y", "z"}, "message\n\"x, y\"\nz\n"},
		{"csv", codec.EncodeOptions{}, nil, ""},
		{
			"tsv",
			codec.EncodeOptions{},
			rows[:2],
			"service\tn\tp99\ttags\tx\ncart\t5\t12.5\t[\"a\",\"b\"]\t\na,\"b\"\\n\t1200\t\t{\"k\":1}\t\n",
		},
		{"table", codec.EncodeOptions{}, rows[:3], "" +
			"service              n   p99  tags       x\n" +
			"cart                 5  12.5  [\"a\",\"b\"]\n" +
			"a,\"b\"\\n           1200        {\"k\":1}\n" +
			" \\x1b[31mé\\u202e    -1  0.25             true\n"},
		{"table", codec.EncodeOptions{Width: 12}, rows[:1], "service  n …\ncart     5 …\n"},
		{"table", codec.EncodeOptions{Columns: []string{"a", "n"}}, nil, "a  n\n"},
		{"table", codec.EncodeOptions{}, []string{"\xff\x00"}, "message\n\\xff\\x00\n"},
		{
			"template",
			codec.EncodeOptions{Template: `%o=%v|%%\t%k%p%d%T\x41\n`},
			[]string{"a", "b"},
			"0=a|%\t-1A\n2=b|%\t-1A\n",
		},
	}
	for _, tt := range tests {
		if got := encode(t, tt.name, tt.opt, lines(tt.rows...)); got != tt.want {
			t.Errorf("%s %+v:\n got %q\nwant %q", tt.name, tt.opt, got, tt.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	b := &record.Batch{Origin: &record.Origin{Source: "app", Topic: true, Partition: 2}}
	kafkaRecord(b, []byte("k"), []byte("v"), 1795514400123, []byte("a"), []byte("1"), []byte("b"), []byte("2"))
	kafkaRecord(b, nil, nil, -1)
	got := encode(t, "template", codec.EncodeOptions{Template: `%t/%p %k=%s %T %d %h\n`}, b)
	want := "app/2 k=v 1795514400123 2026-11-24T10:00:00.123Z a=1,b=2\napp/2 = -1 1969-12-31T23:59:59.999Z \n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestEncoderErrors(t *testing.T) {
	for _, tt := range []struct{ name, template, text, hint string }{
		{"jsno", "", `unknown output format "jsno"`, "did you mean json?"},
		{"template", "é %v %x", "template: unknown verb \"%x\"\n  é %v %x\n       ^", "%v value"},
		{"template", `a\q`, "template: unknown escape \"\\\\q\"\n  a\\q\n   ^", "%v value"},
		{"template", "%", "template: unknown verb \"%\"\n  %\n  ^", "%v value"},
	} {
		_, err := codec.NewEncoder(tt.name, codec.EncodeOptions{Template: tt.template})
		if fault.Status(err) != fault.Usage || err.Error() != tt.text || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s %q: got %q, hint %q", tt.name, tt.template, err, fault.HintOf(err))
		}
	}
}

func TestNote(t *testing.T) {
	for _, name := range []string{"csv", "table"} {
		e, _ := codec.NewEncoder(name, codec.EncodeOptions{})
		e.Append(nil, lines(`{"a":1}`, `{"a":1,"b":2}`, `{"c":null,"b":1}`).All())
		want := `2 values had no column, the first under "b": the first record fixes the columns, or --select names them`
		if got := e.(codec.NotingEncoder).Note(); got != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// Live records that stand one behind the other are one run; dropped and bad
// ones, gaps and a missing newline end it.
func TestRuns(t *testing.T) {
	b := &record.Batch{Data: []byte("a\nb\nc\r\nd\n\ne\nxf")}
	for _, s := range [][2]uint32{{0, 1}, {2, 1}, {4, 2}, {7, 1}, {9, 0}, {10, 1}, {13, 1}} {
		b.AddSpan(record.Span{Off: s[0], Len: s[1]})
	}
	b.Recs[1].Flags = record.Dropped
	check := func(lo, hi int, want string) {
		t.Helper()
		var got []string
		for run := range codec.Runs(record.Rows{Batch: b, Lo: lo, Hi: hi}) {
			got = append(got, string(run))
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%d to %d: got %q, want %q", lo, hi, s, want)
		}
	}
	check(0, 7, "a\n|c\r\nd\n\ne\n|f|\n")
	check(3, 5, "d\n\n")
	check(1, 2, "")
	for range codec.Runs(b.All()) {
		break
	}
}

// A table is laid out by its first 1,000 records; Settle does it earlier. Both
// keep all records in order.
func TestTableStreams(t *testing.T) {
	e, _ := codec.NewEncoder("table", codec.EncodeOptions{})
	var got []byte
	for i := range 1500 {
		got = e.Append(got, lines(`{"n":7}`).All())
		if held := len(got) == 0; held != (i < 999) {
			t.Fatalf("after %d records: held back is %v", i+1, held)
		}
	}
	got = e.(codec.FinishingEncoder).Finish(got)
	if n := strings.Count(string(got), "\n"); n != 1501 {
		t.Errorf("%d lines, want 1501", n)
	}
	e, _ = codec.NewEncoder("table", codec.EncodeOptions{})
	got = e.Append(nil, lines(`{"n":7}`).All())
	got = e.(codec.FinishingEncoder).Settle(got)
	got = e.Append(got, lines(`{"n":123}`, `{"n":1}`).All())
	if want := "n\n7\n123\n1\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEncodersDoNotAllocate(t *testing.T) {
	b := lines(`{"service":"a \"b\"","n":5,"tags":["x"]}`, `{"service":"b","n":6,"tags":["x"]}`)
	for _, name := range codec.Encodings {
		e, err := codec.NewEncoder(name, codec.EncodeOptions{Template: "%v %k\n"})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 1<<20)
		run := func() {
			for range 600 {
				dst = e.Append(dst[:0], b.All())
			}
		}
		run()
		if n := testing.AllocsPerRun(3, run); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	batch := &record.Batch{}
	for range 1000 {
		batch.Add([]byte(`{"window_start":"2026-11-24T10:00:00.000Z","service":"payment-api","count":120,"p99":81.25}`))
	}
	for _, name := range []string{"json", "csv", "table"} {
		b.Run(name, func(b *testing.B) {
			e, _ := codec.NewEncoder(name, codec.EncodeOptions{})
			dst := e.Append(nil, batch.All())
			b.ReportAllocs()
			for b.Loop() {
				dst = e.Append(dst[:0], batch.All())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
		})
	}
}
