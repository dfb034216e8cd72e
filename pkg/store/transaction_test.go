package store

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/table"
)

// write has a sink commit one record of a topic.
func write(t *testing.T, s *Sink, offset int64, value string) {
	t.Helper()
	b := &record.Batch{Origin: &record.Origin{Source: "t", Topic: true}}
	b.Add([]byte(value)).Offset = offset
	if err := s.Write(b.All()); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func mustOpenSink(t *testing.T, path string, opt SinkOptions) *Sink {
	t.Helper()
	s, err := OpenSink(t.Context(), path, "", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestIndexMadeMeanwhile writes places again that another sink, which makes the table's
// index, has written since this one was opened without it.
func TestIndexMadeMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	onward := mustOpenSink(t, path, SinkOptions{Onward: true})
	write(t, onward, 0, `{"f0":"a"}`)
	write(t, mustOpenSink(t, path, SinkOptions{}), 1, `{"f0":"b"}`)
	write(t, onward, 1, `{"f0":"c"}`)
	write(t, onward, 2, `{"f0":"d"}`)
	want := []string{"'a'", "'c'", "'d'"}
	if d := cmp.Diff(want, dump(t, onward.c, "logs", 1)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestColumnsOfAnother writes into a table whose columns another process changes
// meanwhile: each value goes into the column of its name.
func TestColumnsOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := mustOpenSink(t, path, SinkOptions{Onward: true})
	write(t, s, 0, `{"f1":"a","gone":7}`)
	another, err := open(t.Context(), path, unsynced)
	if err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	// There are as many columns as before, and f0 is at the end.
	err = exec(t.Context(), another, "ALTER TABLE logs DROP COLUMN gone; ALTER TABLE logs ADD COLUMN f0 INTEGER")
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, 1, `{"f0":1,"f1":"b","gone":8}`)
	want := []string{"NULL 'a'", "1 'b'"}
	if d := cmp.Diff(want, dump(t, s.c, "logs", 2)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	rest := ""
	err = query(t.Context(), s.c, "SELECT _extra FROM logs WHERE _offset = 1", func(row []any) { rest = text(row[0]) })
	if err != nil || rest != `{"gone":8}` {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

// TestOtherEncoding writes into a database whose texts are UTF-16.
func TestOtherEncoding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	c, err := open(t.Context(), path, "PRAGMA encoding = 'UTF-16'; CREATE TABLE other (a)")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s := mustOpenSink(t, path, SinkOptions{Onward: true})
	write(t, s, 0, `{"f0":"é","f1":1.5}`)
	write(t, s, 1, `{"f0":"b"}`)
	want := []string{"'é' 1.5", "'b' NULL"}
	if d := cmp.Diff(want, dump(t, s.c, "logs", 2)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestIndexOfEarlierVersions replaces rows by an index that was written in another way.
func TestIndexOfEarlierVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	opt := SinkOptions{Options: table.Options{Unique: []string{"f0", "f1"}}}
	write(t, mustOpenSink(t, path, opt), 0, `{"f0":"a"}`)
	c, err := open(t.Context(), path, unsynced)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = exec(t.Context(), c, `DROP INDEX "logs by f0,f1"; CREATE UNIQUE INDEX IF NOT EXISTS "logs by f0,f1" ON "logs" (`+
		`"f0" IS NULL, ifnull("f0", 0), "f1" IS NULL, ifnull("f1", 0))`)
	if err != nil {
		t.Fatal(err)
	}
	s := mustOpenSink(t, path, opt)
	write(t, s, 1, `{"f0":"a","f1":null,"n":1}`)
	write(t, s, 2, `{"f0":"a","f1":0,"n":2}`)
	if d := cmp.Diff([]string{"'a' NULL", "'a' 0"}, dump(t, s.c, "logs", 2)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	extra := ""
	err = query(t.Context(), s.c, "SELECT group_concat(_extra) FROM logs", func(row []any) { extra = text(row[0]) })
	if err != nil || extra != `{"n":1},{"n":2}` {
		t.Errorf("the rest is %q, %v", extra, err)
	}
}
