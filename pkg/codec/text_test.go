package codec

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logctl/logctl/pkg/record"
)

// A textCase is a line of some format and what is to be read from it: pairs of
// a field and its value as JSON, or why the line is bad.
type textCase struct {
	line   string
	want   []string
	reason string
}

// checkText runs the cases through parsers that are asked for all the fields
// that a case names, and for those of the case before, to see that nothing of
// it is left.
func checkText(t *testing.T, newParser func(*record.Plan) lineParser, cases []textCase) {
	t.Helper()
	var fields []string
	for _, c := range cases {
		for i := 0; i < len(c.want); i += 2 {
			if !slices.Contains(fields, c.want[i]) {
				fields = append(fields, c.want[i])
			}
		}
	}
	plan := planOf(fields...)
	p := newParser(plan)
	for _, c := range cases {
		b := batchOf([]string{c.line})
		reason := p.parse(b, 0, b.Recs[0].Value)
		if c.reason == "" && reason != "" || c.reason != "" && !strings.Contains(reason, c.reason) {
			t.Errorf("%s\n\treason %q, want %q", c.line, reason, c.reason)
		}
		for k, name := range fields {
			want := "(missing)"
			if i := slices.Index(c.want, name); i >= 0 {
				want = c.want[i+1]
			}
			if reason != "" {
				want = "(missing)"
			}
			if got := show(b, b.Col(k)[0]); got != want {
				t.Errorf("%s\n\t%s = %s, want %s", c.line, name, got, want)
			}
		}
	}
}

// logLines returns the lines of a file of testdata/logs.
func logLines(tb testing.TB, name string) []string {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "logs", name))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// fuzzText checks what holds of every text parser for any line: it does not
// panic, spans lie in the arena, a bad record has no fields, and the outcome
// depends neither on the line before nor on which other fields are read.
func fuzzText(f *testing.F, newParser func(*record.Plan) lineParser, fields []string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(seeds[0]))
	}
	shared := newParser(planOf(fields...))
	f.Fuzz(func(t *testing.T, line, before []byte) {
		b := &record.Batch{}
		b.Add(before)
		b.Add(line)
		shared.parse(b, 0, b.Recs[0].Value)
		reason := shared.parse(b, 1, b.Recs[1].Value)
		if !bytes.Equal(b.Value(1), line) {
			t.Fatal("the record was changed")
		}
		for k, name := range fields {
			v := b.Col(k)[1]
			if v.Off()+v.Len() > len(b.Data) || reason != "" && v != 0 {
				t.Fatalf("%s is %x in an arena of %d, reason %q", name, uint64(v), len(b.Data), reason)
			}
			alone := &record.Batch{}
			alone.Add(line)
			p := newParser(planOf(name))
			if r := p.parse(alone, 0, alone.Recs[0].Value); r != reason {
				t.Fatalf("reason %q, and reading only %s %q", reason, name, r)
			}
			if got, want := show(b, v), show(alone, alone.Col(0)[0]); got != want {
				t.Fatalf("%s = %s, read alone %s", name, got, want)
			}
		}
	})
}

// benchText has ns/record as its figure.
func benchText(b *testing.B, p lineParser, lines []string) {
	batch := batchOf(lines)
	size := len(batch.Data)
	b.ReportAllocs()
	b.SetBytes(int64(size / len(lines)))
	for row := 0; b.Loop(); row++ {
		if row == len(lines) {
			row, batch.Data = 0, batch.Data[:size]
		}
		p.parse(batch, row, batch.Recs[row].Value)
	}
}

// checkNoAllocs runs the lines through p twice and expects the second time to
// allocate nothing.
func checkNoAllocs(t *testing.T, p lineParser, lines []string) {
	t.Helper()
	b := batchOf(lines)
	size := len(b.Data)
	run := func() {
		b.Data = b.Data[:size]
		for row := range b.Recs {
			if reason := p.parse(b, row, b.Recs[row].Value); reason != "" {
				t.Fatalf("%s: %s", b.Value(row), reason)
			}
		}
	}
	if n := testing.AllocsPerRun(10, run); n != 0 {
		t.Errorf("%v allocations for %d lines", n, len(lines))
	}
}
