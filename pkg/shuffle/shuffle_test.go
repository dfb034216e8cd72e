package shuffle_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/expr"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/shuffle"
)

// halves are both sides of a shuffle, with an internal topic of so many partitions
// between them that is a list of batches.
type halves struct {
	op     *shuffle.Op
	parser codec.Parser
	plan   *record.Plan // of the second half
	reader *shuffle.Reader
	marks  []string
	topic  []*record.Batch // what was emitted, marks apart
}

// width is that of the internal topic. A key goes to the partition that its length
// says.
const width = 3

func open(t testing.TB, by []string, reads ...string) *halves {
	t.Helper()
	h := &halves{plan: record.NewPlan()}
	h.plan.ReadTime("")
	for _, src := range reads {
		if _, err := expr.Compile(src, h.plan); err != nil {
			t.Fatal(err)
		}
	}
	plan := record.NewPlan()
	plan.ReadTime("")
	keys, err := aggregate.CompileKeys(by, plan)
	if err != nil {
		t.Fatal(err)
	}
	form := shuffle.NewForm(h.plan)
	place := func(key []byte) int { return len(key) % width }
	h.op = shuffle.New(shuffle.Config{Keys: keys, Form: form.Over(plan, h.plan), Width: width, Place: place})
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	h.parser, h.reader = dec.NewParser(plan), shuffle.NewReader(form, h.plan)
	return h
}

func (h *halves) Batch() (*record.Batch, error) { return record.NewBatch(), nil }

func (h *halves) Emit(rows record.Rows) error {
	b := rows.Batch
	if b.Recs[0].Flags&record.Tombstone == 0 {
		h.topic = append(h.topic, b)
		return nil
	}
	for _, head := range b.Headers {
		h.marks = append(h.marks, fmt.Sprintf("%s=%s", b.Bytes(head.Key), b.Bytes(head.Value)))
	}
	return nil
}

// send takes a batch of lines, changed by edit, through the first half.
func (h *halves) send(t testing.TB, edit func(*record.Batch), lines ...string) {
	t.Helper()
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "in", Partition: 2, Topic: true, Format: "ndjson"}
	for _, l := range lines {
		b.Add([]byte(l)).Stamp = 5e9
	}
	if edit != nil {
		edit(b)
	}
	h.parser.Parse(b)
	h.op.Prepare(b)
	if err := h.op.Process(b.All(), h); err != nil {
		t.Fatal(err)
	}
}

// read takes what is in the topic through the second half, and returns a line for
// each record: the key of its pack, its part and time, the fields of the plan, and
// what else there is of it.
func (h *halves) read(t testing.TB) (got []string) {
	t.Helper()
	for _, b := range h.topic {
		var keys []string
		for i := range b.Recs {
			keys = append(keys, string(b.Bytes(b.Recs[i].Key)))
			b.Recs[i].Offset = int64(i)
		}
		if h.reader.Parse(b); h.reader.Err() != nil {
			t.Fatal(h.reader.Err())
		}
		for i := range b.Recs {
			rec := &b.Recs[i]
			line := fmt.Sprintf("%s#%d %ds", keys[rec.Offset], rec.Part, rec.Time/1e9)
			for k, f := range h.plan.Fields {
				if v := b.At(k, i); v.Kind() != record.Missing {
					line += fmt.Sprintf(" %s=%s", f.Path, b.AppendJSON(nil, v))
				}
			}
			if rec.Flags&record.HasKey != 0 {
				line += fmt.Sprintf(" key %s", b.Bytes(rec.Key))
			}
			for _, head := range b.Headers[rec.Headers.Off:rec.Headers.End()] {
				line += fmt.Sprintf(" header %s: %s", b.Bytes(head.Key), b.Bytes(head.Value))
			}
			if rec.Value.Len > 0 {
				line += " " + string(b.Data[rec.Value.Off:rec.Value.End()+1])
			}
			got = append(got, line)
		}
	}
	h.topic = nil
	return got
}

// Records go in packs, each under a key that all of its records could have, in
// their order. They take their time with them, and no field that nobody reads.
func TestPacks(t *testing.T) {
	h := open(t, []string{"a", "b"}, "c", "d > 1")
	h.send(t, nil, `{"ts":1,"a":"x","b":12,"c":"\"\\"}`, `{"a":"y","c":[1,{}],"d":2}`, `{"ts":2,"a":"z","b":12,"c":null}`, `{"ts":3,"a":"y"}`)
	want := []string{
		`["y",null]#0 5s c=[1,{}] d=2`,
		`["y",null]#1 3s`,
		`["z",12]#0 1s c="\"\\"`,
		`["z",12]#1 2s`,
	}
	if d := cmp.Diff(want, h.read(t)); d != "" {
		t.Error(d)
	}
}

// Where there are no keys, all goes to one partition; where the time is read as a
// field too, it is one.
func TestOneGroup(t *testing.T) {
	h := open(t, nil, "timestamp")
	h.send(t, nil, `{"ts":1}`, `{"ts":2}`)
	h.send(t, nil, `{}`)
	want := []string{`#0 1s timestamp=1`, `#1 2s timestamp=2`, `#0 5s`}
	if d := cmp.Diff(want, h.read(t)); d != "" {
		t.Error(d)
	}
}

// Records that are read themselves come whole.
func TestWhole(t *testing.T) {
	h := open(t, []string{"a"}, "a", "_value")
	h.send(t, func(b *record.Batch) {
		rec := &b.Recs[0]
		rec.Flags |= record.HasKey
		rec.Key = record.AppendSpan(b, "old")
		b.Headers = append(b.Headers, record.Header{Key: record.AppendSpan(b, "h"), Value: record.AppendSpan(b, "v")})
		rec.Headers = record.Span{Len: 1}
		b.Recs[1].Flags |= record.Tombstone
	}, `{"ts":1,"a":"x"}`, ``)
	want := []string{`"x"#0 1s a="x" key old header h: v {"ts":1,"a":"x"}` + "\n", `null#0 5s`}
	if d := cmp.Diff(want, h.read(t)); d != "" {
		t.Error(d)
	}
}

// Packs do not grow without bound, and are read in the order in which they were
// written.
func TestManyRecords(t *testing.T) {
	h := open(t, []string{"a"}, "v")
	var lines, want []string
	for i := range 40_000 {
		lines = append(lines, fmt.Sprintf(`{"ts":1,"a":"x","v":%d}`, i))
	}
	h.send(t, nil, lines...)
	for i := range lines {
		want = append(want, fmt.Sprintf(`"x"#%d 1s v=%d`, i%(1<<14), i))
	}
	if d := cmp.Diff(want, h.read(t)); d != "" {
		t.Error(d)
	}
}

// What was written for other fields is not read as if they were missing.
func TestOtherForm(t *testing.T) {
	h, other := open(t, []string{"a"}, "v"), open(t, []string{"a"}, "v", "w")
	h.send(t, nil, `{"ts":1,"a":"x","v":1}`)
	if other.reader.Parse(h.topic[0]); other.reader.Err() == nil {
		t.Error("it is read")
	}
}

// Marks tell how far the partition has come, that it is silent, and that it has
// ended.
func TestMarks(t *testing.T) {
	h := open(t, nil)
	h.op.Begin("in", 2, 40)
	tick := func(idle bool, watermark, now int64, want ...string) {
		t.Helper()
		h.marks = nil
		h.op.Idle(idle)
		if err := h.op.Tick(watermark, now, h); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, h.marks); d != "" {
			t.Errorf("at %d: %s", now, d)
		}
	}
	tick(false, record.NoTime, 100e9)
	tick(true, record.NoTime, 101e9, "logctl-mark=in/2 idle") // nothing has ever come
	tick(false, record.NoTime, 102e9)                         // what comes has no time
	h.send(t, nil, `{"ts":1}`)
	tick(false, 1e9, 112e9, "logctl-mark=in/2 1000000000")
	tick(false, 1e9, 113e9)
	tick(true, 1e9, 122e9, "logctl-mark=in/2 idle")
	tick(true, 1e9, 140e9)
	tick(false, 1e9, 141e9, "logctl-mark=in/2 1000000000") // it holds time back again, at the same place
	h.marks = nil
	if err := h.op.Finish(h); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"logctl-mark=in/2 end 40"}, h.marks); d != "" {
		t.Error(d)
	}
}

func FuzzParseMark(f *testing.F) {
	for _, s := range []string{"in/2 17", "a/b/0 idle", "x/1 end 4", "x/1 end", "", "/1 2", "in/9999999999 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := shuffle.ParseMark(s)
		if err != nil {
			return
		}
		again, err := shuffle.ParseMark(string(shuffle.AppendMark(nil, m)))
		if err != nil || again != m {
			t.Errorf("%q is %v, and then %v %v", s, m, again, err)
		}
	})
}

// FuzzReader reads whatever there is behind the id of a form: it is found to be
// damaged, or all of its values stand in the batch.
func FuzzReader(f *testing.F) {
	for whole, reads := range map[bool][]string{false: {"v", "w"}, true: {"v", "w", "_value"}} {
		h := open(f, []string{"a"}, reads...)
		h.send(f, nil, `{"ts":1,"a":"x","v":1}`, `{"ts":2,"a":"x","v":{"w":[]},"w":"\n"}`)
		b := h.topic[0]
		f.Add(whole, b.Value(0)[4:])
		for i := range b.Value(0)[4:] {
			for _, damage := range []byte{0, 0x7f, 0xff} {
				damaged := slices.Clone(b.Value(0)[4:])
				damaged[i] = damage
				f.Add(whole, damaged)
			}
		}
	}
	f.Fuzz(func(t *testing.T, whole bool, rest []byte) {
		reads := []string{"v", "w"}
		if whole {
			reads = append(reads, "_value")
		}
		h := open(t, []string{"a"}, reads...)
		h.send(t, nil, `{"ts":1,"a":"x","v":1}`)
		id := h.topic[0].Value(0)[:4:4]
		b := record.NewBatch()
		b.Add(append(id, rest...))
		size := len(b.Data)
		if h.reader.Parse(b); h.reader.Err() != nil {
			return
		}
		for i := range b.Recs {
			for k := range h.plan.Fields {
				if v := b.At(k, i); v.Off()+v.Len() > size {
					t.Fatalf("record %d: %s is outside of the batch", i, h.plan.Fields[k].Path)
				}
			}
			rec := &b.Recs[i]
			if int(max(rec.Value.End(), rec.Key.End())) > size || int(rec.Headers.End()) > len(b.Headers) {
				t.Fatalf("record %d is outside of the batch", i)
			}
		}
	})
}

// Of a record of 290 bytes, two fields are carried.
func BenchmarkShuffle(b *testing.B) {
	const n = 900
	h := open(b, []string{"service"}, "service", "latency_ms")
	in := record.NewBatch()
	in.Origin = &record.Origin{Source: "in", Topic: true, Format: "ndjson"}
	for i := range n {
		in.Add(fmt.Appendf(nil, `{"timestamp":"2026-04-18T04:00:00.000Z","service":"s%d","message":%0200d,"latency_ms":%d.5}`, i%16, 0, i))
	}
	h.parser.Parse(in)
	h.op.Prepare(in)
	again := record.NewBatch()
	bytes := 0
	for b.Loop() {
		h.topic = h.topic[:0]
		if err := h.op.Process(in.All(), h); err != nil {
			b.Fatal(err)
		}
		again.Reset()
		for _, p := range h.topic {
			for i := range p.Recs {
				again.Add(p.Value(i))
				bytes += len(p.Value(i))
			}
		}
		h.reader.Parse(again)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/record")
	b.ReportMetric(float64(bytes)/float64(n*b.N), "B/record")
}
