package stdio_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
)

// TestFollowDocuments: the records of a document that is being written come as soon as
// they are closed, wherever its lines end.
func TestFollowDocuments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.json")
	d, err := codec.New(codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "[\n  {\"a\": 1},\n  {\"a\"")
	s := open(t, stdio.Options{Format: d, Follow: true, Poll: time.Millisecond}, path)[0]
	p := d.NewParser(record.NewPlan())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, step := range []struct{ want, then string }{
		{`{"a":1}`, ": 2}"},
		{`{"a":2}`, ",\n  {\n    \"a\": 3\n  }\n]\n"},
		{`{"a":3}`, `[{"a":4}`},
		{`{"a":4}`, `,{"a":5}`}, // no line ends any more
		{`{"a":5}`, ""},
	} {
		b := &record.Batch{Data: make([]byte, 0, 64)}
		for len(b.Recs) == 0 {
			*b = record.Batch{Data: b.Data[:0]}
			if err := s.Read(ctx, b); err != nil {
				t.Fatal(err)
			}
			p.Parse(b)
		}
		if got := string(b.Value(0)); got != step.want || len(b.Recs) != 1 || len(b.Faults) > 0 {
			t.Fatalf("got %q and %d more, want %q", got, len(b.Recs)-1, step.want)
		}
		appendTo(t, path, step.then)
	}
}
