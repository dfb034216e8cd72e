package store_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/stream"
	"github.com/logctl/logctl/pkg/table"
)

// batch returns records of a topic's partition 0, from the given offset on.
func batch(offset int64, values ...string) *record.Batch {
	b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
	for i, v := range values {
		b.Add([]byte(v)).Offset = offset + int64(i)
	}
	return b
}

func openSink(t *testing.T, path string, opt store.SinkOptions) *store.Sink {
	t.Helper()
	s, err := store.OpenSink(t.Context(), path, "", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func writeAll(t *testing.T, s *store.Sink, batches ...*record.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := s.Write(b.All()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rows returns all rows of the only table through batches of the given size.
func rows(t *testing.T, path string, arena int) []string {
	t.Helper()
	s, err := store.OpenSource(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []string
	for {
		b := &record.Batch{Data: make([]byte, 0, arena)}
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Recs {
			all = append(all, string(b.Value(i)))
		}
		if last := b.Recs[len(b.Recs)-1].Offset; b.Next != last+1 {
			t.Fatalf("next is %d behind row %d", b.Next, last)
		}
	}
}

func TestRecordsComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?#%.db")
	s := openSink(t, path, store.SinkOptions{})
	values := []string{
		`{"ts":"2026-01-01T00:00:00Z","level":"INFO","n":1,"f":1.5,"ok":true,"tags":["a",{"b":null}],"none":null}`,
		`{"ts":"x","level":"quote \" and \u00e9","n":9223372036854775807,"f":0.1,"ok":false,"tags":{},"none":"now"}`,
		`{"level":"new","other":{"deep":[1,2]},"more":"te\"xt","LEVEL":"upper","_offset":7}`,
		`{"n":1e300,"f":-2.25}`,
		`{}`,
	}
	writeAll(t, s, batch(0, values[:2]...), batch(2, values[2:]...))
	want := []string{
		`{"ts":"2026-01-01T00:00:00Z","level":"INFO","n":1,"f":1.5,"ok":true,"tags":["a",{"b":null}]}`,
		`{"ts":"x","level":"quote \" and é","n":9223372036854775807,"f":0.1,"ok":false,"tags":{},"none":"now"}`,
		`{"level":"new","other":{"deep":[1,2]},"more":"te\"xt","LEVEL":"upper","_offset":7}`,
		`{"n":1e+300,"f":-2.25}`,
		`{}`,
	}
	for _, arena := range []int{1, 100, 1 << 16} {
		if d := cmp.Diff(want, rows(t, path, arena)); d != "" {
			t.Errorf("arena %d: -want +got\n%s", arena, d)
		}
	}
}

func TestTextIsAValue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	writeAll(t, openSink(t, path, store.SinkOptions{}), batch(0, "plain text", "", `say "x"`, `{"a":1}`))
	want := []string{`{"value":"plain text"}`, `{"value":""}`, `{"value":"say \"x\""}`, `{"a":1}`}
	if d := cmp.Diff(want, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// Batches of every length give each record once, whichever statements they take.
func TestEveryNumberOfRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := openSink(t, path, store.SinkOptions{})
	var want []string
	for _, n := range []int{1, 15, 16, 17, 255, 256, 257, 1000} {
		var values []string
		for i := range n {
			values = append(values, fmt.Sprintf(`{"n":%d,"i":%d}`, n, i))
		}
		b := batch(int64(len(want)), values...)
		for i := range b.Recs {
			if i%7 == 3 {
				b.Recs[i].Flags |= record.Dropped
			} else {
				want = append(want, values[i])
			}
		}
		for i := range b.Recs {
			b.Recs[i].Offset = int64(n)*10_000 + int64(i)
		}
		writeAll(t, s, b)
	}
	if d := cmp.Diff(want, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestSameOriginReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	writeAll(t, openSink(t, path, store.SinkOptions{}), batch(5, `{"a":1}`, `{"a":2}`))
	writeAll(t, openSink(t, path, store.SinkOptions{}), batch(6, `{"a":3}`, `{"a":4,"b":5}`))
	if d := cmp.Diff([]string{`{"a":1}`, `{"a":3}`, `{"a":4,"b":5}`}, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// A pipe's records have offsets that mean nothing to the next run.
func TestPipesNeverReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	for range 2 {
		b := batch(0, `{"a":1}`)
		b.Origin = &record.Origin{Source: "stdin"}
		s := openSink(t, path, store.SinkOptions{})
		s.Keep([]stream.Position{{Source: "stdin", Next: 9}})
		writeAll(t, s, b)
		if at, err := s.Positions(t.Context()); len(at) != 0 || err != nil {
			t.Errorf("positions %v, %v", at, err)
		}
	}
	if got := rows(t, path, 1<<16); len(got) != 2 {
		t.Errorf("got %q, want both records", got)
	}
}

// Null is a key like another: a window of rows without a service is one row.
func TestUniqueFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	for range 2 {
		s := openSink(t, path, store.SinkOptions{Options: table.Options{Unique: []string{"start", "service"}}})
		writeAll(t, s, batch(0, `{"start":1,"service":null,"n":1}`, `{"start":1,"service":"a","n":2}`))
		writeAll(t, s, batch(9, `{"start":1,"n":3}`, `{"start":1,"service":"a","n":4}`, `{"start":1,"service":"0","n":5}`))
	}
	want := []string{`{"start":1,"n":3}`, `{"start":1,"service":"a","n":4}`, `{"start":1,"service":"0","n":5}`}
	if d := cmp.Diff(want, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestPositionsAreCommittedWithTheRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := openSink(t, path, store.SinkOptions{})
	at := []stream.Position{{Source: "t", Partition: 0, Next: 2}, {Source: "u", Partition: 3, Next: 7}}
	s.Keep(at)
	writeAll(t, s, batch(0, `{"a":1}`))
	if err := s.Write(batch(1, `{"a":2}`).All()); err != nil { // and no Flush
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := openSink(t, path, store.SinkOptions{}).Positions(t.Context())
	if d := cmp.Diff(at, got); d != "" || err != nil {
		t.Errorf("-want +got\n%s%v", d, err)
	}
	if got := rows(t, path, 1<<16); len(got) != 1 {
		t.Errorf("got %q, want the one row that was flushed", got)
	}
}

// Of two writers of one partition the one that comes second fails, and leaves
// nothing behind.
func TestZombieIsFenced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	opt := store.SinkOptions{Onward: true} // no index would take its rows for the others'
	a, b := openSink(t, path, opt), openSink(t, path, opt)
	for _, s := range []*store.Sink{a, b} {
		s.Keep([]stream.Position{{Source: "t", Next: 1}})
	}
	writeAll(t, b, batch(0, `{"by":"b"}`))
	for range 2 {
		if err := a.Write(batch(0, `{"by":"a"}`).All()); err != nil {
			t.Fatal(err)
		}
		if err := a.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "another writer") {
			t.Fatalf("the second writer's error: %v", err)
		}
	}
	if d := cmp.Diff([]string{`{"by":"b"}`}, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// A writer whose partition another one has gone on with is told so by its state, too.
func TestZombieStateIsFenced(t *testing.T) {
	path, task := filepath.Join(t.TempDir(), "db"), stream.Task{Source: "t"}
	opt := store.SinkOptions{Options: table.Options{Signature: "count"}}
	a, b := openSink(t, path, opt), openSink(t, path, opt)
	for _, s := range []*store.Sink{a, b} {
		load(t, s, task)
	}
	must(t, b.Save(task, entries("a", "1"), false))
	must(t, b.Flush(t.Context()))
	err := a.Save(task, entries("a", "2"), false)
	if err == nil {
		err = a.Flush(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), `another writer has moved on with partition 0 of "t"`) {
		t.Errorf("the second writer's error: %v", err)
	}
}

// State, rows and positions of one table are one; those of another are another's.
func TestStateBesideRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	opt := store.SinkOptions{Options: table.Options{Signature: "count by x"}}
	task := stream.Task{Source: "t", Partition: 2}
	s := openSink(t, path, opt)
	if got := load(t, s, task); len(got) != 0 {
		t.Errorf("state of a new table: %v", got)
	}
	must(t, s.Save(task, entries("a", "1", "b", "2"), false))
	s.Keep([]stream.Position{{Source: "t", Partition: 2, Next: 1}})
	writeAll(t, s, batch(0, `{"a":1}`))
	must(t, s.Save(task, entries("a", "3"), false))
	must(t, s.Write(batch(1, `{"a":2}`).All()))
	must(t, s.Close())

	s = openSink(t, path, opt)
	if d := cmp.Diff(map[string]string{"a": "1", "b": "2"}, load(t, s, task)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	must(t, s.Close())
	other, err := store.OpenSink(t.Context(), path, "other", store.SinkOptions{Options: table.Options{Signature: "sum"}})
	must(t, err)
	if got := load(t, other, task); len(got) != 0 {
		t.Errorf("another table has the state %v", got)
	}
	must(t, other.Close())
	if _, err := store.OpenSink(t.Context(), path, "", store.SinkOptions{Options: table.Options{Signature: "sum"}}); err == nil ||
		!strings.Contains(err.Error(), "kept  count by x") || !strings.Contains(fault.HintOf(err), "--reset") {
		t.Errorf("another operator: %v", err)
	}
	s = openSink(t, path, store.SinkOptions{Options: table.Options{Signature: "sum", Reset: true}})
	at, err := s.Positions(t.Context())
	if got := load(t, s, task); len(got)+len(at) != 0 || err != nil {
		t.Errorf("after --reset: %v %v %v", got, at, err)
	}
}

func TestSourceGoesOnBehindAPosition(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	writeAll(t, openSink(t, path, store.SinkOptions{}), batch(0, `{"a":1}`, `{"a":2}`, `{"a":3}`))
	s, err := store.OpenSource(t.Context(), path, "logs")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Seek([]stream.Position{{Source: path + "#logs", Next: 3}}); err != nil {
		t.Fatal(err)
	}
	b := &record.Batch{Data: make([]byte, 0, 100)}
	if err := s.Read(t.Context(), b); err != nil || string(b.Data) != "{\"a\":3}\n" || !b.AtEnd {
		t.Errorf("%q, at end %v, %v", b.Data, b.AtEnd, err)
	}
	for range 2 {
		if err := s.Read(t.Context(), &record.Batch{}); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(dir, "db")
	writeAll(t, openSink(t, db, store.SinkOptions{}), batch(0, `{"a":1}`))
	source := func(path, table string) error {
		s, err := store.OpenSource(t.Context(), path, table)
		if err == nil {
			s.Close()
		}
		return err
	}
	sink := func(path, name string, unique ...string) error {
		s, err := store.OpenSink(t.Context(), path, name, store.SinkOptions{Options: table.Options{Unique: unique}})
		if err == nil {
			s.Close()
		}
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"no file":         {source(filepath.Join(dir, "none"), ""), []string{"none", "no such file"}},
		"no database":     {source(text, ""), []string{text, "not a database"}},
		"no table":        {source(db, "log"), []string{db, `no table "log"`}},
		"no directory":    {sink(filepath.Join(dir, "none", "db"), ""), []string{"none", "unable to open"}},
		"a directory":     {sink(dir, ""), []string{dir, "unable to open"}},
		"sink of text":    {sink(text, ""), []string{text, "not a database"}},
		"reserved":        {sink(db, "_logctl_positions"), []string{"_logctl_positions", "taken"}},
		"other's table":   {sink(db, "sqlite_schema"), []string{"sqlite_schema", "taken"}},
		"no such unique":  {sink(db, "", "b"), []string{db, `no column "b"`}},
		"no path":         {sink("", ""), []string{"no path"}},
		"path with a NUL": {sink("a\x00b", ""), []string{"no path"}},
	} {
		for _, want := range c.want {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", name, c.err, want)
			}
		}
	}
}

func TestNamesAreQuoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	name := `x"; DROP TABLE "y`
	s, err := store.OpenSink(t.Context(), path, name, store.SinkOptions{Options: table.Options{Unique: []string{`a"b`}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	writeAll(t, s, batch(0, `{"a\"b":"'","select":1,"c d":2}`))
	if d := cmp.Diff([]string{`{"a\"b":"'","select":1,"c d":2}`}, rows(t, path, 1<<16)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func BenchmarkSink(b *testing.B) {
	for name, opt := range map[string]store.SinkOptions{
		"onward":    {Onward: true},
		"by place":  {},
		"by fields": {Options: table.Options{Unique: []string{"id"}}},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.OpenSink(b.Context(), filepath.Join(b.TempDir(), "db"), "", opt)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				in := &record.Batch{Origin: &record.Origin{Source: "app-logs", Topic: true}}
				for range 2000 {
					in.Add(fmt.Appendf(nil, `{"id":%d,"ts":"2026-11-24T12:00:00.000Z","level":"INFO","service":"checkout",`+
						`"latency_ms":12.5,"status":200,"message":"request served from the cache"}`, n)).Offset = int64(n)
					n++
				}
				b.StartTimer()
				if err := s.Write(in.All()); err != nil {
					b.Fatal(err)
				}
				if n%50_000 == 0 {
					if err := s.Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// TestTopicOfAnotherCluster binds topics to clusters, table by table.
func TestTopicOfAnotherCluster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := openSink(t, path, store.SinkOptions{})
	for range 2 {
		if err := s.Belongs(t.Context(), "t", "one"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Belongs(t.Context(), "u", "two"); err != nil {
		t.Errorf("another topic is bound with it: %v", err)
	}
	writeAll(t, s, batch(0, `{"a":1}`))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openSink(t, path, store.SinkOptions{})
	err := again.Belongs(t.Context(), "t", "two")
	if err == nil || !strings.Contains(err.Error(), `its positions of topic "t" are those of another Kafka cluster (one, not two)`) {
		t.Errorf("got %v, want it refused", err)
	}
	if got := rows(t, path, 1000); len(got) != 1 {
		t.Errorf("rows %q", got)
	}
}

// TestTopicMadeAnew binds topics to what they are, with a table of an earlier build, which
// knows the cluster alone; a checkpoint does the same.
func TestTopicMadeAnew(t *testing.T) {
	s := openSink(t, filepath.Join(t.TempDir(), "a.db"), store.SinkOptions{})
	defer s.Close()
	k, err := store.OpenCheckpoint(t.Context(), filepath.Join(t.TempDir(), "a.ckpt"), store.CheckpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for name, belongs := range map[string]func(context.Context, string, table.Home) error{"sink": s.Belongs, "checkpoint": k.Belongs} {
		for i, step := range []struct {
			home table.Home
			want string
		}{
			{"one", ""},
			{"one a", ""},
			{"one a", ""},
			{"one", ""}, // a broker that does not tell
			{"one b", `its positions are those of a topic "t" that there is no more: it was made anew`},
			{"two a", "those of another Kafka cluster (one, not two)"},
		} {
			err := belongs(t.Context(), "t", step.home)
			if step.want == "" && err != nil || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
				t.Errorf("%s, step %d: %v, want %q", name, i, err, step.want)
			}
		}
	}
}
