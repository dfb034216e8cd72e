package codec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/proof"
	"github.com/logctl/logctl/pkg/record"
)

func decoder(tb testing.TB, opt codec.Options) *codec.Decoder {
	tb.Helper()
	d, err := codec.New(opt)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// framed describes the records of b.
func framed(b *record.Batch) []string {
	var out []string
	for i := range b.Recs {
		r := &b.Recs[i]
		out = append(out, fmt.Sprintf("%d:%d:%q:%d", r.Line, r.Offset, b.Value(i), r.Flags))
	}
	return out
}

// inPieces frames data as a source does that reads up to step(i) bytes at a time.
func inPieces(f codec.Framer, data string, step func() int) []string {
	var out []string
	base, line := int64(0), int64(1)
	carry := ""
	for {
		n := min(step(), len(data))
		carry, data = carry+data[:n], data[n:]
		cut := f.Cut([]byte(carry))
		if data == "" {
			cut = len(carry)
		}
		b := &record.Batch{Data: []byte(carry[:cut]), Base: base, Line: line}
		f.Frame(b)
		out = append(out, framed(b)...)
		base += int64(cut)
		line += int64(strings.Count(carry[:cut], "\n"))
		carry = carry[cut:]
		if data == "" {
			return out
		}
	}
}

var framers = []struct {
	name string
	opt  codec.Options
}{
	{"lines", codec.Options{Format: "ndjson", MaxRecord: 20}},
	{"csv", codec.Options{Format: "csv:a,b", MaxRecord: 20}},
	{"multiline", codec.Options{Format: "plain", Multiline: "^a", MaxRecord: 20}},
}

// Wherever a stream is cut into pieces, its records are the same, and they
// hold all of its bytes but the newlines between them.
func TestChunking(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const alphabet = "ab,,\"\"\n\n\r\x00\xff"
	for _, tt := range framers {
		d := decoder(t, tt.opt)
		o := &record.Origin{}
		d.Begin(nil, o)
		f := d.Framer(o)
		for range proof.Some(3000) {
			text := make([]byte, r.IntN(60))
			for i := range text {
				text[i] = alphabet[r.IntN(len(alphabet))]
			}
			want := inPieces(f, string(text), func() int { return len(text) })
			for _, most := range []int{1, 3, 25} {
				got := inPieces(f, string(text), func() int { return 1 + r.IntN(most) })
				if !slices.Equal(got, want) {
					t.Fatalf("%s: %q\n got %s\nwant %s", tt.name, text, got, want)
				}
			}
			b := &record.Batch{Data: slices.Clone(text)}
			f.Frame(b)
			end := 0
			for i := range b.Recs {
				if int(b.Recs[i].Value.Off) != end {
					t.Fatalf("%s: %q: a record begins at %d, want %d", tt.name, text, b.Recs[i].Value.Off, end)
				}
				end += len(whole(b, i)) + 1
			}
			if end != len(text) && end != len(text)+1 {
				t.Fatalf("%s: %q: the records end at %d", tt.name, text, end)
			}
		}
	}
}

// whole returns the bytes of record i, also where it was cut.
func whole(b *record.Batch, i int) []byte {
	off, end := int(b.Recs[i].Value.Off), len(b.Data)
	if i+1 < len(b.Recs) {
		return b.Data[off : b.Recs[i+1].Value.Off-1]
	}
	return bytes.TrimSuffix(b.Data[off:end], []byte{'\n'})
}

func TestFrames(t *testing.T) {
	tests := []struct {
		framer int
		data   string
		want   string
	}{
		{0, "", ``},
		{0, "a", `1:0:"a":0`},
		{0, "a\n", `1:0:"a":0`},
		{0, "a\r\n\nb", `1:0:"a\r":0 2:3:"":0 3:4:"b":0`},
		{
			0, "12345678901234567890\n12345678901234567890x\nb\n",
			`1:0:"12345678901234567890":0 2:21:"12345678901234567890":20 3:43:"b":0`,
		},
		{1, "a,\"b\nc\"\nd\n", `1:0:"a,\"b\nc\"":0 3:8:"d":0`},
		{1, "a\"b\nc\"d\n", `1:0:"a\"b":0 2:4:"c\"d":0`},
		{1, "\"a\"\"\n\"\nb", `1:0:"\"a\"\"\n\"":0 3:7:"b":0`},
		{1, "\"a\"b,\"\n\"\nc\n", `1:0:"\"a\"b,\"\n\"":0 3:9:"c":0`},
		{1, "\"a\nb\n", `1:0:"\"a\nb\n":0`},
		{2, "a1\n b\n c\na2\n", `1:0:"a1\n b\n c":0 4:9:"a2":0`},
		{2, "x\ny\na\n", `1:0:"x\ny":0 3:4:"a":0`},
		{2, "a\n\n", `1:0:"a\n":0`},
	}
	for _, tt := range tests {
		d := decoder(t, framers[tt.framer].opt)
		o := &record.Origin{}
		d.Begin(nil, o)
		b := &record.Batch{Data: []byte(tt.data), Line: 1}
		d.Framer(o).Frame(b)
		if got := strings.Join(framed(b), " "); got != tt.want {
			t.Errorf("%s: %q\n got %s\nwant %s", framers[tt.framer].name, tt.data, got, tt.want)
		}
	}
}

func TestTooLong(t *testing.T) {
	d := decoder(t, codec.Options{Format: "plain", MaxRecord: 4})
	b := &record.Batch{Data: []byte("abcd\nabcde\n"), Origin: &record.Origin{Format: "plain"}}
	d.NewParser(record.NewPlan()).Parse(b)
	if len(b.Faults) != 1 || b.Faults[0] != (record.Fault{Row: 1, Reason: codec.TooLong(4)}) {
		t.Errorf("got faults %v", b.Faults)
	}
	if codec.TooLong(1000000) != "longer than 1,000,000 bytes, the greatest size of a record" {
		t.Error(codec.TooLong(1000000))
	}
}

func BenchmarkFrame(b *testing.B) {
	line := strings.Repeat("x", 286) + "\n"
	quoted := `2026-11-24,"a ""b"", c",` + strings.Repeat("x", 262) + "\n"
	object := "{\n  \"time\": \"2026-11-24T10:00:00Z\",\n  \"level\": \"info\",\n  \"status\": 200,\n  \"tags\": [\n    1\n  ],\n" +
		"  \"text\": \"" + strings.Repeat("x", 180) + "\"\n}\n"
	for _, bb := range []struct{ name, format, line string }{
		{"lines", "ndjson", line},
		{"csv", "csv:a,b,c", line},
		{"csv-quoted", "csv:a,b,c", quoted},
		{"json", "json", object},
	} {
		b.Run(bb.name, func(b *testing.B) {
			d := decoder(b, codec.Options{Format: bb.format})
			o := &record.Origin{}
			d.Begin(nil, o)
			f := d.Framer(o)
			batch := &record.Batch{Data: []byte(strings.Repeat(bb.line, 1000)), Line: 1}
			f.Frame(batch)
			b.ReportAllocs()
			for b.Loop() {
				batch.Recs = batch.Recs[:0]
				f.Cut(batch.Data)
				f.Frame(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
		})
	}
}
