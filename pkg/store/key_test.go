package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/store"
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
}
