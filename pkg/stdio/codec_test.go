package stdio_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logctl/logctl/pkg/codec"
	"github.com/logctl/logctl/pkg/record"
	"github.com/logctl/logctl/pkg/stdio"
)

// A record that is too long looks the same whether it fits into an arena, and
// the codec frames it, or not, and the source does. So do CSV's header and rows
// over several lines, and JSON whose records end within a line.
func TestSourceAndCodecAgree(t *testing.T) {
	long := strings.Repeat("y", 300)
	for name, text := range map[string]string{
		"plain":        "a\n" + long + "\nb\r\n\n" + long + long + "\n" + long,
		"ndjson":       `{"a":1}` + "\n" + `{"a":"` + long + `"}` + "\n\n" + `{"a":3}`,
		"json: lines":  "[\n  {\"a\":\"" + long + "\"},\n  {\"a\":\"" + long + "\n  {\"a\":1 },\n  {\"b\": x y}\n]\n",
		"json: inline": `[{"a":"` + long + `","b":[{"a":1}]},{"a":"` + long + `" x},{"a":` + long + "},{\"a\":5}, " + long + `,{"a":6}]`,
		"csv":          "a,b\n1,\"two\nlines\"\n" + long + ",2\n3,4",
	} {
		format, _, _ := strings.Cut(name, ":")
		want := frames(t, format, bytes.NewReader([]byte(text)), 1<<16)
		if !strings.Contains(strings.Join(want, "\n"), codec.TooLong(100)) {
			t.Fatalf("%s: no record is too long in %q", name, want)
		}
		for seed := range uint64(50) {
			r := &chunks{[]byte(text), rand.New(rand.NewPCG(seed, 2))}
			if d := cmp.Diff(want, frames(t, format, r, 16)); d != "" {
				t.Fatalf("%s, seed %d: -want +got\n%s", name, seed, d)
			}
		}
	}
}

// frames returns the values of all records and the reasons of the bad ones.
func frames(t *testing.T, format string, r io.Reader, arena int) []string {
	t.Helper()
	const maxRecord = 100
	d, err := codec.New(codec.Options{Format: format, MaxRecord: maxRecord})
	if err != nil {
		t.Fatal(err)
	}
	s := stdio.NewReader(r, "x", stdio.Options{Format: d, MaxRecord: maxRecord})
	var got []string
	for {
		b := &record.Batch{Data: make([]byte, 0, arena)}
		err := s.Read(t.Context(), b)
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Recs) == 0 {
			d.Framer(b.Origin).Frame(b)
		}
		faults := b.Faults
		for i, rec := range b.Recs {
			text := fmt.Sprintf("%s @%d line %d", b.Value(i), rec.Offset, rec.Line)
			if rec.Flags&record.Bad != 0 {
				text, faults = text+" "+faults[0].Reason, faults[1:]
			}
			got = append(got, text)
		}
	}
}
