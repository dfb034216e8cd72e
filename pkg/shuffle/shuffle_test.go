package shuffle_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/aggregate"
	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/shuffle"
)

// sent is an output that notes what is emitted: key and headers.
type sent struct{ got []string }

func (s *sent) Batch() (*record.Batch, error) { return record.NewBatch(), nil }

func (s *sent) Emit(rows record.Rows) error {
	for i := rows.Lo; i < rows.Hi; i++ {
		rec := &rows.Recs[i]
		if !rec.Live() {
			continue
		}
		line := fmt.Sprintf("%s %s", rows.Bytes(rec.Key), rows.Value(i))
		for _, h := range rows.Headers[rec.Headers.Off:rec.Headers.End()] {
			line += fmt.Sprintf(" %s=%s", rows.Bytes(h.Key), rows.Bytes(h.Value))
		}
		s.got = append(s.got, line)
	}
	return nil
}

func (s *sent) take() []string {
	got := s.got
	s.got = nil
	return got
}

func open(t *testing.T, by ...string) (*shuffle.Op, codec.Parser) {
	t.Helper()
	plan := record.NewPlan()
	plan.ReadTime("")
	keys, err := aggregate.CompileKeys(by, plan)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := codec.New(codec.Options{Format: "ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	return shuffle.New(keys, plan), dec.NewParser(plan)
}

func batch(op *shuffle.Op, p codec.Parser, lines ...string) *record.Batch {
	b := record.NewBatch()
	b.Origin = &record.Origin{Source: "in", Partition: 2, Topic: true, Format: "ndjson"}
	for _, l := range lines {
		b.Add([]byte(l)).Stamp = 5e9
	}
	p.Parse(b)
	op.Prepare(b)
	return b
}

// A record goes under its group's key; its own key and a time that its value does
// not tell are kept.
func TestKeys(t *testing.T) {
	op, parser := open(t, "a", "b")
	b := batch(op, parser, `{"ts":1,"a":"x","b":1}`, `{"a":"y"}`, `{"ts":2,"a":"x","b":1}`)
	b.Recs[1].Flags |= record.HasKey
	b.Recs[1].Key = record.AppendSpan(b, "old")
	out := new(sent)
	if err := op.Process(b.All(), out); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`["x",1] {"ts":1,"a":"x","b":1}`,
		`["y",null] {"a":"y"} logctl-key=old logctl-time=5000000000`,
		`["x",1] {"ts":2,"a":"x","b":1}`,
	}
	if d := cmp.Diff(want, out.take()); d != "" {
		t.Error(d)
	}
}

// Marks tell how far the partition has come, that it is silent, and that it has
// ended.
func TestMarks(t *testing.T) {
	op, parser := open(t)
	out := new(sent)
	op.Begin("in", 2, 40)
	tick := func(idle bool, watermark, now int64, want ...string) {
		t.Helper()
		op.Idle(idle)
		if err := op.Tick(watermark, now, out); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, out.take()); d != "" {
			t.Errorf("at %d: %s", now, d)
		}
	}
	tick(false, record.NoTime, 100e9)
	tick(true, record.NoTime, 101e9, "  logctl-mark=in/2 idle") // nothing has ever come
	tick(false, record.NoTime, 102e9)                           // what comes has no time
	if err := op.Process(batch(op, parser, `{"ts":1}`).All(), out); err != nil {
		t.Fatal(err)
	}
	out.take()
	tick(false, 1e9, 112e9, "  logctl-mark=in/2 1000000000")
	tick(false, 1e9, 113e9)
	tick(true, 1e9, 122e9, "  logctl-mark=in/2 idle")
	tick(true, 1e9, 140e9)
	tick(false, 1e9, 141e9, "  logctl-mark=in/2 1000000000") // it holds time back again, at the same place
	if err := op.Finish(out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"  logctl-mark=in/2 end 40"}, out.take()); d != "" {
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
