package codec_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
)

// kafkaRecord appends a record as the door to Kafka does; a nil key or value
// is null.
func kafkaRecord(b *record.Batch, key, value []byte, ms int64, headers ...[]byte) {
	rec := b.Add(value)
	rec.Stamp, rec.Time = ms*1e6, ms*1e6
	if value == nil {
		rec.Flags |= record.Tombstone
	}
	add := func(text []byte) record.Span {
		b.Data = append(b.Data, text...)
		return record.Span{Off: uint32(len(b.Data) - len(text)), Len: uint32(len(text))}
	}
	if key != nil {
		rec.Flags |= record.HasKey
		rec.Key = add(key)
	}
	rec.Headers.Off = uint32(len(b.Headers))
	for i := 0; i+1 < len(headers); i += 2 {
		b.Headers = append(b.Headers, record.Header{Key: add(headers[i]), Value: add(headers[i+1])})
	}
	rec.Headers.Len = uint32(len(b.Headers)) - rec.Headers.Off
}

// told says all of a record that an envelope keeps.
func told(b *record.Batch, i int) string {
	r := &b.Recs[i]
	s := fmt.Sprintf("flags %d, stamp %d, key %q, value %q", r.Flags, r.Stamp, b.Bytes(r.Key), b.Value(i))
	for _, h := range b.Headers[r.Headers.Off:r.Headers.End()] {
		s += fmt.Sprintf(", %q=%q", b.Bytes(h.Key), b.Bytes(h.Value))
	}
	return s
}

func encode(tb testing.TB, name string, opt codec.EncodeOptions, b *record.Batch) string {
	tb.Helper()
	e, err := codec.NewEncoder(name, opt)
	if err != nil {
		tb.Fatal(err)
	}
	dst := e.Append(nil, b.All())
	if f, ok := e.(codec.FinishingEncoder); ok {
		dst = f.Finish(dst)
	}
	return string(dst)
}

func checkRoundTrip(t *testing.T, b *record.Batch) {
	t.Helper()
	lines := encode(t, "envelope", codec.EncodeOptions{}, b)
	if n := strings.Count(lines, "\n"); n != len(b.Recs) {
		t.Fatalf("%d lines for %d records", n, len(b.Recs))
	}
	back := decode(t, codec.Options{Envelope: true}, lines)
	if len(back.Faults) > 0 || len(back.Recs) != len(b.Recs) {
		t.Fatalf("%s\n%d records, faults %v", lines, len(back.Recs), back.Faults)
	}
	for i := range b.Recs {
		if got, want := told(back, i), told(b, i); got != want {
			t.Fatalf("%s\n got %s\nwant %s", lines, got, want)
		}
	}
	back.Origin = b.Origin
	for i := range back.Recs {
		back.Recs[i].Offset = b.Recs[i].Offset
	}
	if text := encode(t, "envelope", codec.EncodeOptions{}, back); text != lines {
		t.Fatalf("written again:\n got %s\nwant %s", text, lines)
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	b := &record.Batch{Origin: &record.Origin{Source: "app-\"logs\"", Topic: true, Partition: 3}}
	kafkaRecord(b, nil, []byte(`{"a":1}`), 1795514400123)
	kafkaRecord(b, []byte{}, []byte{}, 0)
	kafkaRecord(b, []byte("k\n\x00"), nil, -1)
	kafkaRecord(b, []byte("\xff"), []byte("\xfe\n"), 1, []byte("h"), []byte("v"), []byte("h"), []byte(""))
	kafkaRecord(b, []byte("\uFFFD\u2028"), []byte("\"\\\t"), 1, []byte(""), []byte("\xff"), []byte("é"), []byte("<>"))
	checkRoundTrip(t, b)
}

func FuzzEnvelopeRoundTrip(f *testing.F) {
	f.Add([]byte("k"), []byte("v"), []byte("h"), []byte("w"), int64(5), uint8(0))
	f.Add([]byte("\xff"), []byte("\x00\\"), []byte("\xf0\x90"), []byte(""), int64(1795514400123), uint8(3))
	f.Fuzz(func(t *testing.T, key, value, name, text []byte, ms int64, shape uint8) {
		ms %= 9e12
		if shape&1 != 0 {
			key = nil
		} else if key == nil {
			key = []byte{}
		}
		if shape&2 != 0 {
			value = nil
		} else if value == nil {
			value = []byte{}
		}
		b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
		kafkaRecord(b, key, value, ms, name, text, text, name)
		kafkaRecord(b, value, key, ms)
		checkRoundTrip(t, b)
	})
}

func TestEnvelopeForm(t *testing.T) {
	b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true, Partition: 2}}
	kafkaRecord(b, []byte("k"), []byte("a\"b"), 1795514400123, []byte("x"), []byte("1"), []byte("x"), []byte("2"))
	b.Recs[0].Offset = 41
	b.Origin.Topic = true
	want := `{"topic":"t","partition":2,"offset":41,"key":"k","time":"2026-11-24T10:00:00.123Z",` +
		`"headers":[["x","1"],["x","2"]],"value":"a\"b"}` + "\n"
	if got := encode(t, "envelope", codec.EncodeOptions{}, b); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	b = &record.Batch{Origin: &record.Origin{Source: "app.log"}}
	b.Add([]byte("\xff"))
	want = `{"source":"app.log","offset":0,"key":null,"time":null,"headers":[],"value_base64":"/w=="}` + "\n"
	if got := encode(t, "envelope", codec.EncodeOptions{}, b); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Fields and times are those of what is within.
func TestEnvelopeFields(t *testing.T) {
	lines := strings.Join([]string{
		`{"time":"2026-11-24T10:00:00Z","value":"{\"status\":503,\"user\":\"ann\"}"}`,
		`{"key":7,"value":{"status":404,"user":"bob"},"time":1795514400000}`,
		`{"value_base64":"eyJzdGF0dXMiOjF9","key_base64":"aw=="}`,
		`{"value":null,"key":"k"}`,
		``,
		`{"value":""}`,
		`{"value":"x"}`,
		`{"key":"k"}`,
		`{"value":"{}","time":"noon"}`,
		`{"value":"{}","headers":{"a":"b"}}`,
		`{"value":"{}","headers":[["a"]]}`,
		`{"value_base64":"%"}`,
		`{"value":`,
	}, "\n")
	b := decode(t, codec.Options{Envelope: true}, lines, "status", "user")
	want := `503 "ann"
404 "bob"
1 null
null null
bad: got "x" at byte 1, want a JSON object
bad: envelope: no "value": want {"key":...,"headers":...,"time":...,"value":...}
bad: envelope: timestamp "noon": no time format fits
bad: envelope: headers: want an array of pairs of text
bad: envelope: headers: want an array of pairs of text
bad: envelope: value: "%" is not base64
bad: envelope: the record ends after 9 bytes, want a value`
	if got := table(b, 2); got != want || b.Empty != 2 {
		t.Errorf("%d empty\n got %s\nwant %s", b.Empty, got, want)
	}
	if got := told(b, 1); got != `flags 1, stamp 1795514400000000000, key "7", value "{\"status\":404,\"user\":\"bob\"}"` {
		t.Error(got)
	}
	if b.Origin.Format != "ndjson" || b.Recs[0].Time != 1795514400e9 || b.Recs[3].Flags&record.Tombstone == 0 {
		t.Errorf("%s, %v, %v", b.Origin.Format, b.Recs[0], b.Recs[3])
	}
}

// Opened values stand one behind the other, so that they are written as one.
func TestEnvelopeRuns(t *testing.T) {
	b := decode(t, codec.Options{Envelope: true}, strings.Repeat(`{"value":"{\"a\":1}"}`+"\n", 3))
	n := 0
	for run := range codec.Runs(b.All()) {
		n++
		if !bytes.Equal(run, []byte("{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n")) {
			t.Errorf("got %q", run)
		}
	}
	if n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
}

func BenchmarkEnvelope(b *testing.B) {
	batch := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
	for range 1000 {
		kafkaRecord(batch, []byte("key"), []byte(strings.Repeat(`"0123456789\`, 20)), 1795514400123, []byte("h"), []byte("v"))
	}
	b.Run("write", func(b *testing.B) {
		e, _ := codec.NewEncoder("envelope", codec.EncodeOptions{})
		dst := e.Append(nil, batch.All())
		b.ReportAllocs()
		for b.Loop() {
			dst = e.Append(dst[:0], batch.All())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
	b.Run("read", func(b *testing.B) {
		lines := encode(b, "envelope", codec.EncodeOptions{}, batch)
		d := decoder(b, codec.Options{Envelope: true, Format: "plain"})
		o := &record.Origin{Format: "plain", Modified: record.NoTime}
		p := d.NewParser(record.NewPlan())
		in := &record.Batch{}
		b.ReportAllocs()
		for b.Loop() {
			in.Reset()
			in.Origin, in.Data = o, append(in.Data, lines...)
			p.Parse(in)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
	})
}

// TestHeadersThatAreNoText has headers that stand in one piece or apart, and characters
// that end in another header than they begin in.
func TestHeadersThatAreNoText(t *testing.T) {
	const arena = "\u00e9k\xffv"
	for name, c := range map[string]struct {
		spans []record.Header
		want  string
	}{
		"one piece":      {[]record.Header{{Key: span(0, 2), Value: span(2, 1)}}, `"headers":[["é","k"]]`},
		"the other way":  {[]record.Header{{Key: span(2, 1), Value: span(0, 2)}}, `"headers":[["k","é"]]`},
		"cut":            {[]record.Header{{Key: span(0, 1), Value: span(1, 2)}}, `"headers_base64":[["ww==","qWs="]]`},
		"cut at its end": {[]record.Header{{Key: span(2, 1), Value: span(0, 1)}}, `"headers_base64":[["aw==","ww=="]]`},
		"not the first": {
			[]record.Header{{Key: span(2, 1), Value: span(2, 1)}, {Key: span(3, 1), Value: span(4, 1)}},
			`"headers_base64":[["aw==","aw=="],["/w==","dg=="]]`,
		},
		"none of it":  {[]record.Header{{Key: span(2, 1), Value: span(4, 1)}}, `"headers":[["k","v"]]`},
		"empty":       {[]record.Header{{Key: span(5, 0), Value: span(5, 0)}}, `"headers":[["",""]]`},
		"overlapping": {[]record.Header{{Key: span(1, 0), Value: span(0, 3)}}, `"headers":[["","ék"]]`},
		"no headers":  {nil, `"headers":[]`},
	} {
		b := &record.Batch{}
		b.Add([]byte(arena))
		b.Headers = c.spans
		b.Recs[0].Headers = record.Span{Len: uint32(len(c.spans))}
		e, _ := codec.NewEncoder("envelope", codec.EncodeOptions{})
		if got := string(e.Append(nil, b.All())); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func span(off, n uint32) record.Span { return record.Span{Off: off, Len: n} }
