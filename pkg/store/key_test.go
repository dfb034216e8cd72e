package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/logctl/logctl/pkg/fault"
	"github.com/logctl/logctl/pkg/store"
	"github.com/logctl/logctl/pkg/table"
)

// TestOnwardNeedsNoIndex fills a table in turn by sinks that look for earlier rows
// and by those that go on from the positions: a place that comes twice replaces its
// row as soon as one of the first kind has opened it, and from then on in all.
func TestOnwardNeedsNoIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	write := func(onward bool, offset int64, value string) []string {
		t.Helper()
		s := openSink(t, path, store.SinkOptions{Onward: onward})
		writeAll(t, s, batch(offset, value))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return rows(t, path, 1<<16)
	}
	for i, step := range []struct {
		onward bool
		offset int64
		value  string
		want   []string
	}{
		{true, 0, `{"n":1}`, []string{`{"n":1}`}},
		{true, 1, `{"n":2}`, []string{`{"n":1}`, `{"n":2}`}},
		{false, 1, `{"n":3}`, []string{`{"n":1}`, `{"n":3}`}},
		{true, 1, `{"n":4}`, []string{`{"n":1}`, `{"n":4}`}},
		{true, 2, `{"n":5}`, []string{`{"n":1}`, `{"n":4}`, `{"n":5}`}},
	} {
		if d := cmp.Diff(step.want, write(step.onward, step.offset, step.value)); d != "" {
			t.Fatalf("step %d: -want +got\n%s", i, d)
		}
	}
}

// TestPlacesThatCameTwice refuses a table in which rows cannot be told apart: a sink
// that was told so wrongly has written a place twice.
func TestPlacesThatCameTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	writeAll(t, openSink(t, path, store.SinkOptions{Onward: true}), batch(0, `{"n":1}`), batch(0, `{"n":2}`))
	s, err := store.OpenSink(t.Context(), path, "", store.SinkOptions{})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), `indexing table "logs"`) {
		t.Errorf("got %v, want that it cannot be indexed", err)
	}
	remedied(t, path, err)
	s = openSink(t, path, store.SinkOptions{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`{"n":2}`}, rows(t, path, 1<<16)); d != "" {
		t.Errorf("the last row of each place is left: -want +got\n%s", d)
	}
}

// TestNamesThatCameTwice does the same where a foreign hand has taken the index away and
// made rows.
func TestNamesThatCameTwice(t *testing.T) {
	path, unique := filepath.Join(t.TempDir(), "db"), store.SinkOptions{Options: table.Options{Unique: []string{"n"}}}
	s := openSink(t, path, unique)
	writeAll(t, s, batch(0, `{"n":1,"m":1}`), batch(1, `{"m":2}`), batch(2, `{"n":3,"m":3}`))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	statement(t, path, `DROP INDEX "logs by n"; INSERT INTO logs (n, m) VALUES (1, 4), (NULL, 5)`)
	_, err := store.OpenSink(t.Context(), path, "", unique)
	remedied(t, path, err)
	if err := openSink(t, path, unique).Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`{"n":3,"m":3}`, `{"n":1,"m":4}`, `{"m":5}`}, rows(t, path, 1<<16)); d != "" {
		t.Errorf("the last row of each name is left: -want +got\n%s", d)
	}
}

// remedied does what the hint of err says.
func remedied(t *testing.T, path string, err error) {
	t.Helper()
	parts := strings.Split(fault.HintOf(err), "`")
	if len(parts) != 3 {
		t.Fatalf("the hint of %v is %q", err, fault.HintOf(err))
	}
	statement(t, path, parts[1])
}

func statement(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}
