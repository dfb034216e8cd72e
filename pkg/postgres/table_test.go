package postgres

import (
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

func layoutOf(t *testing.T, unique ...string) *layout {
	t.Helper()
	l, err := newLayout("my \"t\"", []table.Column{
		{Name: "_topic", Kind: "text"},
		{Name: "_partition", Kind: "integer"},
		{Name: "_offset", Kind: "bigint"},
		{Name: "level", Kind: "text"},
		{Name: "n", Kind: "numeric"},
		{Name: "ok", Kind: "boolean"},
		{Name: "tags", Kind: "jsonb"},
		{Name: "whole", Kind: "bigint"},
		{Name: "_extra", Kind: "jsonb"},
	}, unique)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func batchOf(values ...string) *record.Batch {
	b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true, Partition: 2}}
	for i, v := range values {
		b.Add([]byte(v)).Offset = int64(i)
	}
	return b
}

func TestStatements(t *testing.T) {
	fields := table.Fields(batchOf(
		`{"level":"x","n":1,"f":0.5,"ok":true,"tags":[],"nothing":null,"Level":"second","xmin":1,"_offset":3}`,
		`{"`+strings.Repeat("long", 16)+`":1}`).All(), []string{"id"}, limits)
	want := `CREATE TABLE IF NOT EXISTS "a""b" (_topic text, _partition integer, _offset bigint, "level" text, ` +
		`"n" numeric, "f" numeric, "ok" boolean, "tags" jsonb, "nothing" jsonb, "id" jsonb, _extra jsonb)`
	if got := createTable(`a"b`, nil, fields); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	l := layoutOf(t)
	for _, c := range []struct{ got, want string }{
		{l.createIndex("i"), `CREATE UNIQUE INDEX IF NOT EXISTS "i" ON "my ""t""" (_topic, _partition, _offset)`},
		{
			l.copyToStage(), `COPY pg_temp._logctl_stage (_topic, _partition, _offset, "level", "n", "ok", "tags", "whole", _extra, ` +
				`_logctl_sequence) FROM STDIN`,
		},
		{layoutOf(t, "level", "n").createIndex("i"), `CREATE UNIQUE INDEX IF NOT EXISTS "i" ON "my ""t""" ` +
			`(("level" IS NULL), (coalesce("level", '')), ("n" IS NULL), (coalesce("n", 0)))`},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant\n%s", c.got, c.want)
		}
	}
	if long := indexName(strings.Repeat("é", 31), []string{"a", "b"}); len(long) > maxName {
		t.Errorf("%q has %d bytes", long, len(long))
	}
}

func TestLayoutRefuses(t *testing.T) {
	own := []table.Column{{Name: "_topic"}, {Name: "_partition"}, {Name: "_offset"}, {Name: "_extra"}}
	for want, columns := range map[string][]table.Column{
		"it was not made by logctl: it has no column _topic": {{Name: "a", Kind: "integer"}},
		`its column "at" is of type date`:                    append(own, table.Column{Name: "at", Kind: "date"}),
		`it has no column "id" to be unique`:                 append(own, table.Column{Name: "a", Kind: "text"}),
	} {
		if _, err := newLayout("t", columns, []string{"id"}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestRows(t *testing.T) {
	for value, want := range map[string]string{
		`{"level":"a\tb\\c\nd","n":1.50,"ok":true,"tags":{"a":1},"whole":3}`: `a\tb\\c\nd|1.50|t|{"a":1}|3|\N`,
		`{"level":5,"n":"007","ok":false,"tags":"x","whole":1.5}`:            `5|007|f|"x"|\N|{"whole":1.5}`,
		`{"level":{"a":1},"n":"x","ok":1,"more":null,"new":[1]}`:             `{"a":1}|\N|\N|\N|\N|{"new":[1],"n":"x","ok":1}`,
		`{"level":"nul\u0000","tags":["\u0000","\ud800","\\u0000",1e9999]}`:  "nul\uFFFD|\\N|\\N|[\"\uFFFD\",\"\uFFFD\",\"\\\\\\\\u0000\",\"1e9999\"]|\\N|\\N",
		`{"n":12345678901234567890123,"tags":[01]}`:                          `\N|12345678901234567890123|\N|"[01]"|\N|\N`,
		`{"n":1e3,"whole":"12"}`:                                             `\N|1000|\N|\N|12|\N`,
		"{\"level\":\"\xff\"}":                                               "\uFFFD|\\N|\\N|\\N|\\N|\\N",
		`text`:                                                               `\N|\N|\N|\N|\N|{"value":"text"}`,
		`{}`:                                                                 `\N|\N|\N|\N|\N|\N`,
	} {
		row, err := layoutOf(t).appendRow(nil, batchOf(value), 0)
		if err != nil {
			t.Fatal(err)
		}
		want = "t\t2\t0\t" + strings.ReplaceAll(want, "|", "\t") + "\n"
		if got := string(row); got != want {
			t.Errorf("%s: %q\nwant %q", value, got, want)
		}
	}
}

// A row whose key does not fit would replace others.
func TestKeyMustFit(t *testing.T) {
	l := layoutOf(t, "n")
	if _, err := l.appendRow(nil, batchOf(`{"n":"x"}`), 0); err == nil || !strings.Contains(err.Error(), `the key "x"`) {
		t.Errorf("%v", err)
	}
}

// Whatever a record holds, a line of COPY is one line with all its columns, and no
// NUL.
func FuzzAppendRow(f *testing.F) {
	f.Add(`{"level":"a\tb","tags":["\u0000",1e9999,01]}`)
	f.Add("\x00\\\n")
	f.Fuzz(func(t *testing.T, value string) {
		row, err := layoutOf(t).appendRow(nil, batchOf(value), 0)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(row); strings.Count(s, "\t") != 8 || strings.Count(s, "\n") != 1 || strings.ContainsRune(s, 0) ||
			strings.ToValidUTF8(s, "") != s {
			t.Errorf("%q is written %q", value, s)
		}
	})
}

func BenchmarkAppendRow(b *testing.B) {
	l, err := newLayout("t", []table.Column{
		{Name: "_topic"},
		{Name: "_partition"},
		{Name: "_offset"},
		{Name: "ts", Kind: "text"},
		{Name: "level", Kind: "text"},
		{Name: "status", Kind: "numeric"},
		{Name: "message", Kind: "text"},
		{Name: "_extra"},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	rows := batchOf(`{"ts":"2026-01-01T00:00:00Z","level":"INFO","status":200,"message":"GET / took some time","more":1}`)
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line, _ = l.appendRow(line[:0], rows, 0)
	}
	b.SetBytes(int64(len(line)))
}
